/* The header list: order, names without case, and no way to smuggle a line break in. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "http/headers.h"

static void set_replaces_in_place_whatever_the_case(void **state)
{
    (void)state;
    http_headers_t list = {0};
    assert_int_equal(http_headers_set(&list, "User-Agent", "a"), ESP_OK);
    assert_int_equal(http_headers_set(&list, "Host", "h"), ESP_OK);
    assert_int_equal(http_headers_set(&list, "user-agent", "  b c \t"), ESP_OK);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0].key, "user-agent");
    assert_string_equal(list.items[0].value, "b c");
    assert_string_equal(http_headers_get(&list, "HOST"), "h");
    assert_null(http_headers_get(&list, "Hos"));
    http_headers_clear(&list);
}

static void append_keeps_order_and_repetition(void **state)
{
    (void)state;
    http_headers_t list = {0};
    for (int i = 0; i < 100; i++) {
        char value[8];
        snprintf(value, sizeof(value), "%d", i);
        assert_int_equal(http_headers_append(&list, i % 2 ? "Odd" : "Even", value), ESP_OK);
    }
    assert_string_equal(http_headers_get(&list, "odd"), "1");
    assert_string_equal(list.items[99].value, "99");
    assert_int_equal(http_headers_remove(&list, "odd"), ESP_OK);
    assert_int_equal(list.count, 50);
    assert_string_equal(list.items[49].value, "98");
    assert_int_equal(http_headers_remove(&list, "odd"), ESP_ERR_NOT_FOUND);
    http_headers_clear(&list);
    assert_int_equal(list.count, 0);
}

static void impossible_names_and_values_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value;
    } rows[] = {
        {"", "v"},       {" ", "v"},     {"a b", "v"},          {"a:", "v"},
        {"a\r\nb", "v"}, {"a\x80", "v"}, {"a", "v\r\nEvil: 1"}, {"a", "v\nEvil"},
        {"a", "v\x01"},  {"a", "v\x7f"},
    };
    http_headers_t list = {0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(http_headers_set(&list, rows[i].key, rows[i].value), ESP_ERR_INVALID_ARG);
        assert_int_equal(http_headers_append(&list, rows[i].key, rows[i].value), ESP_ERR_INVALID_ARG);
    }
    assert_int_equal(list.count, 0);
    assert_int_equal(http_headers_set(&list, "X-A", "caf\xC3\xA9\tx"), ESP_OK);
    http_headers_clear(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_replaces_in_place_whatever_the_case),
        cmocka_unit_test(append_keeps_order_and_repetition),
        cmocka_unit_test(impossible_names_and_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
