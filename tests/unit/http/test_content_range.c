/* Content-Range by its grammar: digits and nothing else. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/content_range.h"

static void content_range_is_read_by_its_grammar(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        content_range_t want;
    } rows[] = {
        {"bytes 0-9/10", true, {true, 0, 9, 10}},
        {"Bytes 5-9/*", true, {true, 5, 9, -1}},
        {"BYTES 007-9/0010", true, {true, 7, 9, 10}},
        {"bytes 0-9223372036854775806/9223372036854775807", true, {true, 0, INT64_MAX - 1, INT64_MAX}},
        {"bytes */10", true, {false, 0, 0, 10}},
        {"bYtEs */0", true, {false, 0, 0, 0}},
        {"bytes */9223372036854775807", true, {false, 0, 0, INT64_MAX}},
        {NULL, false, {0}},
        {"", false, {0}},
        {"bytes", false, {0}},
        {"bytes ", false, {0}},
        {"bytes *", false, {0}},
        {"bytes */", false, {0}},
        {"bytes */*", false, {0}},
        {"bytes */10 ", false, {0}},
        {"bytes */-1", false, {0}},
        {"bytes *-9/10", false, {0}},
        {"bytes */9223372036854775808", false, {0}},
        {"bytes 9-5/10", false, {0}},
        {"bytes 9-5/*", false, {0}},
        {"bytes 0-10/10", false, {0}},
        {"bytes 0-0/0", false, {0}},
        {"bytes 0-9", false, {0}},
        {"bytes 0-/10", false, {0}},
        {"bytes -9/10", false, {0}},
        {"bytes 5--1/*", false, {0}},
        {"bytes +5-9/10", false, {0}},
        {"bytes 5 -9/10", false, {0}},
        {"bytes  5-9/10", false, {0}},
        {"bytes\t5-9/10", false, {0}},
        {"bytes5-9/10", false, {0}},
        {"bytes=5-9/10", false, {0}},
        {"bytes 5-9/10 ", false, {0}},
        {"bytes 5-9/10,", false, {0}},
        {"bytes 5-9/**", false, {0}},
        {"bytes 5-9/9223372036854775808", false, {0}},
        {"bytes 5-99999999999999999999/*", false, {0}},
        {"items 0-9/10", false, {0}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        content_range_t range = {.first = 77, .last = 77, .total = 77};
        const content_range_t before = range;
        if (content_range_parse(rows[i].text, &range) != rows[i].good) {
            fail_msg("\"%s\" is %s", rows[i].text, rows[i].good ? "refused" : "accepted");
        }
        const content_range_t *want = rows[i].good ? &rows[i].want : &before;
        assert_int_equal(range.satisfied, want->satisfied);
        assert_int_equal(range.first, want->first);
        assert_int_equal(range.last, want->last);
        assert_int_equal(range.total, want->total);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(content_range_is_read_by_its_grammar)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
