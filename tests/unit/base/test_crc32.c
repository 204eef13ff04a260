/* crc32_le against the values in FORMATS.md sections 1 and 4. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "otter/bytes.h"

static void crc_matches_recorded_values(void **state)
{
    (void)state;
    static const struct {
        uint32_t seq, crc;
    } rows[] = {
        {0, 0xFFFFFFFF}, {1, 0x4743989A}, {2, 0x55F63774},          {3, 0xED4A5011},          {4, 0x709D68A8},
        {5, 0xC8210FCD}, {6, 0xDA94A023}, {0xFFFFFFFE, 0x99F8B879}, {0xFFFFFFFF, 0x2144DF1C},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t seq[4];
        le32_put(seq, rows[i].seq);
        assert_int_equal(crc32_le(UINT32_MAX, seq, 4), rows[i].crc);
    }
    assert_int_equal(crc32_le(0, "123456789", 9), 0xCBF43926);
    assert_int_equal(crc32_le(UINT32_MAX, "123456789", 9), 0xD202D277);
}

static void crc_continues_over_pieces(void **state)
{
    (void)state;
    assert_int_equal(crc32_le(crc32_le(0, "1234", 4), "56789", 5), 0xCBF43926);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_matches_recorded_values),
        cmocka_unit_test(crc_continues_over_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
