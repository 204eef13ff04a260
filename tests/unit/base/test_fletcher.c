/* Fletcher's checksum against values that were computed by its definition, in any pieces, and what it finds. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/fletcher.h"
#include "otter/bytes.h"

static uint32_t of(const void *data, size_t len)
{
    fletcher_t sum = {0};
    fletcher_add(&sum, data, len);
    return fletcher_value(&sum);
}

static void known_values(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t want;
    } rows[] = {
        {"", 0xECBB4B55},
        {"a", 0x67D3F766},
        {"abc", 0xEF9E89DE},
        {"abcd", 0x4D66E89B},
        {"Nobody inspects the spammish repetition", 0x4BFAA502},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(of(rows[i].text, strlen(rows[i].text)), rows[i].want);
    }
    uint8_t erased[4096];
    memset(erased, 0xFF, sizeof(erased));
    assert_int_equal(of(erased, sizeof(erased)), 0xADA4F252);
}

static void fill(uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 13);
    }
}

static void pieces_do_not_matter(void **state)
{
    (void)state;
    uint8_t bytes[200];
    fill(bytes, sizeof(bytes));
    for (size_t len = 0; len <= sizeof(bytes); len += 3) {
        for (size_t piece = 1; piece < 40; piece++) {
            fletcher_t sum = {0};
            for (size_t at = 0; at < len; at += piece) {
                fletcher_add(&sum, bytes + at, len - at < piece ? len - at : piece);
                (void)fletcher_value(&sum); /* asking changes nothing */
            }
            assert_int_equal(fletcher_value(&sum), of(bytes, len));
        }
    }
}

/** One bit anywhere, two equal ones of any two words, and two words that have changed places. */
static void finds_what_a_plain_sum_does_not(void **state)
{
    (void)state;
    uint8_t bytes[256], other[256];
    fill(bytes, sizeof(bytes));
    const uint32_t right = of(bytes, sizeof(bytes));
    for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
        memcpy(other, bytes, sizeof(bytes));
        other[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(of(other, sizeof(other)), right);
        for (size_t second = bit % 32; second < bit; second += 32) {
            other[second / 8] ^= (uint8_t)(1u << second % 8);
            assert_int_not_equal(of(other, sizeof(other)), right);
            other[second / 8] ^= (uint8_t)(1u << second % 8);
        }
    }
    for (size_t a = 0; a < sizeof(bytes); a += 4) {
        for (size_t b = 0; b < a; b += 4) {
            memcpy(other, bytes, sizeof(bytes));
            memcpy(other + a, bytes + b, 4);
            memcpy(other + b, bytes + a, 4);
            bool same = le32_get(bytes + a) == le32_get(bytes + b);
            assert_true(same == (of(other, sizeof(other)) == right));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(pieces_do_not_matter),
        cmocka_unit_test(finds_what_a_plain_sum_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
