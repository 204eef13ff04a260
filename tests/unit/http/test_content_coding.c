/* Content-Encoding: what is compressed is seen, what changes no byte is let pass. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/content_coding.h"

static void words_that_change_the_body_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second; /* values of two headers; NULL: there is none */
        const char *strict, *lenient;
    } rows[] = {
        {NULL, NULL, NULL, NULL},
        {"", NULL, NULL, NULL},
        {" , ,", "", NULL, NULL},
        {"identity", NULL, NULL, NULL},
        {"IDENTITY", "Identity", NULL, NULL},
        {"aws-chunked", NULL, NULL, NULL},
        {"aws-chunked,identity", "utf-8 ,\tbinary", NULL, NULL},
        {"gzip", NULL, "gzip", "gzip"},
        {"GZip", NULL, "GZip", "GZip"},
        {"identity, gzip", NULL, "gzip", "gzip"},
        {"aws-chunked,br", NULL, "br", "br"},
        {"identity", "x-gzip", "x-gzip", "x-gzip"},
        {"none", "deflate, identity", "deflate", "deflate"},
        {"zstd;q=1", NULL, "zstd;q=1", NULL},
        {"shrunk", NULL, "shrunk", NULL},
        {"gzipped", NULL, "gzipped", NULL},
        {"a-word-that-is-longer-than-what-is-kept-of-it", NULL, "a-word-that-is-longer-than-w...", NULL},
        {"a-word-that-is-longer-than-what-is-kept-of-it, br", NULL, "a-word-that-is-longer-than-w...", "br"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        http_headers_t headers = {0};
        assert_int_equal(http_headers_append(&headers, "X-Other", "gzip"), ESP_OK);
        if (rows[i].first != NULL) {
            assert_int_equal(http_headers_append(&headers, "Content-Encoding", rows[i].first), ESP_OK);
        }
        if (rows[i].second != NULL) {
            assert_int_equal(http_headers_append(&headers, "content-encoding", rows[i].second), ESP_OK);
        }
        for (int lenient = 0; lenient < 2; lenient++) {
            char word[CONTENT_CODING_WORD_SIZE];
            const char *want = lenient ? rows[i].lenient : rows[i].strict;
            assert_int_equal(content_coding_find(&headers, lenient, word), want != NULL);
            if (want != NULL) {
                assert_string_equal(word, want);
            }
        }
        http_headers_clear(&headers);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_that_change_the_body_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
