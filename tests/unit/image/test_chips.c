/* The table of chips against what ESP-IDF's documents say, and the windows of the memory map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "esp_app_format.h"
#include "image/image.h"
#include "otter/chip.h"

static void chips_are_found_by_id_and_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint16_t id;
        uint32_t bootloader_offset;
        uint8_t secure_version_bits;
        bool page_configurable, blk_revision;
    } rows[] = {
        {"esp32", ESP_CHIP_ID_ESP32, 0x1000, 32, false, false},
        {"ESP32-S2", ESP_CHIP_ID_ESP32S2, 0x1000, 16, false, true},
        {"esp32-s3", ESP_CHIP_ID_ESP32S3, 0, 16, false, true},
        {"ESP32C3", ESP_CHIP_ID_ESP32C3, 0, 16, false, true},
        {"esp32c2", ESP_CHIP_ID_ESP32C2, 0, 4, true, true},
        {"esp32c6", ESP_CHIP_ID_ESP32C6, 0, 16, true, true},
        {"esp32h2", ESP_CHIP_ID_ESP32H2, 0, 16, true, true},
        {"esp32p4", ESP_CHIP_ID_ESP32P4, 0x2000, 16, false, true},
        {"esp32c61", ESP_CHIP_ID_ESP32C61, 0, 16, true, true},
        {"esp32c5", ESP_CHIP_ID_ESP32C5, 0x2000, 9, false, true},
        {"esp32h21", ESP_CHIP_ID_ESP32H21, 0, 16, true, true},
        {"esp32h4", ESP_CHIP_ID_ESP32H4, 0x2000, 16, true, true},
        {"linux", OTTER_CHIP_LINUX, 0, 32, false, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const otter_chip_facts_t *facts = otter_chip_by_name(rows[i].name);
        assert_non_null(facts);
        assert_ptr_equal(facts, otter_chip_facts(rows[i].id));
        assert_int_equal(facts->id, rows[i].id);
        assert_int_equal(facts->bootloader_offset, rows[i].bootloader_offset);
        assert_int_equal(facts->secure_version_bits, rows[i].secure_version_bits);
        assert_int_equal(facts->mmu_page_configurable, rows[i].page_configurable);
        assert_int_equal(facts->has_blk_revision, rows[i].blk_revision);
        assert_int_equal(facts->mmu_page, 0x10000);
    }
}

static void unknown_names_and_ids_find_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"", "-", "esp", "esp32c", "esp32c33", "esp8266", "esp32x"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_null(otter_chip_by_name(names[i]));
    }
    assert_null(otter_chip_facts(1));
    assert_null(otter_chip_facts(0x7FFF));
}

static void the_table_is_consistent(void **state)
{
    (void)state;
    unsigned count = 0;
    const otter_chip_facts_t *facts;
    while ((facts = otter_chip_at(count)) != NULL) {
        assert_ptr_equal(otter_chip_by_name(facts->name), facts);
        assert_ptr_equal(otter_chip_by_name(facts->title), facts);
        assert_true(facts->data.start <= facts->data.end && facts->inst.start <= facts->inst.end);
        for (int i = 0; i < OTTER_RAM_WINDOWS; i++) {
            const otter_window_t *ram = &facts->ram[i];
            assert_true(ram->start <= ram->end);
            if (ram->start != ram->end) { /* what is loaded is not mapped */
                assert_false(image_addr_is_mapped(facts, ram->start, facts->mmu_page));
                assert_false(image_addr_is_mapped(facts, ram->end - 1, facts->mmu_page));
            }
        }
        count++;
    }
    assert_int_equal(count, 13);
    assert_null(otter_chip_at(count + 1));
    assert_null(otter_chip_at(UINT32_MAX));
}

static void windows_end_where_the_chip_says(void **state)
{
    (void)state;
    static const struct {
        const char *chip;
        uint32_t addr, page;
        bool mapped;
    } rows[] = {
        {"esp32", 0x3F400000, 0x10000, true},    {"esp32", 0x3F3FFFFF, 0x10000, false},
        {"esp32", 0x3F7FFFFF, 0x10000, true},    {"esp32", 0x3F800000, 0x10000, false},
        {"esp32", 0x400CFFFF, 0x10000, false},   {"esp32", 0x400D0000, 0x10000, true},
        {"esp32", 0x403FFFFF, 0x10000, true},    {"esp32", 0x40400000, 0x10000, false},
        {"esp32c6", 0x42FFFFFF, 0x10000, true},  {"esp32c6", 0x43000000, 0x10000, false},
        {"esp32c6", 0x423FFFFF, 0x4000, true},   {"esp32c6", 0x42400000, 0x4000, false},
        {"esp32c6", 0x41FFFFFF, 0x10000, false}, {"linux", 0, 0x10000, false},
        {"linux", 0x10000000, 0x10000, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const otter_chip_facts_t *facts = otter_chip_by_name(rows[i].chip);
        if (image_addr_is_mapped(facts, rows[i].addr, rows[i].page) != rows[i].mapped) {
            fail_msg("%s: 0x%08x with pages of %u", rows[i].chip, rows[i].addr, rows[i].page);
        }
    }
}

static void revisions_are_told_as_major_and_minor(void **state)
{
    (void)state;
    char buf[12];
    assert_string_equal(image_revision_text(0, buf), "v0.0");
    assert_string_equal(image_revision_text(301, buf), "v3.1");
    assert_string_equal(image_revision_text(UINT16_MAX, buf), "v655.35");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chips_are_found_by_id_and_name),
        cmocka_unit_test(unknown_names_and_ids_find_nothing),
        cmocka_unit_test(the_table_is_consistent),
        cmocka_unit_test(windows_end_where_the_chip_says),
        cmocka_unit_test(revisions_are_told_as_major_and_minor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
