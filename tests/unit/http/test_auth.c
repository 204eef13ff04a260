/* Authentication without a network: which challenge is chosen, and the answers of RFC 7616, 7617, 2617 and 2069. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "http/auth.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* ---- choosing ---- */

typedef struct {
    const char *name;
    const char *headers[3]; /* WWW-Authenticate, in order */
    bool no_basic;
    http_auth_scheme_t want; /* NONE: not supported */
    const char *realm;       /* NULL: any */
} choice_row_t;

static const choice_row_t choices[] = {
    {"basic", {"Basic realm=\"r\""}, false, HTTP_AUTH_BASIC, "r"},
    {"basic in another case", {"bAsIc REALM=\"r\""}, false, HTTP_AUTH_BASIC, "r"},
    {"basic without a realm", {"Basic"}, false, HTTP_AUTH_BASIC, NULL},
    {"basic, which is not wanted", {"Basic realm=\"r\""}, true, HTTP_AUTH_NONE, NULL},
    {"digest without algorithm", {"Digest realm=\"r\", nonce=\"n\""}, false, HTTP_AUTH_MD5, "r"},
    {"MD5 as a token", {"Digest algorithm=MD5,realm=\"r\",nonce=\"n\""}, false, HTTP_AUTH_MD5, "r"},
    {"MD5 in quotes", {"Digest algorithm=\"md5\", realm=\"r\", nonce=\"n\""}, false, HTTP_AUTH_MD5, "r"},
    {"MD5-sess",
     {"Digest algorithm=MD5-sess, realm=\"r\", nonce=\"n\", qop=\"auth\""},
     false,
     HTTP_AUTH_MD5_SESS,
     "r"},
    {"SHA-256",
     {"Digest algorithm=SHA-256, realm=\"r\", nonce=\"n\", qop=\"auth\""},
     false,
     HTTP_AUTH_SHA256,
     "r"},
    {"SHA-256-sess",
     {"Digest algorithm=sha-256-SESS, realm=\"r\", nonce=\"n\", qop=auth"},
     false,
     HTTP_AUTH_SHA256_SESS,
     "r"},
    {"SHA256 without a hyphen",
     {"Digest algorithm=SHA256, realm=\"r\", nonce=\"n\", qop=\"auth\""},
     false,
     HTTP_AUTH_SHA256,
     "r"},
    {"SHA256-sess without a hyphen",
     {"Digest algorithm=\"sha256-sess\", realm=\"r\", nonce=\"n\", qop=\"auth\""},
     false,
     HTTP_AUTH_SHA256_SESS,
     "r"},
    {"SHA256 without a hyphen over MD5",
     {"Digest realm=\"5\", nonce=\"n\", qop=\"auth\"",
      "Digest algorithm=SHA256, realm=\"256\", nonce=\"n\", qop=\"auth\""},
     false,
     HTTP_AUTH_SHA256,
     "256"},
    {"another hyphen",
     {"Digest algorithm=SHA-25-6, realm=\"r\", nonce=\"n\", qop=\"auth\""},
     false,
     HTTP_AUTH_NONE,
     NULL},
    {"a session without qop",
     {"Digest algorithm=MD5-sess, realm=\"r\", nonce=\"n\""},
     false,
     HTTP_AUTH_NONE,
     NULL},
    {"an algorithm nobody knows",
     {"Digest algorithm=SHA-512-256, realm=\"r\", nonce=\"n\""},
     false,
     HTTP_AUTH_NONE,
     NULL},
    {"qop with a choice",
     {"Digest realm=\"r\", nonce=\"n\", qop=\"auth-int, auth\""},
     false,
     HTTP_AUTH_MD5,
     "r"},
    {"qop auth-int alone",
     {"Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\""},
     false,
     HTTP_AUTH_NONE,
     NULL},
    {"qop like auth", {"Digest realm=\"r\", nonce=\"n\", qop=\"authx\""}, false, HTTP_AUTH_NONE, NULL},
    {"no nonce", {"Digest realm=\"r\""}, false, HTTP_AUTH_NONE, NULL},
    {"no realm", {"Digest nonce=\"n\""}, false, HTTP_AUTH_NONE, NULL},
    {"nonce twice", {"Digest realm=\"r\", nonce=\"n\", nonce=\"m\""}, false, HTTP_AUTH_NONE, NULL},
    {"unknown parameters",
     {"Digest realm=\"r\", nonce=\"n\", domain=\"/\", userhash=false, x=y"},
     false,
     HTTP_AUTH_MD5,
     "r"},
    {"blanks and empty items",
     {" ,, Digest  realm = \"r\" ,\t, nonce\t=\t\"n\" ,"},
     false,
     HTTP_AUTH_MD5,
     "r"},
    {"escapes in a quoted string",
     {"Basic realm=\"a\\\"b\\\\c, d=e\""},
     false,
     HTTP_AUTH_BASIC,
     "a\"b\\c, d=e"},
    {"an empty realm", {"Basic realm=\"\""}, false, HTTP_AUTH_BASIC, ""},
    {"nothing", {NULL}, false, HTTP_AUTH_NONE, NULL},
    {"an empty header", {""}, false, HTTP_AUTH_NONE, NULL},
    {"a scheme nobody knows", {"Bearer realm=\"r\""}, false, HTTP_AUTH_NONE, NULL},
    {"SHA-256 over MD5, two headers",
     {"Digest realm=\"5\", nonce=\"n\", qop=\"auth\"",
      "Digest algorithm=SHA-256, realm=\"256\", nonce=\"n\", qop=\"auth\""},
     false,
     HTTP_AUTH_SHA256,
     "256"},
    {"SHA-256 over MD5, the other way round",
     {"Digest algorithm=SHA-256, realm=\"256\", nonce=\"n\", qop=\"auth\"",
      "Digest realm=\"5\", nonce=\"n\", qop=\"auth\""},
     false,
     HTTP_AUTH_SHA256,
     "256"},
    {"digest over basic, one header",
     {"Basic realm=\"b\", Digest realm=\"d\", nonce=\"n\""},
     false,
     HTTP_AUTH_MD5,
     "d"},
    {"qop over none",
     {"Digest realm=\"old\", nonce=\"n\"", "Digest realm=\"new\", nonce=\"n\", qop=\"auth\""},
     false,
     HTTP_AUTH_MD5,
     "new"},
    {"the first of equals", {"Basic realm=\"1\"", "Basic realm=\"2\""}, false, HTTP_AUTH_BASIC, "1"},
    {"behind a token68", {"NTLM TlRMTVNTUAAC==, Basic realm=\"b\""}, false, HTTP_AUTH_BASIC, "b"},
    {"behind a scheme alone", {"Negotiate, Basic realm=\"b\""}, false, HTTP_AUTH_BASIC, "b"},
    {"behind a broken header", {"Digest realm=\"r", "Basic realm=\"b\""}, false, HTTP_AUTH_BASIC, "b"},
    {"unterminated string", {"Basic realm=\"r"}, false, HTTP_AUTH_NONE, NULL},
    {"escape at the end", {"Basic realm=\"r\\"}, false, HTTP_AUTH_NONE, NULL},
    {"no value", {"Digest realm=, nonce=\"n\", x"}, false, HTTP_AUTH_NONE, NULL},
    {"text behind a value", {"Basic realm=\"r\"x"}, false, HTTP_AUTH_NONE, NULL},
    {"no blank behind the scheme", {"Basic\"r\""}, false, HTTP_AUTH_NONE, NULL},
    {"a parameter without a scheme", {"realm=\"r\""}, false, HTTP_AUTH_NONE, NULL},
};

