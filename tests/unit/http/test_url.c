/* URLs: what is accepted, how it is split, and what a Location means on a page. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/url.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void assert_text(const char *got, const char *want, const char *row)
{
    if (got == NULL || want == NULL ? got != want : strcmp(got, want) != 0) {
        fail_msg("%s: got \"%s\", want \"%s\"", row, got ? got : "(null)", want ? want : "(null)");
    }
}

static void parse_splits_a_url(void **state)
{
    (void)state;
    static const struct {
        const char *text, *scheme, *host;
        uint16_t port;
        const char *path, *query, *user, *password;
    } rows[] = {
        {"https://a.example/fw.bin", "https", "a.example", 443, "/fw.bin", NULL, NULL, NULL},
        {"http://a.example", "http", "a.example", 80, "/", NULL, NULL, NULL},
        {"HTTPS://A.Example:8070/X?y=1#frag", "https", "a.example", 8070, "/X", "y=1", NULL, NULL},
        {"https://h/?a=b?c", "https", "h", 443, "/", "a=b?c", NULL, NULL},
        {"https://[::1]:8443/x", "https", "::1", 8443, "/x", NULL, NULL, NULL},
        {"https://[FE80::1]/x", "https", "fe80::1", 443, "/x", NULL, NULL, NULL},
        {"http://[fe80::1%25eth0]/x", "http", "fe80::1%eth0", 80, "/x", NULL, NULL, NULL},
        {"http://[FE80::1%Eth0]:81/x", "http", "fe80::1%Eth0", 81, "/x", NULL, NULL, NULL},
        {"http://[fe80::1%25]/x", "http", "fe80::1%25", 80, "/x", NULL, NULL, NULL},
        {"http://[fe80::1%252]/x", "http", "fe80::1%2", 80, "/x", NULL, NULL, NULL},
        {"https://u:p@h/x", "https", "h", 443, "/x", NULL, "u", "p"},
        {"https://u%40x:p%3aq@h/x", "https", "h", 443, "/x", NULL, "u@x", "p:q"},
        {"https://u@h/x", "https", "h", 443, "/x", NULL, "u", NULL},
        {"https://192.168.0.3:8070/hello-world.bin", "https", "192.168.0.3", 8070, "/hello-world.bin", NULL,
         NULL, NULL},
        {"https://h/a%20b/%C3%A9", "https", "h", 443, "/a%20b/%C3%A9", NULL, NULL, NULL},
        {"https://h/\xC3\xA9", "https", "h", 443, "/%C3%A9", NULL, NULL, NULL},
        {"ftp://h:21/x", "ftp", "h", 21, "/x", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        http_url_t url;
        assert_int_equal(http_url_parse(rows[i].text, &url), ESP_OK);
        assert_text(url.scheme, rows[i].scheme, rows[i].text);
        assert_text(url.host, rows[i].host, rows[i].text);
        assert_int_equal(url.port, rows[i].port);
        assert_text(url.path, rows[i].path, rows[i].text);
        assert_text(url.query, rows[i].query, rows[i].text);
        assert_text(url.user, rows[i].user, rows[i].text);
        assert_text(url.password, rows[i].password, rows[i].text);
        http_url_free(&url);
    }
}

static void parse_refuses_what_is_not_a_url(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "x",
        "/path",
        "//host/path",
        "https://",
        "https:///x",
        "https://:443/x",
        "https://h:0/x",
        "https://h:65536/x",
        "https://h:-1/x",
        "https://h:44x/x",
        "https://h /x",
        "https://h/a b",
        "https://h/a\r\nX-Evil: 1",
        "https://h/a\n",
        "https://h/\x7f",
        "https://h/\x01",
        "https://h\t/",
        "https://[::1/x",
        "https://::1/x",
        "https://[1]/x",
        "https://[1\xd4]/x",
        "https://u%4:p@h/",
        "https://u%00:p@h/",
        "https://u@v@h/",
        "http s://h/",
        "https//h/",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        http_url_t url;
        if (http_url_parse(rows[i], &url) != ESP_ERR_INVALID_ARG) {
            fail_msg("accepted \"%s\"", rows[i]);
        }
    }
}

static void parse_bounds_the_length(void **state)
{
    (void)state;
    char *text = malloc(HTTP_URL_MAX + 2);
    memset(text, 'a', HTTP_URL_MAX + 1);
    memcpy(text, "https://h/", 10);
    text[HTTP_URL_MAX] = '\0';
    http_url_t url;
    assert_int_equal(http_url_parse(text, &url), ESP_OK);
    assert_int_equal(strlen(url.path), HTTP_URL_MAX - 9);
    http_url_free(&url);
    text[HTTP_URL_MAX] = 'a';
    text[HTTP_URL_MAX + 1] = '\0';
    assert_int_equal(http_url_parse(text, &url), ESP_ERR_INVALID_ARG);

    memset(text + 10, 0xC3, HTTP_URL_MAX - 10); /* grows threefold by percent-encoding */
    text[HTTP_URL_MAX] = '\0';
    assert_int_equal(http_url_parse(text, &url), ESP_OK);
    assert_int_equal(strlen(url.path), 1 + 3 * (HTTP_URL_MAX - 10));
    http_url_free(&url);
    free(text);
}

