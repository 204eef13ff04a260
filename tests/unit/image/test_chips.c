/* The table of chips against what ESP-IDF's documents say, and the windows of the memory map. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "esp_app_format.h"
#include "esp_flash_partitions.h"
#include "otter/image.h"
#include "otter/chip.h"

static void chips_are_found_by_id_and_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint16_t id;
        uint32_t bootloader_offset;
        uint8_t secure_version_bits;
        uint32_t page_min;
        bool blk_revision;
    } rows[] = {
        {"esp32", ESP_CHIP_ID_ESP32, 0x1000, 32, 0, false},
        {"ESP32-S2", ESP_CHIP_ID_ESP32S2, 0x1000, 16, 0, true},
        {"esp32-s3", ESP_CHIP_ID_ESP32S3, 0, 16, 0, true},
        {"ESP32C3", ESP_CHIP_ID_ESP32C3, 0, 16, 0, true},
        {"esp32c2", ESP_CHIP_ID_ESP32C2, 0, 4, 0x4000, true},
        {"esp32c6", ESP_CHIP_ID_ESP32C6, 0, 16, 0x2000, true},
        {"esp32h2", ESP_CHIP_ID_ESP32H2, 0, 16, 0x2000, true},
        {"esp32p4", ESP_CHIP_ID_ESP32P4, 0x2000, 16, 0, true},
        {"esp32c61", ESP_CHIP_ID_ESP32C61, 0, 16, 0x2000, true},
        {"esp32c5", ESP_CHIP_ID_ESP32C5, 0x2000, 9, 0, true},
        {"esp32h21", ESP_CHIP_ID_ESP32H21, 0, 16, 0x2000, true},
        {"esp32h4", ESP_CHIP_ID_ESP32H4, 0x2000, 16, 0x2000, true},
        {"linux", OTTER_CHIP_LINUX, ESP_BOOTLOADER_OFFSET, 32, 0, false},
        {"device", OTTER_CHIP_DEVICE, ESP_BOOTLOADER_OFFSET, 32, 0, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const otter_chip_facts_t *facts = otter_chip_by_name(rows[i].name);
        assert_non_null(facts);
        assert_ptr_equal(facts, otter_chip_facts(rows[i].id));
        assert_int_equal(facts->id, rows[i].id);
        assert_int_equal(facts->bootloader_offset, rows[i].bootloader_offset);
        assert_int_equal(facts->secure_version_bits, rows[i].secure_version_bits);
        assert_int_equal(facts->mmu_page_min, rows[i].page_min);
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
                assert_false(otter_chip_maps(facts, ram->start, facts->mmu_page));
                assert_false(otter_chip_maps(facts, ram->end - 1, facts->mmu_page));
            }
        }
        count++;
    }
    assert_int_equal(count, 14);
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
        if (otter_chip_maps(facts, rows[i].addr, rows[i].page) != rows[i].mapped) {
            fail_msg("%s: 0x%08x with pages of %u", rows[i].chip, rows[i].addr, rows[i].page);
        }
    }
}

/* What components/soc/CHIP/include/soc/soc.h of ESP-IDF 5.5.5 says, RTC memory only where soc_caps.h has it. */
enum { MAPPED, LOADED };
static const struct window {
    const char *chip, *name; /* SOC_name_LOW and _HIGH */
    int kind;
    uint32_t low, high;
} soc_windows[] = {
    {"esp32", "DROM", MAPPED, 0x3F400000, 0x3F800000},
    {"esp32", "IROM", MAPPED, 0x400D0000, 0x40400000},
    {"esp32", "DRAM", LOADED, 0x3FFAE000, 0x40000000},
    {"esp32", "IRAM", LOADED, 0x40080000, 0x400AA000},
    {"esp32", "RTC_DRAM", LOADED, 0x3FF80000, 0x3FF82000},
    {"esp32", "RTC_IRAM", LOADED, 0x400C0000, 0x400C2000},
    {"esp32", "RTC_DATA", LOADED, 0x50000000, 0x50002000},
    {"esp32s2", "DROM", MAPPED, 0x3F000000, 0x3FF80000},
    {"esp32s2", "IROM", MAPPED, 0x40080000, 0x40800000},
    {"esp32s2", "DRAM", LOADED, 0x3FFB0000, 0x40000000},
    {"esp32s2", "IRAM", LOADED, 0x40020000, 0x40070000},
    {"esp32s2", "RTC_DRAM", LOADED, 0x3FF9E000, 0x3FFA0000},
    {"esp32s2", "RTC_IRAM", LOADED, 0x40070000, 0x40072000},
    {"esp32s2", "RTC_DATA", LOADED, 0x50000000, 0x50002000},
    {"esp32s3", "DROM", MAPPED, 0x3C000000, 0x3E000000},
    {"esp32s3", "IROM", MAPPED, 0x42000000, 0x44000000},
    {"esp32s3", "DRAM", LOADED, 0x3FC88000, 0x3FD00000},
    {"esp32s3", "IRAM", LOADED, 0x40370000, 0x403E0000},
    {"esp32s3", "RTC_IRAM", LOADED, 0x600FE000, 0x60100000},
    {"esp32s3", "RTC_DATA", LOADED, 0x50000000, 0x50002000},
    {"esp32c2", "DROM", MAPPED, 0x3C000000, 0x3C400000},
    {"esp32c2", "IROM", MAPPED, 0x42000000, 0x42400000},
    {"esp32c2", "DRAM", LOADED, 0x3FCA0000, 0x3FCE0000},
    {"esp32c2", "IRAM", LOADED, 0x4037C000, 0x403C0000},
    {"esp32c3", "DROM", MAPPED, 0x3C000000, 0x3C800000},
    {"esp32c3", "IROM", MAPPED, 0x42000000, 0x42800000},
    {"esp32c3", "DRAM", LOADED, 0x3FC80000, 0x3FCE0000},
    {"esp32c3", "IRAM", LOADED, 0x4037C000, 0x403E0000},
    {"esp32c3", "RTC_IRAM", LOADED, 0x50000000, 0x50002000},
    {"esp32c5", "IROM", MAPPED, 0x42000000, 0x44000000},
    {"esp32c5", "IRAM", LOADED, 0x40800000, 0x40860000},
    {"esp32c5", "RTC_IRAM", LOADED, 0x50000000, 0x50004000},
    {"esp32c6", "IROM", MAPPED, 0x42000000, 0x43000000},
    {"esp32c6", "IRAM", LOADED, 0x40800000, 0x40880000},
    {"esp32c6", "RTC_IRAM", LOADED, 0x50000000, 0x50004000},
    {"esp32c61", "IROM", MAPPED, 0x42000000, 0x44000000},
    {"esp32c61", "IRAM", LOADED, 0x40800000, 0x40850000},
    {"esp32h2", "IROM", MAPPED, 0x42000000, 0x43000000},
    {"esp32h2", "IRAM", LOADED, 0x40800000, 0x40850000},
    {"esp32h2", "RTC_IRAM", LOADED, 0x50000000, 0x50001000},
    {"esp32h21", "IROM", MAPPED, 0x42000000, 0x43000000},
    {"esp32h21", "IRAM", LOADED, 0x40800000, 0x40850000},
    {"esp32h21", "RTC_IRAM", LOADED, 0x50000000, 0x50001000},
    {"esp32h4", "IROM", MAPPED, 0x42000000, 0x44000000},
    {"esp32h4", "IRAM", LOADED, 0x40810000, 0x40860000},
    {"esp32p4", "IROM", MAPPED, 0x40000000, 0x44000000},
    {"esp32p4", "EXTRAM", MAPPED, 0x48000000, 0x4C000000},
    {"esp32p4", "IRAM", LOADED, 0x4FF00000, 0x4FFC0000},
    {"esp32p4", "RTC_IRAM", LOADED, 0x50108000, 0x50110000},
    {"esp32p4", "SPM", LOADED, 0x30100000, 0x30102000},
};
#define SOC_WINDOWS (sizeof(soc_windows) / sizeof(soc_windows[0]))

