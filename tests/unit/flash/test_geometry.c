/* Flash of other shapes than SPI NOR: what is refused, and what is different where a write unit is programmed once. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "boot/otadata_flash.h"
#include "esp_flash_partitions.h"
#include "otter/boot.h"
#include "otter/device.h"
#include "otter/partition_table.h"
#include "sim/sim_flash.h"

#define KIB        1024u
#define FLASH_SIZE 0x200000u
#define TABLE      0x20000u

static sim_flash_t sim;

static int setup(void **state)
{
    (void)state;
    return sim_flash_init(&sim, FLASH_SIZE) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    sim_flash_free(&sim);
    return 0;
}

/** Two slots, and otadata of this place and size. */
static void place_table(uint32_t otadata, uint32_t otadata_bytes, uint32_t slot, uint32_t slot_bytes)
{
    const otter_partition_entry_t rows[] = {
        {PART_TYPE_DATA, PART_SUBTYPE_DATA_OTA, otadata, otadata_bytes, "otadata", 0},
        {PART_TYPE_APP, PART_SUBTYPE_OTA_FLAG, slot, slot_bytes, "ota_0", 0},
        {PART_TYPE_APP, PART_SUBTYPE_OTA_FLAG + 1, slot + slot_bytes, slot_bytes, "ota_1", 0},
        {PART_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, 0x30000, 0x3000, "nvs", 0},
    };
    assert_int_equal(otter_partition_table_encode(rows, 4, true, sim.bytes + TABLE), ESP_OK);
}

static esp_err_t make_device(otter_device_t *device)
{
    static const otter_device_config_t config = {.table_offset = TABLE};
    static const otter_chip_t chip = {.id = 0, .revision = 300};
    return otter_device_init(device, &sim.flash, &chip, NULL, &config);
}

static void a_device_of_a_shape_that_cannot_work_is_refused_when_it_is_made(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t erase, write;
        bool once, stable;
        uint32_t otadata, otadata_bytes, slot, slot_bytes;
        esp_err_t want;
        const char *why;
    } rows[] = {
        {"SPI NOR", 4 * KIB, 1, false, true, 0x40000, 0x2000, 0x50000, 0x10000, ESP_OK, ""},
        {"STM32H7", 128 * KIB, 32, true, false, 0x40000, 0x40000, 0x80000, 0x40000, ESP_OK, ""},
        {"small sectors", 2 * KIB, 8, true, false, 0x40000, 0x2000, 0x50000, 0x10000, ESP_OK, ""},
        {"larger sectors", 256 * KIB, 32, false, false, 0x40000, 0x80000, 0x100000, 0x40000,
         ESP_ERR_NOT_SUPPORTED, "the flash erases 262144 bytes at once"},
        {"3000", 3000, 1, false, false, 0x40000, 0x2000, 0x50000, 0x10000, ESP_ERR_INVALID_ARG, "3000 bytes"},
        {"larger units", 4 * KIB, 8 * KIB, false, false, 0x40000, 0x2000, 0x50000, 0x10000,
         ESP_ERR_INVALID_ARG, "write 8192 at once"},
        {"pages of 512", 4 * KIB, 512, false, false, 0x40000, 0x2000, 0x50000, 0x10000, ESP_ERR_NOT_SUPPORTED,
         "the flash writes 512 bytes at once"},
        {"single bytes, once", 4 * KIB, 1, true, false, 0x40000, 0x2000, 0x50000, 0x10000,
         ESP_ERR_INVALID_ARG, "more than a byte"},
        {"once, reads stably", 4 * KIB, 16, true, true, 0x40000, 0x2000, 0x50000, 0x10000,
         ESP_ERR_INVALID_ARG, "does not read stably"},
        {"otadata in one sector", 128 * KIB, 32, true, false, 0x40000, 0x20000, 0x80000, 0x40000,
         ESP_ERR_NOT_SUPPORTED,
         "otadata (0x20000 bytes at 0x40000) is not made of two whole sectors of 131072"},
        {"otadata of SPI NOR", 8 * KIB, 1, false, false, 0x40000, 0x2000, 0x50000, 0x10000,
         ESP_ERR_NOT_SUPPORTED, "otadata"},
        {"a slot amid a sector", 128 * KIB, 1, false, false, 0x40000, 0x40000, 0x90000, 0x40000,
         ESP_ERR_NOT_SUPPORTED, "ota_0 (0x40000 bytes at 0x90000) is not made of whole sectors"},
        {"a slot of half a sector", 128 * KIB, 1, false, false, 0x40000, 0x40000, 0x80000, 0x10000,
         ESP_ERR_NOT_SUPPORTED, "ota_0"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        otter_device_t device;
        otter_boot_result_t result;
        place_table(rows[i].otadata, rows[i].otadata_bytes, rows[i].slot, rows[i].slot_bytes);
        sim.flash.erase_size = rows[i].erase;
        sim.flash.write_size = rows[i].write;
        sim.flash.write_once = rows[i].once;
        sim.flash.stable_reads = rows[i].stable;
        const esp_err_t got = make_device(&device);
        if (got != rows[i].want || strstr(device.fault.why, rows[i].why) == NULL) {
            fail_msg("%s: 0x%x, \"%s\"", rows[i].name, (unsigned)got, device.fault.why);
        }
        assert_int_equal(device.partitions.status, got);
        assert_int_equal(device.partitions.count, got == ESP_OK ? 4 : 0);
        const esp_err_t boots = otter_boot(&device, OTTER_BOOT_COMMIT, &result);
        assert_int_equal(boots, got == ESP_OK ? ESP_ERR_NOT_FOUND : got); /* there are no images */
        assert_non_null(strstr(result.reason, rows[i].why));
        assert_int_equal(sim.ops, 0);
        otter_device_deinit(&device);
    }
}