static void resolve_gives_the_target_of_a_reference(void **state)
{
    (void)state;
    static const struct {
        const char *reference, *want; /* want: scheme://host:port/path?query */
    } rows[] = {
        {"/y", "https://a:8070/y?"},
        {"y", "https://a:8070/b/c/y?"},
        {"./y", "https://a:8070/b/c/y?"},
        {"../y", "https://a:8070/b/y?"},
        {"../../../y", "https://a:8070/y?"},
        {"y/..", "https://a:8070/b/c/?"},
        {"/x/./z/../y?q=../1", "https://a:8070/x/y?q=../1"},
        {"?k=v", "https://a:8070/b/c/d?k=v"},
        {"", "https://a:8070/b/c/d?"},
        {"#top", "https://a:8070/b/c/d?"},
        {"//other/z", "https://other:443/z?"},
        {"http://other/z", "http://other:80/z?"},
        {"HTTP://Other:81", "http://other:81/?"},
        {"y:z", NULL}, /* a scheme without a host */
        {"/a b", NULL},
        {"/a\r\nSet-Cookie: x", NULL},
        {"//", NULL},
    };
    http_url_t base;
    assert_int_equal(http_url_parse("https://u:p@a:8070/b/c/d?e=f", &base), ESP_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        http_url_t url;
        esp_err_t err = http_url_resolve(&base, rows[i].reference, &url);
        if (rows[i].want == NULL) {
            assert_int_equal(err, ESP_ERR_INVALID_ARG);
            continue;
        }
        assert_int_equal(err, ESP_OK);
        char got[200];
        snprintf(got, sizeof(got), "%s://%s:%u%s?%s", url.scheme, url.host, url.port, url.path,
                 url.query != NULL ? url.query : "");
        assert_text(got, rows[i].want, rows[i].reference);
        assert_null(url.user);
        http_url_free(&url);
    }
    http_url_free(&base);
}

static void a_location_may_have_blanks_in_it(void **state)
{
    (void)state;
    static const struct {
        const char *location, *path, *query; /* path NULL: refused */
    } rows[] = {
        {"/a b", "/a%20b", NULL},
        {"a  b.bin?x= y z", "/b/a%20%20b.bin", "x=%20y%20z"},
        {"https://a:8070/a%20b c", "/a%20b%20c", NULL},
        {"/plain", "/plain", NULL},
        {"https://a b/c", NULL, NULL},
        {"/a\tb", NULL, NULL},
        {"/a\r\nb", NULL, NULL},
    };
    http_url_t base;
    assert_int_equal(http_url_parse("https://a:8070/b/c", &base), ESP_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        http_url_t url;
        assert_int_equal(http_url_follow(&base, rows[i].location, &url),
                         rows[i].path != NULL ? ESP_OK : ESP_ERR_INVALID_ARG);
        if (rows[i].path != NULL) {
            assert_text(url.path, rows[i].path, rows[i].location);
            assert_text(url.query, rows[i].query, rows[i].location);
            http_url_free(&url);
        }
    }
    http_url_free(&base);
}