/** What soc.h makes of `len` bytes at `addr`: in one window from end to end. */
static bool soc_has(const char *chip, int kind, uint32_t addr, uint32_t len)
{
    for (size_t i = 0; i < SOC_WINDOWS; i++) {
        const struct window *w = &soc_windows[i];
        if (strcmp(w->chip, chip) == 0 && w->kind == kind && addr >= w->low && addr < w->high &&
            len <= w->high - addr) {
            return true;
        }
    }
    return false;
}

/** Around each edge of each window of all chips, by each chip's own windows. */
static void every_chip_has_the_windows_of_its_vendor(void **state)
{
    (void)state;
    const otter_chip_facts_t *facts;
    for (unsigned at = 0; (facts = otter_chip_at(at)) != NULL; at++) {
        for (size_t i = 0; i < SOC_WINDOWS; i++) {
            const uint32_t edges[] = {soc_windows[i].low, soc_windows[i].high};
            for (size_t edge = 0; edge < 2; edge++) {
                for (int step = -2; step < 2; step++) {
                    uint32_t addr = edges[edge] + (uint32_t)(step * 4);
                    bool mapped = soc_has(facts->name, MAPPED, addr, 1);
                    bool loadable = soc_has(facts->name, LOADED, addr, 8);
                    if (otter_chip_maps(facts, addr, facts->mmu_page) != mapped ||
                        otter_chip_can_load(facts, addr, 8) != loadable) {
                        fail_msg("%s: 0x%08x, which is an edge of %s's %s", facts->name, addr,
                                 soc_windows[i].chip, soc_windows[i].name);
                    }
                }
            }
        }
    }
}

