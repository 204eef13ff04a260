/* XXH32 against values that its authors publish, and in any pieces. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/xxh32.h"

static uint32_t of(const void *data, size_t len)
{
    xxh32_t sum;
    xxh32_begin(&sum);
    xxh32_add(&sum, data, len);
    return xxh32_value(&sum);
}

static void known_values(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t want;
    } rows[] = {
        {"", 0x02CC5D05},
        {"a", 0x550D7456},
        {"abc", 0x32D153FF},
        {"Nobody inspects the spammish repetition", 0xE2293B2F},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(of(rows[i].text, strlen(rows[i].text)), rows[i].want);
    }
}

static void pieces_do_not_matter(void **state)
{
    (void)state;
    uint8_t bytes[200];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 13);
    }
    for (size_t len = 0; len <= sizeof(bytes); len += 3) {
        for (size_t piece = 1; piece < 40; piece++) {
            xxh32_t sum;
            xxh32_begin(&sum);
            for (size_t at = 0; at < len; at += piece) {
                xxh32_add(&sum, bytes + at, len - at < piece ? len - at : piece);
                (void)xxh32_value(&sum); /* asking changes nothing */
            }
            assert_int_equal(xxh32_value(&sum), of(bytes, len));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(pieces_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