static void a_zone_stays_with_the_references_of_its_page(void **state)
{
    (void)state;
    static const char *const pages[] = {"http://[fe80::1%25eth0]:81/x", "http://[fe80::1%25]:81/x",
                                        "http://[fe80::1%252]:81/x", "http://[fe80::1%2525]:81/x"};
    for (size_t i = 0; i < COUNT(pages); i++) {
        http_url_t base, url;
        char text[80];
        assert_int_equal(http_url_parse(pages[i], &base), ESP_OK);
        assert_int_equal(http_url_resolve(&base, "/y", &url), ESP_OK);
        assert_text(url.host, base.host, pages[i]);
        assert_true(http_url_same_origin(&base, &url));
        http_url_free(&url);
        (void)http_url_print(&base, false, text, sizeof(text));
        assert_int_equal(http_url_parse(text, &url), ESP_OK);
        assert_text(url.host, base.host, text);
        http_url_free(&url);
        http_url_free(&base);
    }
}

static void host_header_names_a_port_only_when_it_is_unusual(void **state)
{
    (void)state;
    static const struct {
        const char *url, *want;
    } rows[] = {
        {"https://a/", "a"},
        {"https://a:443/", "a"},
        {"https://a:8443/", "a:8443"},
        {"http://a/", "a"},
        {"http://a:443/", "a:443"},
        {"https://[::1]/", "[::1]"},
        {"http://[::1]:81/", "[::1]:81"},
        {"http://[fe80::1%25eth0]/", "[fe80::1]"},
        {"http://[fe80::1%eth0]:81/", "[fe80::1]:81"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        http_url_t url;
        char got[100];
        assert_int_equal(http_url_parse(rows[i].url, &url), ESP_OK);
        http_url_host_header(&url, got, sizeof(got));
        assert_text(got, rows[i].want, rows[i].url);
        http_url_free(&url);
    }
}

static void same_origin_needs_scheme_host_and_port(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool want;
    } rows[] = {
        {"https://a/x", "https://A:443/y", true}, {"https://a/", "http://a/", false},
        {"https://a/", "http://a:443/", false},   {"https://a/", "https://a:444/", false},
        {"https://a/", "https://b/", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        http_url_t a, b;
        assert_int_equal(http_url_parse(rows[i].a, &a), ESP_OK);
        assert_int_equal(http_url_parse(rows[i].b, &b), ESP_OK);
        assert_int_equal(http_url_same_origin(&a, &b), rows[i].want);
        http_url_free(&a);
        http_url_free(&b);
    }
}

static void a_url_as_text_has_all_but_credentials(void **state)
{
    (void)state;
    static const struct {
        const char *url, *want, *short_want;
    } rows[] = {
        {"https://h/a?b=c#d", "https://h:443/a?b=c", "https://h:443/a"},
        {"HTTP://user:secret@[::1]:8080", "http://[::1]:8080/", "http://[::1]:8080/"},
        {"https://h/?", "https://h:443/", "https://h:443/"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        http_url_t url;
        char brief[64], eight[8];
        assert_int_equal(http_url_parse(rows[i].url, &url), ESP_OK);
        char *text = http_url_text(&url);
        assert_string_equal(text, rows[i].want);
        assert_int_equal(http_url_print(&url, false, brief, sizeof(brief)), strlen(rows[i].short_want));
        assert_string_equal(brief, rows[i].short_want);
        assert_int_equal(http_url_print(&url, false, eight, sizeof(eight)), strlen(rows[i].short_want));
        assert_memory_equal(eight, brief, 7);
        free(text);
        http_url_free(&url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_splits_a_url),
        cmocka_unit_test(parse_refuses_what_is_not_a_url),
        cmocka_unit_test(parse_bounds_the_length),
        cmocka_unit_test(resolve_gives_the_target_of_a_reference),
        cmocka_unit_test(a_location_may_have_blanks_in_it),
        cmocka_unit_test(a_zone_stays_with_the_references_of_its_page),
        cmocka_unit_test(host_header_names_a_port_only_when_it_is_unusual),
        cmocka_unit_test(a_url_as_text_has_all_but_credentials),
        cmocka_unit_test(same_origin_needs_scheme_host_and_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
