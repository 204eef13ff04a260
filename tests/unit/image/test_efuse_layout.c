/* Where chips have what in their eFuses: the places that ESP-IDF's tables give. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "otter/chip.h"
#include "otter/efuse.h"
#include "otter/efuse_layout.h"

static void each_chip_keeps_its_secure_version_where_esp_idf_has_it(void **state)
{
    (void)state;
    static const struct {
        const char *chip;
        uint8_t block, bit, width;
    } rows[] = {
        {"esp32", 3, 128, 32},   {"esp32c2", 0, 54, 4},   {"esp32s2", 0, 139, 16}, {"esp32s3", 0, 142, 16},
        {"esp32c3", 0, 142, 16}, {"esp32c6", 0, 142, 16}, {"esp32h2", 0, 137, 16}, {"esp32h21", 0, 137, 16},
        {"esp32p4", 0, 137, 16}, {"esp32h4", 0, 135, 16}, {"esp32c5", 0, 137, 9},  {"esp32c61", 0, 104, 16},
        {"linux", 3, 128, 32},   {"device", 3, 128, 32},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const otter_chip_facts_t *chip = otter_chip_by_name(rows[i].chip);
        const otter_efuse_layout_t *layout = otter_efuse_layout(chip->id);
        assert_non_null(layout);
        assert_int_equal(layout->secure_version.block, rows[i].block);
        assert_int_equal(layout->secure_version.bit, rows[i].bit);
        assert_int_equal(layout->secure_version.width, rows[i].width);
        assert_int_equal(chip->secure_version_bits, rows[i].width);
        assert_true(layout->secure_boot.width == 1 && layout->crypt_count.width >= 3);
    }
    assert_null(otter_efuse_layout(0x7777));
}

static void a_field_is_its_bits_and_no_others(void **state)
{
    (void)state;
    static const otter_efuse_field_t fields[] = {{0, 0, 32},    {0, 54, 4},  {2, 137, 9}, {3, 128, 32},
                                                 {10, 224, 32}, {1, 255, 1}, {0, 7, 2}};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        uint8_t dump[OTTER_EFUSE_DUMP_BLOCKS * OTTER_EFUSE_BLOCK_LEN];
        const otter_efuse_field_t *field = &fields[i];
        const uint32_t all = field->width == 32 ? UINT32_MAX : (1u << field->width) - 1;
        memset(dump, 0xFF, sizeof(dump));
        assert_int_equal(otter_efuse_field(dump, *field), all);
        for (uint32_t bit = 0; bit < field->width; bit++) {
            const uint32_t at = field->block * 256u + field->bit + bit;
            dump[at / 8] &= (uint8_t) ~(1u << at % 8);
        }
        assert_int_equal(otter_efuse_field(dump, *field), 0);
        memset(dump, 0, sizeof(dump));
        const uint32_t first = field->block * 256u + field->bit;
        dump[first / 8] = (uint8_t)(1u << first % 8);
        assert_int_equal(otter_efuse_field(dump, *field), 1);
    }
    static const uint8_t none[1] = {0xFF};
    assert_int_equal(otter_efuse_field(none, (otter_efuse_field_t){0}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_chip_keeps_its_secure_version_where_esp_idf_has_it),
        cmocka_unit_test(a_field_is_its_bits_and_no_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