static void a_block_is_larger_than_a_sector_and_a_power_of_two(void **state)
{
    (void)state;
    static const struct {
        uint32_t erase, block;
        esp_err_t want;
    } rows[] = {
        {4 * KIB, 0, ESP_OK},
        {4 * KIB, 64 * KIB, ESP_OK},
        {4 * KIB, 4 * KIB, ESP_ERR_INVALID_ARG},
        {4 * KIB, 2 * KIB, ESP_ERR_INVALID_ARG},
        {4 * KIB, 48 * KIB, ESP_ERR_INVALID_ARG},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        otter_fault_t fault = {0};
        const otter_flash_t flash = {
            .size = 1024 * KIB, .erase_size = rows[i].erase, .block_size = rows[i].block, .write_size = 1};
        assert_int_equal(otter_flash_check_geometry(&flash, &fault), rows[i].want);
        assert_true(rows[i].want == ESP_OK || strstr(fault.why, "a block is a larger power of two") != NULL);
    }
}

/** Without an MD5 nothing tells a table that does not fit from one that a cut has torn, and its copy may have a journal. */
static void a_table_without_md5_is_left_to_the_boot_step_to_refuse(void **state)
{
    (void)state;
    static const otter_chip_t chip = {.id = 0, .revision = 300};
    static const otter_device_config_t config = {.table_offset = TABLE, .allow_no_md5 = true};
    otter_device_t device;
    otter_boot_result_t result;
    sim.flash.erase_size = 128 * KIB;
    place_table(0x40000, 0x20000, 0x80000, 0x40000);
    memset(sim.bytes + TABLE + 4 * OTTER_PARTITION_RECORD_SIZE, 0xFF, OTTER_PARTITION_RECORD_SIZE);
    assert_int_equal(otter_device_init(&device, &sim.flash, &chip, NULL, &config), ESP_OK);
    assert_int_equal(device.partitions.status, ESP_ERR_INVALID_STATE);
    assert_int_equal(device.partitions.count, 0);
    assert_int_equal(otter_boot(&device, OTTER_BOOT_COMMIT, &result), ESP_ERR_NOT_SUPPORTED);
    assert_non_null(
        strstr(result.reason, "otadata (0x20000 bytes at 0x40000) is not made of two whole sectors"));
    otter_device_deinit(&device);
}

/** Only its own sector is erased when a record changes. */
static void the_records_of_otadata_lie_one_sector_apart_where_sectors_are_large(void **state)
{
    (void)state;
    static const struct {
        uint32_t erase, distance;
    } rows[] = {{2 * KIB, 4 * KIB}, {4 * KIB, 4 * KIB}, {8 * KIB, 8 * KIB}, {128 * KIB, 128 * KIB}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        otadata_entry_t two[OTADATA_COPY_COUNT];
        sim.flash.erase_size = rows[i].erase;
        memset(sim.bytes, 0xFF, FLASH_SIZE);
        for (uint32_t copy = 0; copy < 2; copy++) {
            const otadata_entry_t entry = otadata_make(copy + 7, ESP_OTA_IMG_VALID);
            assert_int_equal(otadata_write_copy(&sim.flash, 0x40000, copy, &entry), ESP_OK);
        }
        assert_int_equal(otadata_distance(&sim.flash), rows[i].distance);
        assert_int_equal(sim.bytes[0x40000], 7);
        assert_int_equal(sim.bytes[0x40000 + rows[i].distance], 8);
        assert_int_equal(otadata_read(&sim.flash, 0x40000, 2 * rows[i].distance - 1, two),
                         ESP_ERR_INVALID_SIZE);
        assert_int_equal(otadata_read(&sim.flash, 0x40000, 2 * rows[i].distance, two), ESP_OK);
        assert_int_equal(otadata_active(two), 1);
    }
}

static void make_once(void)
{
    sim.flash.erase_size = 128 * KIB;
    sim.flash.write_size = 32;
    sim.flash.write_once = true;
}

