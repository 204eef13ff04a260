/* Content-Range as the download reads it: digits and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ota/https_source.h"

static void content_range_is_read_by_its_grammar(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        uint64_t first;
        int64_t total;
    } rows[] = {
        {"bytes 0-9/10", true, 0, 10},
        {"Bytes 5-9/*", true, 5, -1},
        {"bytes 0-9223372036854775806/9223372036854775807", true, 0, INT64_MAX},
        {NULL, false, 0, 0},
        {"", false, 0, 0},
        {"bytes */10", false, 0, 0},
        {"bytes 9-5/10", false, 0, 0},
        {"bytes 0-10/10", false, 0, 0},
        {"bytes 5--1/*", false, 0, 0},
        {"bytes +5-9/10", false, 0, 0},
        {"bytes  5-9/10", false, 0, 0},
        {"bytes5-9/10", false, 0, 0},
        {"bytes 5-9/10 ", false, 0, 0},
        {"bytes 5-9/9223372036854775808", false, 0, 0},
        {"items 0-9/10", false, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t first = 77;
        int64_t total = 77;
        if (https_parse_content_range(rows[i].text, &first, &total) != rows[i].good) {
            fail_msg("\"%s\" is %s", rows[i].text, rows[i].good ? "refused" : "accepted");
        }
        assert_int_equal(first, rows[i].good ? rows[i].first : 77);
        assert_int_equal(total, rows[i].good ? rows[i].total : 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(content_range_is_read_by_its_grammar)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