static void pages_are_those_that_the_chip_has(void **state)
{
    (void)state;
    static const struct {
        const char *chip;
        uint32_t smallest; /* 0: no choice */
    } rows[] = {{"esp32", 0},        {"esp32s2", 0},       {"esp32s3", 0},      {"esp32c2", 0x4000},
                {"esp32c3", 0},      {"esp32c5", 0},       {"esp32c6", 0x2000}, {"esp32c61", 0x2000},
                {"esp32h2", 0x2000}, {"esp32h21", 0x2000}, {"esp32h4", 0x2000}, {"esp32p4", 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const otter_chip_facts_t *facts = otter_chip_by_name(rows[i].chip);
        assert_int_equal(otter_chip_mmu_page(facts, 0), 0x10000);
        for (unsigned log2 = 1; log2 < 256; log2++) {
            uint64_t page = log2 < 64 ? UINT64_C(1) << log2 : 0;
            bool has = rows[i].smallest != 0 && page >= rows[i].smallest && page <= 0x10000;
            if (otter_chip_mmu_page(facts, (uint8_t)log2) != (has ? page : 0)) {
                fail_msg("%s: a page of 2^%u bytes", rows[i].chip, log2);
            }
        }
    }
}

static void revisions_are_told_as_major_and_minor(void **state)
{
    (void)state;
    char buf[12];
    assert_string_equal(otter_image_revision_text(0, buf), "v0.0");
    assert_string_equal(otter_image_revision_text(301, buf), "v3.1");
    assert_string_equal(otter_image_revision_text(UINT16_MAX, buf), "v655.35");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chips_are_found_by_id_and_name),
        cmocka_unit_test(unknown_names_and_ids_find_nothing),
        cmocka_unit_test(the_table_is_consistent),
        cmocka_unit_test(windows_end_where_the_chip_says),
        cmocka_unit_test(every_chip_has_the_windows_of_its_vendor),
        cmocka_unit_test(pages_are_those_that_the_chip_has),
        cmocka_unit_test(revisions_are_told_as_major_and_minor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
