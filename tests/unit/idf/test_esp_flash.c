/* ESP-IDF's names for whole flash: bounds and codes, what is guarded, other chips, no chip. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_flash.h"
#include "esp_flash_internal.h"
#include "esp_flash_partitions.h"
#include "esp_partition.h"
#include "esp_spi_flash.h"
#include "support/current_rig.h"

#define FLASH_SIZE 0x400000u

static const otter_partition_entry_t entries[] = {
    {1, 0x02, 0x9000, 0x4000, "store", 0},
    {1, 0x02, 0x10000, 0x2000, "locked", PART_FLAG_READONLY},
    {0, 0x10, 0x20000, 0x10000, "ota_0", 0},
};

static int setup(void **state)
{
    (void)state;
    int status = open_device(FLASH_SIZE, entries, sizeof(entries) / sizeof(entries[0]));
    device.running = &device.partitions.items[2];
    device.config.dangerous_write = OTTER_DANGEROUS_WRITE_FAILS;
    return status;
}

static int teardown(void **state)
{
    (void)state;
    close_device();
    return 0;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    char text[6] = "";
    assert_ptr_equal(esp_flash_default_chip, &sim.flash);
    assert_int_equal(esp_flash_erase_region(NULL, 0x40000, 0x1000), ESP_OK);
    assert_int_equal(esp_flash_write(NULL, "otter", 0x40001, 6), ESP_OK);
    assert_int_equal(esp_flash_read(esp_flash_default_chip, text, 0x40001, 6), ESP_OK);
    assert_string_equal(text, "otter");
    memset(text, 0, sizeof(text));
    assert_int_equal(esp_flash_read_encrypted(NULL, 0x40001, text, 6), ESP_OK);
    assert_string_equal(text, "otter");
    assert_int_equal(esp_flash_write_encrypted(NULL, 0x40010, "0123456789abcdef", 16), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_flash_erase_region(NULL, 0x40000, 0x1000), ESP_OK);
    assert_int_equal(sim.bytes[0x40001], 0xFF);
}

static void nothing_goes_beyond_the_chip(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t at, len;
        esp_err_t io, erase; /* codes of reading and writing; of erasing */
    } cases[] = {
        {"the last sector", FLASH_SIZE - 0x1000, 0x1000, ESP_OK, ESP_OK},
        {"nothing at the end", FLASH_SIZE, 0, ESP_OK, ESP_OK},
        {"one byte at the end", FLASH_SIZE, 1, ESP_ERR_INVALID_ARG, ESP_ERR_INVALID_ARG},
        {"across the end", FLASH_SIZE - 0x1000, 0x2000, ESP_ERR_INVALID_ARG, ESP_ERR_INVALID_ARG},
        {"round the end of 32 bits", 0xFFFFF000, 0x2000, ESP_ERR_INVALID_ARG, ESP_ERR_INVALID_ARG},
        {"length of 32 bits", 0x40000, 0xFFFFF000, ESP_ERR_INVALID_ARG, ESP_ERR_INVALID_ARG},
        {"part of a sector", 0x40000, 0x800, ESP_OK, ESP_ERR_INVALID_ARG},
        {"from the middle of a sector", 0x40800, 0x1000, ESP_OK, ESP_ERR_INVALID_ARG},
    };
    static uint8_t bytes[0x2000];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        esp_err_t read = esp_flash_read(NULL, bytes, cases[i].at, cases[i].len);
        esp_err_t write = esp_flash_write(NULL, bytes, cases[i].at, cases[i].len);
        esp_err_t erase = esp_flash_erase_region(NULL, cases[i].at, cases[i].len);
        if (read != cases[i].io || write != cases[i].io || erase != cases[i].erase) {
            fail_msg("%s: read 0x%x, write 0x%x, erase 0x%x", cases[i].name, (unsigned)read, (unsigned)write,
                     (unsigned)erase);
        }
    }
    assert_int_equal(esp_flash_read(NULL, NULL, 0, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_flash_write(NULL, NULL, 0x40000, 1), ESP_ERR_INVALID_ARG);
}

