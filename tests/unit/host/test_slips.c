/* How far words are apart. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/slips.h"

static void slips_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *typed, *name;
        size_t want;
    } rows[] = {
        {"", "", 0},
        {"offset", "offset", 0},
        {"", "abc", 3},
        {"abc", "", 3},
        {"ofset", "offset", 1},
        {"offfset", "offset", 1},
        {"offsat", "offset", 1},
        {"offste", "offset", 1},
        {"tabel", "table", 1},
        {"ca", "abc", 3},
        {"ba", "ab", 1},
        {"completely", "else", 8},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t got = slips_between(rows[i].typed, rows[i].name);
        if (got != rows[i].want) {
            fail_msg("%s, %s: %zu", rows[i].typed, rows[i].name, got);
        }
    }
}

static void a_word_of_any_length_is_compared(void **state)
{
    (void)state;
    char typed[5001];
    for (size_t i = 0; i < sizeof(typed) - 1; i++) {
        typed[i] = 'x';
    }
    typed[sizeof(typed) - 1] = '\0';
    assert_int_equal(slips_between(typed, "xx"), sizeof(typed) - 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slips_are_counted),
        cmocka_unit_test(a_word_of_any_length_is_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
