/*
 * Authentication challenges and our answers to them.
 * Input: flags (1: no Basic), then lines: user, password, request target, two WWW-Authenticate values, one more challenge.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#include "fuzz.h"
#include "http/auth.h"
#include "otter/promise.h"
#include "reference.h"

#define CNONCE "0123456789abcdef"
#define COUNT  7u

/** Value of one parameter of our answer, unescaped, for the caller to free; NULL if it is not there exactly once. */
static char *param(const char *answer, const char *name)
{
    char *found = NULL;
    const char *p = strchr(answer, ' ');
    FUZZ_CHECK(p != NULL, "%s", answer);
    while (*p != '\0') {
        p += strspn(p, " ,");
        size_t name_len = strcspn(p, "=");
        bool wanted = name_len == strlen(name) && strncmp(p, name, name_len) == 0;
        FUZZ_CHECK(p[name_len] == '=' && name_len > 0, "not a parameter: %s", p);
        p += name_len + 1;
        bool quoted = *p == '"';
        p += quoted ? 1 : 0;
        char *value = malloc(strlen(p) + 1), *to = value;
        FUZZ_CHECK(value != NULL, "no memory");
        while (*p != '\0' && (quoted ? *p != '"' : *p != ',')) {
            p += quoted && *p == '\\' ? 1 : 0;
            *to++ = *p++;
        }
        *to = '\0';
        FUZZ_CHECK(!quoted || *p++ == '"', "an open quote: %s", answer);
        if (wanted) {
            FUZZ_CHECK(found == NULL, "%s is there twice: %s", name, answer);
            found = value;
        } else {
            free(value);
        }
    }
    return found;
}

static void check_param(const char *answer, const char *name, const char *want)
{
    char *value = param(answer, name);
    FUZZ_CHECK((value == NULL) == (want == NULL) && (want == NULL || strcmp(value, want) == 0),
               "%s is %s, should be %s", name, value, want);
    free(value);
}

/** Hexadecimal digest of pieces with colons between; the list ends in NULL. The caller frees. */
static char *digest(const EVP_MD *md, const char *const pieces[])
{
    size_t len = 1;
    for (size_t i = 0; pieces[i] != NULL; i++) {
        len += strlen(pieces[i]) + 1;
    }
    char *text = calloc(1, len), *hex = malloc(2 * EVP_MAX_MD_SIZE + 1);
    FUZZ_CHECK(text != NULL && hex != NULL, "no memory");
    size_t used = 0;
    for (size_t i = 0; pieces[i] != NULL; i++) {
        used += (size_t)snprintf(text + used, len - used, "%s%s", i > 0 ? ":" : "", pieces[i]);
    }
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned n;
    FUZZ_CHECK(EVP_Digest(text, used, raw, &n, md, NULL) == 1, "digest");
    for (unsigned i = 0; i < n; i++) {
        snprintf(hex + 2 * (size_t)i, 3, "%02x", raw[i]);
    }
    free(text);
    return hex;
}

/** RFC 7616, section 3.4.1, in so many words. */
static void check_digest(const http_challenge_t *c, const http_auth_request_t *r, const char *answer)
{
    bool sha = c->scheme == HTTP_AUTH_SHA256 || c->scheme == HTTP_AUTH_SHA256_SESS;
    bool session = c->scheme == HTTP_AUTH_MD5_SESS || c->scheme == HTTP_AUTH_SHA256_SESS;
    const EVP_MD *md = sha ? EVP_sha256() : EVP_md5();
    char *a1 = digest(md, (const char *[]){r->user, c->realm, r->password, NULL});
    if (session) {
        char *plain = a1;
        a1 = digest(md, (const char *[]){plain, c->nonce, CNONCE, NULL});
        free(plain);
    }
    char *a2 = digest(md, (const char *[]){r->method, r->uri, NULL});
    char *response = c->qop_auth
                         ? digest(md, (const char *[]){a1, c->nonce, "00000007", CNONCE, "auth", a2, NULL})
                         : digest(md, (const char *[]){a1, c->nonce, a2, NULL});
    check_param(answer, "response", response);
    check_param(answer, "username", r->user);
    check_param(answer, "realm", c->realm);
    check_param(answer, "nonce", c->nonce);
    check_param(answer, "uri", r->uri);
    check_param(answer, "opaque", c->opaque);
    check_param(answer, "algorithm", c->algorithm);
    check_param(answer, "qop", c->qop_auth ? "auth" : NULL);
    check_param(answer, "nc", c->qop_auth ? "00000007" : NULL);
    check_param(answer, "cnonce", c->qop_auth ? CNONCE : NULL);
    free(response);
    free(a2);
    free(a1);
}