static void the_strongest_challenge_that_can_be_answered_is_chosen(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(choices); i++) {
        const choice_row_t *row = &choices[i];
        http_headers_t headers = {0};
        assert_int_equal(http_headers_append(&headers, "Content-Length", "0"), ESP_OK);
        for (size_t k = 0; k < COUNT(row->headers) && row->headers[k] != NULL; k++) {
            assert_int_equal(http_headers_append(&headers, "www-AUTHENTICATE", row->headers[k]), ESP_OK);
        }
        http_challenge_t chosen = {0};
        print_message("%s\n", row->name);
        esp_err_t want = row->want == HTTP_AUTH_NONE ? ESP_ERR_NOT_SUPPORTED : ESP_OK;
        assert_int_equal(http_auth_choose(&headers, NULL, row->no_basic, &chosen), want);
        assert_int_equal(chosen.scheme, row->want);
        if (row->realm != NULL) {
            assert_string_equal(chosen.realm, row->realm);
        }
        http_challenge_free(&chosen);
        http_headers_clear(&headers);
    }
}

static void a_text_of_the_application_counts_as_a_challenge(void **state)
{
    (void)state;
    const http_headers_t none = {0};
    http_challenge_t chosen;
    assert_int_equal(http_auth_choose(&none, "Digest realm=\"r\", nonce=\"n\", stale=TRUE", false, &chosen),
                     ESP_OK);
    assert_true(chosen.stale);
    assert_false(chosen.qop_auth);
    assert_null(chosen.algorithm);
    assert_null(chosen.opaque);
    http_challenge_free(&chosen);
    http_challenge_free(&chosen);
}