static void a_unit_of_ff_is_not_programmed_so_that_it_still_can_be(void **state)
{
    (void)state;
    uint8_t bytes[5 * 32];
    make_once();
    memset(bytes, 0xFF, sizeof(bytes));
    bytes[0] = bytes[33] = bytes[4 * 32 + 31] = 0x5A; /* the third and fourth unit stay FF */
    assert_int_equal(otter_flash_program(&sim.flash, 0, bytes, sizeof(bytes)), ESP_OK);
    assert_memory_equal(sim.bytes, bytes, sizeof(bytes));
    assert_int_equal(sim.ops, 2);
    assert_int_equal(otter_flash_program(&sim.flash, 2 * 32, bytes, 32),
                     ESP_OK); /* the simulator would end the test */
    assert_int_equal(otter_flash_program(&sim.flash, 8 * 32, bytes + 2 * 32, 64), ESP_OK);
    assert_int_equal(sim.ops, 3);
}

/** Cuts power in the program of the unit at `off`, until what is left cannot be read. */
static void break_unit(uint32_t off)
{
    uint8_t unit[32] = {0};
    do {
        assert_int_equal(otter_flash_erase(&sim.flash, off & ~(128 * KIB - 1), 128 * KIB), ESP_OK);
        sim.cut_at = sim.ops;
        sim.tear = SIM_TEAR_BITS;
        assert_int_equal(otter_flash_program(&sim.flash, off, unit, 32), ESP_ERR_FLASH_OP_FAIL);
        sim_flash_power_on(&sim);
    } while (otter_flash_read(&sim.flash, off, unit, 1) != ESP_ERR_INVALID_CRC);
}

static void what_no_code_can_correct_is_told_or_reads_as_zeros(void **state)
{
    (void)state;
    uint8_t bytes[64];
    make_once();
    break_unit(0x40020);
    assert_int_equal(otter_flash_read(&sim.flash, 0x40000, bytes, 32), ESP_OK);
    assert_int_equal(otter_flash_read(&sim.flash, 0x40000, bytes, 33), ESP_ERR_INVALID_CRC);
    memset(bytes, 0x77, sizeof(bytes));
    assert_int_equal(otter_flash_read_torn(&sim.flash, 0x40000, bytes, 64), ESP_OK);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        assert_int_equal(bytes[i], 0);
    }
    assert_false(otter_flash_reads_blank(&sim.flash, 0x40020, 32));
    assert_int_equal(otter_flash_read(&sim.flash, FLASH_SIZE + 1, bytes, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(otter_flash_read_torn(&sim.flash, FLASH_SIZE + 1, bytes, 1), ESP_ERR_INVALID_ARG);
}

static void a_record_that_cannot_be_read_is_a_torn_one(void **state)
{
    (void)state;
    otadata_entry_t two[OTADATA_COPY_COUNT];
    const otadata_entry_t good = otadata_make(3, ESP_OTA_IMG_VALID);
    make_once();
    break_unit(0x60000);
    assert_int_equal(otadata_write_copy(&sim.flash, 0x40000, 0, &good), ESP_OK);
    assert_int_equal(otadata_read(&sim.flash, 0x40000, 0x40000, two), ESP_OK);
    assert_true(otadata_is_valid(&two[0]));
    assert_true(otadata_is_torn(&two[1]));
    assert_false(otadata_is_refused(&two[1])); /* as every record with a wrong CRC */
    assert_int_equal(otadata_active(two), 0);
}

/** The code of flash may let pass what an erase has left; the CRC of a record covers its number only. */
static void a_state_that_was_never_written_does_not_count_where_units_are_programmed_once(void **state)
{
    (void)state;
    otadata_entry_t two[OTADATA_COPY_COUNT];
    const otadata_entry_t rejected = otadata_make(3, ESP_OTA_IMG_INVALID);
    make_once();
    assert_int_equal(otadata_write_copy(&sim.flash, 0x40000, 0, &rejected), ESP_OK);
    sim.bytes[0x40000 + OTADATA_STATE_OFFSET] = ESP_OTA_IMG_VALID;
    assert_int_equal(otadata_read(&sim.flash, 0x40000, 0x40000, two), ESP_OK);
    assert_true(otadata_is_torn(&two[0]));
    memset(sim.bytes + 0x40000 + OTADATA_LABEL_OFFSET, 0xFF, 20); /* as another tool writes it */
    assert_int_equal(otadata_read(&sim.flash, 0x40000, 0x40000, two), ESP_OK);
    assert_true(otadata_is_valid(&two[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_is_larger_than_a_sector_and_a_power_of_two),
        cmocka_unit_test_setup_teardown(a_table_without_md5_is_left_to_the_boot_step_to_refuse, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_device_of_a_shape_that_cannot_work_is_refused_when_it_is_made,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_records_of_otadata_lie_one_sector_apart_where_sectors_are_large,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_unit_of_ff_is_not_programmed_so_that_it_still_can_be, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_no_code_can_correct_is_told_or_reads_as_zeros, setup, teardown),
        cmocka_unit_test_setup_teardown(a_record_that_cannot_be_read_is_a_torn_one, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_state_that_was_never_written_does_not_count_where_units_are_programmed_once, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
