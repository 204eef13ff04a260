/* Ranges, dates and entity tags of server/conditions.c, over the edges of their numbers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

/* otter-serve is a program, not a library: the module comes in whole. */
#include "../../../server/conditions.c"

static const entity_t entity = {.size = 1000, .modified = 1000000000, .etag = "\"a-1\""};

static void ranges_are_cut_to_the_file(void **state)
{
    (void)state;
    static const struct {
        const char *field;
        uint64_t size;
        unsigned want;
        uint64_t first, len;
    } rows[] = {
        {"bytes=0-0", 1, 206, 0, 1},
        {"bytes=0-", 1, 206, 0, 1},
        {"bytes=1-", 1, 416, 0, 0},
        {"bytes=0-0", 0, 416, 0, 0},
        {"bytes=-1", 0, 200, 0, 0},
        {"bytes=-0", 5, 416, 0, 0},
        {"bytes=0-18446744073709551615", UINT64_MAX, 206, 0, UINT64_MAX},
        {"bytes=18446744073709551614-", UINT64_MAX, 206, UINT64_MAX - 1, 1},
        {"bytes=18446744073709551615-", UINT64_MAX, 416, 0, 0},
        {"bytes=18446744073709551616-18446744073709551617", UINT64_MAX, 416, 0, 0},
        {"bytes=-18446744073709551616", UINT64_MAX, 206, 0, UINT64_MAX},
        {"bytes=00000000000000000000000000000002-3", 9, 206, 2, 2},
        {"bytes=3-2", 9, 200, 0, 0},
        {"bytes=\t1-2\t", 9, 206, 1, 2},
        {"bytes=1 -2", 9, 200, 0, 0},
        {"bytes=1-2;", 9, 200, 0, 0},
        {"bytes", 9, 200, 0, 0},
        {"byte=1-2", 9, 200, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        byte_range_t range = {0, 0};
        unsigned got = range_parse(rows[i].field, rows[i].size, &range);
        if (got != rows[i].want || range.first != rows[i].first || range.len != rows[i].len) {
            fail_msg("'%s' of %llu: %u, %llu+%llu", rows[i].field, (unsigned long long)rows[i].size, got,
                     (unsigned long long)range.first, (unsigned long long)range.len);
        }
    }
}

static void dates_are_read_in_three_forms_and_written_in_one(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_date;
        time_t want;
    } rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", true, 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", true, 784111777},
        {"Sun Nov  6 08:49:37 1994", true, 784111777},
        {"Thu, 01 Jan 1970 00:00:00 GMT", true, 0},
        {"Sun, 06 Nov 1994 08:49:37 GMT ", false, 0},
        {"Sun, 06 Nov 1994 08:49:37", false, 0},
        {"Sun, 06 Nov 1994 08:49:37 +0100", false, 0},
        {"Sun, 99 Nov 1994 08:49:37 GMT", false, 0},
        {"1994-11-06T08:49:37Z", false, 0},
        {"784111777", false, 0},
        {"", false, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        time_t when = 0;
        bool got = http_date_parse(rows[i].text, &when);
        if (got != rows[i].is_date || when != rows[i].want) {
            fail_msg("'%s': %d, %lld", rows[i].text, got, (long long)when);
        }
    }
    char text[HTTP_DATE_SIZE];
    http_date_format(784111777, text);
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
}

static void a_date_that_does_not_fit_is_left_empty_rather_than_wrong(void **state)
{
    (void)state;
    char text[HTTP_DATE_SIZE];
    http_date_format((time_t)INT64_MAX, text);
    assert_string_equal(text, "");
    http_date_format((time_t)1000000000000, text); /* the year 33658: one digit too many */
    assert_string_equal(text, "");
}

static void tags_match_whole_elements_only(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        bool weak, strong;
    } rows[] = {
        {"\"a-1\"", true, true},
        {"W/\"a-1\"", true, false},
        {" ,\"x\",\t\"a-1\" ", true, true},
        {"*", true, true},
        {"a-1", false, false},
        {"\"a-1", false, false},
        {"\"a-1\"x", false, false},
        {"w/\"a-1\"", false, false},
        {"W/", false, false},
        {"\"a-1,\"a-1\"", true, true},
        {",", false, false},
        {"", false, false},
        {"\"x\" \"a-1\"", false, false},
        {"**", false, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (list_matches(rows[i].list, "\"a-1\"", true) != rows[i].weak ||
            list_matches(rows[i].list, "\"a-1\"", false) != rows[i].strong) {
            fail_msg("list '%s'", rows[i].list);
        }
    }
}

static void the_order_of_the_conditions_is_that_of_the_standard(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *fields[6]; /* name, value, ... */
        bool is_get;
        unsigned want;
    } rows[] = {
        {"nothing", {NULL}, true, 200},
        {"range", {"range", "bytes=1-2"}, true, 206},
        {"range of a head", {"Range", "bytes=1-2"}, false, 200},
        {"two ranges", {"Range", "bytes=1-2", "Range", "bytes=1-2"}, true, 200},
        {"412 first", {"If-None-Match", "\"a-1\"", "If-Match", "\"b\"", "Range", "bytes=5000-"}, true, 412},
        {"304 second", {"If-None-Match", "\"a-1\"", "Range", "bytes=5000-"}, true, 304},
        {"416 last", {"If-Match", "\"a-1\"", "Range", "bytes=5000-"}, true, 416},
        {"any field of a list", {"If-Match", "\"a-1\"", "If-Match", "\"b\""}, true, 200},
        {"other fields", {"Host", "x", "If-Else", "\"b\""}, true, 200},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        conditions_t conditions = {0};
        for (size_t f = 0; f < 6 && rows[i].fields[f] != NULL; f += 2) {
            conditions_add(&conditions, &entity, rows[i].fields[f], rows[i].fields[f + 1]);
        }
        byte_range_t range = {7, 7};
        unsigned got = conditions_decide(&conditions, &entity, rows[i].is_get, &range);
        if (got != rows[i].want) {
            fail_msg("%s: %u", rows[i].name, got);
        }
        if (got == 416 || got == 412 || got == 304) {
            assert_int_equal(range.first, 7); /* untouched */
        }
    }
}

static void a_field_without_value_is_passed_over(void **state)
{
    (void)state;
    conditions_t conditions = {0};
    conditions_add(&conditions, &entity, "Range", NULL);
    assert_int_equal(conditions.range_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_cut_to_the_file),
        cmocka_unit_test(dates_are_read_in_three_forms_and_written_in_one),
        cmocka_unit_test(a_date_that_does_not_fit_is_left_empty_rather_than_wrong),
        cmocka_unit_test(tags_match_whole_elements_only),
        cmocka_unit_test(the_order_of_the_conditions_is_that_of_the_standard),
        cmocka_unit_test(a_field_without_value_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