static void no_text_makes_the_parser_read_beyond_it(void **state)
{
    (void)state;
    static const char text[] = "NTLM abc==, Digest realm=\"a\\\"b\", nonce=\"n\", qop=\"auth,auth-int\", "
                               "stale=false, Basic realm=\"r\"";
    const http_headers_t none = {0};
    for (size_t len = 0; len < sizeof(text); len++) {
        for (size_t at = 0; at < len; at++) {
            char *copy = malloc(len + 1); /* exactly as long as the text, for the sanitizer */
            assert_non_null(copy);
            memcpy(copy, text, len);
            copy[len] = '\0';
            copy[at] = "\"\\,= \t\x01"[(at + len) % 7];
            http_challenge_t chosen = {0};
            if (http_auth_choose(&none, copy, false, &chosen) == ESP_OK) {
                assert_true(chosen.scheme != HTTP_AUTH_NONE);
            }
            http_challenge_free(&chosen);
            free(copy);
        }
    }
}

/* ---- answering ---- */

#define RFC7616_NONCE  "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define RFC7616_OPAQUE "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
#define RFC7616_CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
#define RFC7616(algorithm)                                                                                   \
    "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=" algorithm                   \
    ", nonce=\"" RFC7616_NONCE "\", opaque=\"" RFC7616_OPAQUE "\""
#define RFC7616_ANSWER(algorithm, response)                                                                  \
    "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", nonce=\"" RFC7616_NONCE                    \
    "\", uri=\"/dir/index.html\", algorithm=" algorithm ", response=\"" response                             \
    "\", qop=auth, nc=00000001, cnonce=\"" RFC7616_CNONCE "\", opaque=\"" RFC7616_OPAQUE "\""
#define MUFASA                                                                                               \
    {                                                                                                        \
        "Mufasa", "Circle of Life", "GET", "/dir/index.html", RFC7616_CNONCE, 1                              \
    }

typedef struct {
    const char *name;
    const char *challenge;
    http_auth_request_t request;
    esp_err_t want;
    const char *answer;
} answer_row_t;

