/* Numbers that people type (port/host/number.h). */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "host/number.h"

#define REFUSED UINT64_C(0xBAD)

static void both_readings_take_plain_numbers_only(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t min, max, number, size; /* as a number, as a size */
    } rows[] = {
        {"0", 0, 9, 0, 0},
        {"0", 1, 9, REFUSED, REFUSED},
        {"9", 1, 9, 9, 9},
        {"10", 1, 9, REFUSED, REFUSED},
        {"0x1F", 0, 99, 31, 31},
        {"0X1f", 0, 99, 31, 31},
        {"0x00f", 0, 99, 15, 15},
        {"010", 0, 99, REFUSED, REFUSED},
        {"00", 0, 99, REFUSED, REFUSED},
        {"", 0, 99, REFUSED, REFUSED},
        {"0x", 0, 99, REFUSED, REFUSED},
        {" 5", 0, 99, REFUSED, REFUSED},
        {"5 ", 0, 99, REFUSED, REFUSED},
        {"+5", 0, 99, REFUSED, REFUSED},
        {"-5", 0, UINT64_MAX, REFUSED, REFUSED},
        {"5_0", 0, 99, REFUSED, REFUSED},
        {"a", 0, 99, REFUSED, REFUSED},
        {"4K", 1, UINT64_MAX, REFUSED, 4096},
        {"4kb", 1, UINT64_MAX, REFUSED, 4096},
        {"0x4M", 1, UINT64_MAX, REFUSED, 4 << 20},
        {"2GB", 1, UINT64_MAX, REFUSED, UINT64_C(2) << 30},
        {"2G", 1, (UINT64_C(2) << 30) - 1, REFUSED, REFUSED},
        {"1K", 1025, UINT64_MAX, REFUSED, REFUSED},
        {"0K", 0, 99, REFUSED, 0},
        {"4KK", 1, UINT64_MAX, REFUSED, REFUSED},
        {"K", 0, 99, REFUSED, REFUSED},
        {"18446744073709551615", 0, UINT64_MAX, UINT64_MAX, UINT64_MAX},
        {"18446744073709551616", 0, UINT64_MAX, REFUSED, REFUSED},
        {"0x10000000000000000", 0, UINT64_MAX, REFUSED, REFUSED},
        {"18014398509481984K", 0, UINT64_MAX, REFUSED, REFUSED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t number = REFUSED, size = REFUSED;
        bool is_number = number_parse(rows[i].text, rows[i].min, rows[i].max, &number);
        bool is_size = number_parse_size(rows[i].text, rows[i].min, rows[i].max, &size);
        if (number != rows[i].number || size != rows[i].size || is_number != (number != REFUSED) ||
            is_size != (size != REFUSED)) {
            fail_msg("row %zu, '%s': %d %llu, %d %llu", i, rows[i].text, is_number,
                     (unsigned long long)number, is_size, (unsigned long long)size);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_readings_take_plain_numbers_only)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