static void sizes_are_those_of_the_file(void **state)
{
    (void)state;
    uint32_t size = 0, physical = 0;
    assert_int_equal(esp_flash_get_size(NULL, &size), ESP_OK);
    assert_int_equal(esp_flash_get_physical_size(NULL, &physical), ESP_OK);
    assert_int_equal(size, FLASH_SIZE);
    assert_int_equal(physical, FLASH_SIZE);
    assert_int_equal(spi_flash_get_chip_size(), FLASH_SIZE);
    assert_int_equal(esp_flash_get_size(NULL, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_flash_read_id(NULL, &size), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_flash_read_unique_chip_id(NULL, &(uint64_t){0}), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_flash_set_chip_write_protect(NULL, true), ESP_ERR_NOT_SUPPORTED);
    bool is_protected = true;
    const esp_flash_region_t region = {.offset = 0, .size = FLASH_SIZE};
    assert_int_equal(esp_flash_set_protected_region(NULL, &region, false), ESP_OK);
    assert_int_equal(esp_flash_set_protected_region(NULL, NULL, false), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_flash_get_protected_region(NULL, &region, &is_protected), ESP_OK);
    assert_false(is_protected);
    const esp_flash_region_t *regions = &region;
    uint32_t count = 1;
    assert_int_equal(esp_flash_get_protectable_regions(NULL, &regions, &count), ESP_OK);
    assert_true(regions == NULL && count == 0);
    assert_int_equal(esp_flash_init(NULL), ESP_OK);
    assert_true(esp_flash_chip_driver_initialized(NULL));
    spi_flash_init();
}

static void the_guard_can_be_lifted_and_set_up_again(void **state)
{
    (void)state;
    static const uint32_t guarded[] = {0x1000, 0x8000, 0x20000};
    for (int round = 0; round < 3; round++) {
        bool lifted = round == 1;
        assert_int_equal(esp_flash_set_dangerous_write_protection(esp_flash_default_chip, !lifted), ESP_OK);
        for (size_t i = 0; i < sizeof(guarded) / sizeof(guarded[0]); i++) {
            esp_err_t want = lifted ? ESP_OK : ESP_ERR_INVALID_ARG;
            assert_int_equal(esp_flash_write(NULL, "", guarded[i], 1), want);
            assert_int_equal(spi_flash_write(guarded[i], "", 1), want);
            assert_int_equal(esp_flash_erase_region(NULL, guarded[i], 0x1000), want);
            assert_int_equal(spi_flash_erase_sector(guarded[i] / 0x1000), want);
            assert_int_equal(esp_partition_write(device.running, 0, "", 1), want);
        }
        /* That is for flash that boots; a read-only partition stays one. */
        assert_int_equal(esp_flash_write(NULL, "", 0x10000, 1), ESP_ERR_NOT_ALLOWED);
        assert_int_equal(esp_flash_erase_region(NULL, 0x11000, 0x1000), ESP_ERR_NOT_ALLOWED);
    }
    assert_int_equal(device.config.dangerous_write, OTTER_DANGEROUS_WRITE_FAILS);
    assert_int_equal(esp_flash_erase_chip(NULL), ESP_ERR_NOT_ALLOWED);
}

static void another_chip_has_no_guard(void **state)
{
    (void)state;
    sim_flash_t second;
    assert_true(sim_flash_init(&second, 0x10000));
    uint32_t size = 0;
    char c = 0;
    assert_int_equal(esp_flash_get_size(&second.flash, &size), ESP_OK);
    assert_int_equal(size, 0x10000);
    assert_int_equal(esp_flash_write(&second.flash, "x", 0x8000, 1), ESP_OK);
    assert_int_equal(esp_flash_read(&second.flash, &c, 0x8000, 1), ESP_OK);
    assert_int_equal(c, 'x');
    assert_int_equal(esp_flash_erase_chip(&second.flash), ESP_OK);
    assert_int_equal(second.bytes[0x8000], 0xFF);
    assert_int_equal(esp_flash_read(&second.flash, &c, 0x10000, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_flash_set_dangerous_write_protection(&second.flash, false), ESP_OK);
    assert_int_equal(esp_flash_write(NULL, "", 0x8000, 1), ESP_ERR_INVALID_ARG);
    sim_flash_free(&second);
}

static void names_of_version_4_reach_the_same(void **state)
{
    (void)state;
    char text[6] = "";
    assert_int_equal(spi_flash_erase_range(0x40000, 0x2000), ESP_OK);
    assert_int_equal(spi_flash_write(0x40ffe, "otter", 6), ESP_OK);
    assert_int_equal(spi_flash_read(0x40ffe, text, 6), ESP_OK);
    assert_string_equal(text, "otter");
    assert_int_equal(spi_flash_read_encrypted(0x40ffe, text, 6), ESP_OK);
    assert_int_equal(spi_flash_write_encrypted(0x40000, text, 16), ESP_ERR_NOT_SUPPORTED);

    const void *window = NULL;
    spi_flash_mmap_handle_t handle = 0;
    assert_int_equal(spi_flash_mmap(0x40000, 0x2000, SPI_FLASH_MMAP_DATA, &window, &handle), ESP_OK);
    assert_memory_equal((const char *)window + 0xffe, "otter", 6);
    assert_int_equal(spi_flash_erase_sector(0x40), ESP_OK);
    assert_int_equal(((const uint8_t *)window)[0xffe], 0xFF);
    assert_int_equal(((const uint8_t *)window)[0x1000], 't');
    spi_flash_munmap(handle);

    assert_int_equal(spi_flash_erase_sector(FLASH_SIZE / 0x1000), ESP_ERR_INVALID_ARG);
    assert_int_equal(spi_flash_erase_sector(SIZE_MAX), ESP_ERR_INVALID_ARG);
    assert_int_equal(spi_flash_read(FLASH_SIZE, text, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(spi_flash_read(FLASH_SIZE - 1, text, 2), ESP_ERR_INVALID_ARG);
    assert_int_equal(spi_flash_read((size_t)UINT32_MAX + 1, text, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(spi_flash_write(0x40000, text, (size_t)UINT32_MAX + 2), ESP_ERR_INVALID_ARG);
}

static void without_a_device_there_is_no_chip(void **state)
{
    (void)state;
    char c;
    uint32_t size;
    const void *window;
    spi_flash_mmap_handle_t handle;
    otter_device_set_current(NULL);
    assert_null(esp_flash_default_chip);
    assert_int_equal(esp_flash_read(NULL, &c, 0, 1), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_flash_write(NULL, "x", 0, 1), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_flash_erase_region(NULL, 0, 0x1000), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_flash_erase_chip(NULL), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_flash_get_size(NULL, &size), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_flash_set_dangerous_write_protection(NULL, false), ESP_ERR_INVALID_ARG);
    assert_int_equal(spi_flash_get_chip_size(), 0);
    assert_int_equal(spi_flash_read(0, &c, 1), ESP_ERR_INVALID_STATE);
    assert_int_equal(spi_flash_erase_sector(0), ESP_ERR_INVALID_STATE);
    assert_int_equal(spi_flash_mmap(0, 0x1000, SPI_FLASH_MMAP_DATA, &window, &handle), ESP_ERR_INVALID_STATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_goes_beyond_the_chip, setup, teardown),
        cmocka_unit_test_setup_teardown(sizes_are_those_of_the_file, setup, teardown),
        cmocka_unit_test_setup_teardown(the_guard_can_be_lifted_and_set_up_again, setup, teardown),
        cmocka_unit_test_setup_teardown(another_chip_has_no_guard, setup, teardown),
        cmocka_unit_test_setup_teardown(names_of_version_4_reach_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_device_there_is_no_chip, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