static const answer_row_t answers[] = {
    {"RFC 7616, MD5", RFC7616("MD5"), MUFASA, ESP_OK,
     RFC7616_ANSWER("MD5", "8ca523f5e9506fed4657c9700eebdbec")},
    {"RFC 7616, SHA-256", RFC7616("SHA-256"), MUFASA, ESP_OK,
     RFC7616_ANSWER("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1")},
    {"MD5-sess", RFC7616("MD5-sess"), MUFASA, ESP_OK,
     RFC7616_ANSWER("MD5-sess", "e783283f46242139c486a698fec7211d")},
    {"SHA-256-sess", RFC7616("SHA-256-sess"), MUFASA, ESP_OK,
     RFC7616_ANSWER("SHA-256-sess", "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7")},
    {"RFC 2617",
     "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", "
     "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
     {"Mufasa", "Circle Of Life", "GET", "/dir/index.html", "0a4f113b", 1},
     ESP_OK,
     "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
     "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", "
     "response=\"6629fae49393a05397450978507c4ef1\", qop=auth, nc=00000001, cnonce=\"0a4f113b\", "
     "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""},
    {"RFC 2069",
     "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
     {"Mufasa", "CircleOfLife", "GET", "/dir/index.html", "0a4f113b", 1},
     ESP_OK,
     "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
     "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", "
     "response=\"1949323746fe6a43ef61f9606e7febea\""},
    {"quotes and backslashes",
     "Digest realm=\"q\\\"\\\\\", nonce=\"n\", algorithm=SHA-256",
     {"a\"b\\c", "p:w", "POST", "/x?y=1", "c", 1},
     ESP_OK,
     "Digest username=\"a\\\"b\\\\c\", realm=\"q\\\"\\\\\", nonce=\"n\", uri=\"/x?y=1\", algorithm=SHA-256, "
     "response=\"c9f4e745f75f4963405d4226abf90d9bc6ba328c20d84f7f56c916bb419d849e\""},
    {"a line break in the name",
     "Digest realm=\"r\", nonce=\"n\"",
     {"a\r\nX: y", "p", "GET", "/", "c", 1},
     ESP_ERR_INVALID_ARG,
     NULL},
    {"RFC 7617",
     "Basic realm=\"WallyWorld\"",
     {.user = "Aladdin", .password = "open sesame"},
     ESP_OK,
     "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
    {"RFC 7617, UTF-8",
     "Basic realm=\"foo\"",
     {.user = "test", .password = "123\xC2\xA3"},
     ESP_OK,
     "Basic dGVzdDoxMjPCow=="},
    {"basic without a password", "Basic", {.user = "u"}, ESP_OK, "Basic dTo="},
    {"basic, no padding", "Basic", {.user = "ab", .password = "cde"}, ESP_OK, "Basic YWI6Y2Rl"},
};

static void answers_are_those_of_the_standards(void **state)
{
    (void)state;
    const http_headers_t none = {0};
    for (size_t i = 0; i < COUNT(answers); i++) {
        const answer_row_t *row = &answers[i];
        print_message("%s\n", row->name);
        http_challenge_t challenge;
        assert_int_equal(http_auth_choose(&none, row->challenge, false, &challenge), ESP_OK);
        char *value = NULL;
        assert_int_equal(http_auth_answer(&challenge, &row->request, &value), row->want);
        if (row->want == ESP_OK) {
            assert_string_equal(value, row->answer);
        } else {
            assert_null(value);
        }
        free(value);
        http_challenge_free(&challenge);
    }
}

static void the_nonce_count_is_eight_hex_digits(void **state)
{
    (void)state;
    const http_headers_t none = {0};
    static const struct {
        uint32_t count;
        const char *text;
    } rows[] = {{1, "nc=00000001,"}, {16, "nc=00000010,"}, {UINT32_MAX, "nc=ffffffff,"}};
    http_challenge_t challenge;
    assert_int_equal(http_auth_choose(&none, RFC7616("MD5"), false, &challenge), ESP_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        http_auth_request_t request = MUFASA;
        request.nonce_count = rows[i].count;
        char *value = NULL;
        assert_int_equal(http_auth_answer(&challenge, &request, &value), ESP_OK);
        assert_non_null(strstr(value, rows[i].text));
        free(value);
    }
    http_challenge_free(&challenge);
}

static void nothing_is_answered_before_anything_is_asked(void **state)
{
    (void)state;
    const http_challenge_t nothing = {0};
    const http_auth_request_t request = MUFASA;
    char *value = NULL;
    assert_int_equal(http_auth_answer(&nothing, &request, &value), ESP_ERR_INVALID_ARG);
    assert_null(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_strongest_challenge_that_can_be_answered_is_chosen),
        cmocka_unit_test(a_text_of_the_application_counts_as_a_challenge),
        cmocka_unit_test(no_text_makes_the_parser_read_beyond_it),
        cmocka_unit_test(answers_are_those_of_the_standards),
        cmocka_unit_test(the_nonce_count_is_eight_hex_digits),
        cmocka_unit_test(nothing_is_answered_before_anything_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