static void check_basic(const http_auth_request_t *r, const char *answer)
{
    size_t len = strlen(r->user) + strlen(r->password) + 1;
    char *plain = malloc(len + 1), *want = malloc(len * 2 + 16);
    FUZZ_CHECK(plain != NULL && want != NULL, "no memory");
    snprintf(plain, len + 1, "%s:%s", r->user, r->password);
    size_t used = (size_t)sprintf(want, "Basic ");
    EVP_EncodeBlock((unsigned char *)want + used, (const unsigned char *)plain, (int)len);
    FUZZ_CHECK(strcmp(want, answer) == 0, "%s, should be %s", answer, want);
    free(plain);
    free(want);
}

static bool has_control(const char *text)
{
    for (; text != NULL && *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7F) {
            return true;
        }
    }
    return false;
}

static void check_answer(const http_challenge_t *c, const http_auth_request_t *r)
{
    char *answer = NULL;
    esp_err_t err = http_auth_answer(c, r, &answer);
    if (err != ESP_OK) {
        FUZZ_CHECK(err == ESP_ERR_INVALID_ARG, "0x%x", err);
        FUZZ_CHECK(has_control(r->user) || has_control(c->realm) || has_control(c->nonce) ||
                       has_control(c->opaque),
                   "refused for no reason");
        return;
    }
    FUZZ_CHECK(!has_control(answer), "the answer breaks its line: %s", answer);
    if (c->scheme == HTTP_AUTH_BASIC) {
        check_basic(r, answer);
    } else {
        check_digest(c, r, answer);
    }
    free(answer);
}

static size_t quote(char *to, const char *name, const char *value)
{
    char *start = to;
    to += sprintf(to, ", %s=\"", name);
    for (; *value != '\0'; value++) {
        to += sprintf(to, *value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
    }
    *to++ = '"';
    *to = '\0';
    return (size_t)(to - start);
}

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/** What was chosen, written as a challenge again, is chosen again. */
static void check_round_trip(const http_challenge_t *c)
{
    size_t room =
        128 + 2 * (strlen(c->realm) + strlen(c->nonce) + (c->opaque != NULL ? strlen(c->opaque) : 0));
    char *text = malloc(room);
    FUZZ_CHECK(text != NULL, "no memory");
    size_t used = (size_t)sprintf(text, "Digest x=y");
    used += quote(text + used, "realm", c->realm);
    used += quote(text + used, "nonce", c->nonce);
    used += c->opaque != NULL ? quote(text + used, "opaque", c->opaque) : 0;
    used += c->qop_auth ? quote(text + used, "qop", "auth-int,auth") : 0;
    used += c->stale ? (size_t)sprintf(text + used, ", stale=TRUE") : 0;
    if (c->algorithm != NULL) {
        sprintf(text + used, ", algorithm=%s", c->algorithm);
    }
    http_headers_t none = {0};
    http_challenge_t again;
    FUZZ_CHECK(http_auth_choose(&none, text, true, &again) == ESP_OK, "not understood: %s", text);
    FUZZ_CHECK(again.scheme == c->scheme && again.qop_auth == c->qop_auth && again.stale == c->stale &&
                   same(again.realm, c->realm) && same(again.nonce, c->nonce) &&
                   same(again.opaque, c->opaque) && same(again.algorithm, c->algorithm),
               "another challenge: %s", text);
    http_challenge_free(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t in = {data, size};
    bool no_basic = (fuzz_u8(&in) & 1) != 0;
    char *texts[6];
    for (int i = 0; i < 6; i++) {
        texts[i] = fuzz_text(fuzz_until(&in, '\n'));
    }
    http_headers_t headers = {0};
    for (int i = 3; i < 5; i++) {
        otter_ignore(http_headers_append(&headers, "WWW-Authenticate",
                                         texts[i])); /* with a control character there is none */
    }
    http_challenge_t challenge;
    esp_err_t err = http_auth_choose(&headers, texts[5], no_basic, &challenge);
    FUZZ_CHECK(err == ESP_OK || err == ESP_ERR_NOT_SUPPORTED, "0x%x", err);
    if (err == ESP_OK) {
        FUZZ_CHECK(challenge.scheme != HTTP_AUTH_NONE && !(no_basic && challenge.scheme == HTTP_AUTH_BASIC),
                   "scheme %d", (int)challenge.scheme);
        const http_auth_request_t request = {.user = texts[0],
                                             .password = texts[1],
                                             .method = "GET",
                                             .uri = has_control(texts[2]) ? "/" : texts[2],
                                             .cnonce = CNONCE,
                                             .nonce_count = COUNT};
        check_answer(&challenge, &request);
        if (challenge.scheme != HTTP_AUTH_BASIC) {
            FUZZ_CHECK(challenge.realm != NULL && challenge.nonce != NULL, "Digest without realm or nonce");
            check_round_trip(&challenge);
        }
        http_challenge_free(&challenge);
    }
    http_headers_clear(&headers);
    for (int i = 0; i < 6; i++) {
        free(texts[i]);
    }
    return 0;
}
