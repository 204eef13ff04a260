/* ESP-IDF's names on a device whose flash is encrypted: what goes through the cipher, what past it, and the 16-byte rule. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_efuse.h"
#include "esp_flash.h"
#include "esp_flash_encrypt.h"
#include "esp_flash_partitions.h"
#include "esp_partition.h"
#include "esp_spi_flash.h"
#include "otter/ota_ops.h"
#include "support/current_rig.h"
#include "support/test_cipher.h"

#define FLASH_SIZE 0x100000u

static const esp_partition_t *plain, *secret, *keys, *otadata, *app;

static const otter_partition_entry_t entries[] = {
    {1, 0x02, 0x9000, 0x3000, "plain", 0},   {1, 0x06, 0xC000, 0x1000, "secret", PART_FLAG_ENCRYPTED},
    {1, 0x00, 0xD000, 0x2000, "otadata", 0}, {1, 0x04, 0xF000, 0x1000, "keys", PART_FLAG_READONLY},
    {0, 0x10, 0x10000, 0x10000, "app", 0},   {0, 0x11, 0x20000, 0x10000, "ota_1", 0},
};

static const char text[] = "what is written here is read here, and lies in flash otherwise!"; /* 64 bytes */

static int setup(void **state)
{
    (void)state;
    int status = open_device(FLASH_SIZE, entries, sizeof(entries) / sizeof(entries[0]));
    otter_device_deinit(&device);
    test_cipher_apply(sim.bytes, false, TABLE_OFFSET, 0x1000);
    sim.flash.cipher = test_cipher();
    start_device();
    const esp_partition_t *items = device.partitions.items;
    plain = &items[0], secret = &items[1], otadata = &items[2], keys = &items[3], app = &items[4];
    return status != 0 ? status : device.partitions.status;
}

static int teardown(void **state)
{
    (void)state;
    close_device();
    return 0;
}

static void types_and_flags_say_what_is_encrypted(void **state)
{
    (void)state;
    assert_int_equal(device.partitions.count, 6);
    assert_true(secret->encrypted && otadata->encrypted && keys->encrypted && app->encrypted);
    assert_false(plain->encrypted);
    sim.flash.cipher = NULL; /* a device without it reads its table as plain */
    test_cipher_apply(sim.bytes, true, TABLE_OFFSET, 0x1000);
    start_device();
    for (uint32_t i = 0; i < device.partitions.count; i++) {
        assert_false(device.partitions.items[i].encrypted);
    }
}

static void a_partition_is_encrypted_on_its_way_and_raw_is_what_lies_there(void **state)
{
    (void)state;
    char got[sizeof(text)], raw[sizeof(text)], want[sizeof(text)];
    assert_int_equal(esp_partition_erase_range(secret, 0, 4096), ESP_OK);
    assert_int_equal(esp_partition_write(secret, 0x120, text, sizeof(text)), ESP_OK);
    assert_int_equal(esp_partition_read(secret, 0x120, got, sizeof(got)), ESP_OK);
    assert_memory_equal(got, text, sizeof(text));
    assert_int_equal(esp_partition_read_raw(secret, 0x120, raw, sizeof(raw)), ESP_OK);
    assert_memory_equal(raw, sim.bytes + secret->address + 0x120, sizeof(raw));
    assert_memory_not_equal(raw, text, sizeof(text));
    memcpy(want, sim.bytes + secret->address + 0x120, sizeof(want));
    test_cipher_apply(sim.bytes, true, secret->address + 0x120, sizeof(text));
    assert_memory_equal(sim.bytes + secret->address + 0x120, text, sizeof(text));

    assert_int_equal(esp_partition_write_raw(secret, 0x400, want, 5), ESP_OK);
    assert_memory_equal(sim.bytes + secret->address + 0x400, want, 5);
    assert_int_equal(esp_partition_write(plain, 3, text, 5), ESP_OK);
    assert_memory_equal(sim.bytes + plain->address + 3, text, 5);
    assert_int_equal(esp_partition_read(plain, 3, got, 5), ESP_OK);
    assert_memory_equal(got, text, 5);
}

static void reading_has_any_alignment(void **state)
{
    (void)state;
    static uint8_t bytes[5008], got[5008]; /* more than goes through the cipher at once */
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 31 + i / 256);
    }
    assert_int_equal(esp_partition_erase_range(app, 0, 8192), ESP_OK);
    assert_int_equal(esp_partition_write(app, 0, bytes, sizeof(bytes)), ESP_OK);
    for (unsigned at = 0; at < 40; at++) {
        for (unsigned len = 1; len + at <= sizeof(bytes); len += len < 40 ? 1 : 97) {
            assert_int_equal(esp_partition_read(app, at, got, len), ESP_OK);
            assert_memory_equal(got, bytes + at, len);
        }
    }
}

static void erased_flash_reads_as_noise_and_is_blank(void **state)
{
    (void)state;
    uint8_t got[32];
    assert_int_equal(esp_partition_read(otadata, 0, got, sizeof(got)), ESP_OK);
    assert_memory_not_equal(got, sim.bytes + otadata->address, sizeof(got)); /* FF */
    assert_true(otter_flash_reads_blank(&sim.flash, otadata->address, otadata->size));
}

static void erased_records_are_no_torn_ones(void **state)
{
    (void)state;
    otter_ota_record_t records[2];
    int active;
    assert_int_equal(esp_partition_erase_range(otadata, 0, otadata->size), ESP_OK);
    assert_int_equal(otter_ota_read_records(&device, records, &active, NULL), ESP_OK);
    assert_true(records[0].erased && records[1].erased);
    sim.bytes[otadata->address + 31] &= 0x7F;
    assert_int_equal(otter_ota_read_records(&device, records, &active, NULL), ESP_OK);
    assert_true(!records[0].erased && !records[0].whole && records[1].erased);
}

static void writing_has_the_rule_of_sixteen(void **state)
{
    (void)state;
    static const struct {
        const esp_partition_t **partition;
        size_t offset, size;
        esp_err_t want;
    } rows[] = {
        {&secret, 8, 16, ESP_ERR_INVALID_ARG},
        {&secret, 16, 8, ESP_ERR_INVALID_SIZE},
        {&secret, 16, 17, ESP_ERR_INVALID_SIZE},
        {&secret, 1, 1, ESP_ERR_INVALID_ARG},
        {&secret, 16, 16, ESP_OK},
        {&secret, 32, 0, ESP_OK},
        {&secret, 0xFF0, 32, ESP_ERR_INVALID_SIZE},
        {&plain, 1, 1, ESP_OK},
        {&keys, 0, 16, ESP_ERR_NOT_ALLOWED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(esp_partition_write(*rows[i].partition, rows[i].offset, text, rows[i].size),
                         rows[i].want);
    }
}

static void a_map_is_decrypted_and_follows(void **state)
{
    (void)state;
    const void *map, *past;
    esp_partition_mmap_handle_t handle, other;
    assert_int_equal(esp_partition_mmap(app, 5, 100, ESP_PARTITION_MMAP_DATA, &map, &handle), ESP_OK);
    assert_int_equal(esp_partition_mmap(plain, 0, 64, ESP_PARTITION_MMAP_DATA, &past, &other), ESP_OK);
    assert_int_equal(esp_partition_write(app, 16, text, 64), ESP_OK);
    assert_int_equal(esp_partition_write(plain, 0, text, 64), ESP_OK);
    assert_memory_equal((const uint8_t *)map + 11, text, 64);
    assert_memory_equal(past, text, 64);
    esp_partition_munmap(handle);
    esp_partition_munmap(other);
}

static void a_registered_bootloader_is_encrypted_as_one_of_the_table(void **state)
{
    (void)state;
    const esp_partition_t *bootloader, *data;
    assert_int_equal(esp_partition_register_external(NULL, 0x1000, 0x2000, "boot",
                                                     ESP_PARTITION_TYPE_BOOTLOADER,
                                                     ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY, &bootloader),
                     ESP_OK);
    assert_int_equal(esp_partition_register_external(NULL, 0x3000, 0x1000, "data", ESP_PARTITION_TYPE_DATA,
                                                     ESP_PARTITION_SUBTYPE_DATA_FAT, &data),
                     ESP_OK);
    assert_true(bootloader->encrypted);
    assert_false(data->encrypted);
}

static void a_chip_is_read_past_the_cipher_and_through_it(void **state)
{
    (void)state;
    char got[64];
    const uint32_t at = app->address + 0x2000;
    assert_int_equal(esp_flash_write_encrypted(NULL, at, text, 64), ESP_OK);
    assert_int_equal(esp_flash_read_encrypted(NULL, at + 3, got, 50), ESP_OK);
    assert_memory_equal(got, text + 3, 50);
    assert_int_equal(esp_flash_read(NULL, got, at, 64), ESP_OK);
    assert_memory_equal(got, sim.bytes + at, 64);
    assert_memory_not_equal(got, text, 64);
    assert_int_equal(esp_partition_read(app, 0x2000, got, 64), ESP_OK);
    assert_memory_equal(got, text, 64);
    assert_int_equal(spi_flash_write_encrypted(at + 64, text, 32), ESP_OK);
    assert_int_equal(spi_flash_read_encrypted(at + 64, got, 32), ESP_OK);
    assert_memory_equal(got, text, 32);
    assert_int_equal(esp_flash_write_encrypted(NULL, at + 8, text, 16), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_flash_write_encrypted(NULL, at, text, 24), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_flash_write_encrypted(NULL, FLASH_SIZE, text, 16), ESP_ERR_INVALID_ARG);
}

static void a_range_across_both_kinds_is_each_as_it_is(void **state)
{
    (void)state;
    uint8_t got[96];
    assert_int_equal(esp_partition_write(plain, 0x2FE0, text, 32), ESP_OK);
    assert_int_equal(esp_partition_write(secret, 0, text + 32, 32), ESP_OK);
    assert_int_equal(otter_flash_read(&sim.flash, secret->address - 32, got, 64), ESP_OK);
    assert_memory_equal(got, text, 64);
    assert_int_equal(otter_flash_program(&sim.flash, plain->address + 0x2FD0 - 0x10, text, 8), ESP_OK);
    assert_int_equal(otter_flash_program(&sim.flash, app->address + 8, text, 8), ESP_ERR_INVALID_SIZE);
}

static void rows_that_overlap_are_encrypted_where_one_is(void **state)
{
    (void)state;
    static const otter_partition_entry_t rows[] = {
        {1, 0x06, 0x10000, 0x10000, "loose", 0},
        {0, 0x10, 0x18000, 0x10000, "app", 0},
    };
    uint8_t got[32];
    otter_device_deinit(&device);
    put_table(rows, 2, true);
    test_cipher_apply(sim.bytes, false, TABLE_OFFSET, 0x1000);
    start_device();
    assert_int_equal(device.partitions.count, 2);
    assert_int_equal(otter_flash_program(&sim.flash, 0x17FF0, text, 32), ESP_OK);
    assert_memory_equal(sim.bytes + 0x17FF0, text, 16);
    assert_memory_not_equal(sim.bytes + 0x18000, text + 16, 16);
    assert_int_equal(otter_flash_read(&sim.flash, 0x17FF0, got, 32), ESP_OK);
    assert_memory_equal(got, text, 32);
}

static void the_device_says_so(void **state)
{
    (void)state;
    assert_true(esp_flash_encryption_enabled() && esp_efuse_is_flash_encryption_enabled());
    assert_true(esp_flash_encrypt_state() && esp_flash_encrypt_initialized_once());
    assert_int_equal(esp_get_flash_encryption_mode(), ESP_FLASH_ENC_MODE_DEVELOPMENT);
    assert_false(esp_flash_encryption_cfg_verify_release_mode());
    otter_flash_cipher_t released = *test_cipher();
    released.release = true;
    sim.flash.cipher = &released;
    assert_int_equal(esp_get_flash_encryption_mode(), ESP_FLASH_ENC_MODE_RELEASE);
    sim.flash.cipher = NULL;
    assert_false(esp_flash_encryption_enabled() || esp_efuse_is_flash_encryption_enabled());
    assert_int_equal(esp_get_flash_encryption_mode(), ESP_FLASH_ENC_MODE_DISABLED);
    assert_int_equal(esp_flash_write_encrypted(NULL, 0x40000, text, 16), ESP_ERR_NOT_SUPPORTED);
    otter_device_set_current(NULL);
    assert_false(esp_flash_encryption_enabled());
}

static void a_cipher_needs_a_buffer(void **state)
{
    (void)state;
    otter_flash_cipher_t none = *test_cipher();
    otter_fault_t fault = {0};
    none.buffer.size = 8;
    sim.flash.cipher = &none;
    assert_int_equal(otter_flash_check_geometry(&sim.flash, &fault), ESP_ERR_INVALID_ARG);
    assert_non_null(strstr(fault.why, "a buffer of 16 bytes"));
    sim.flash.cipher = test_cipher();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(types_and_flags_say_what_is_encrypted),
        TEST(a_partition_is_encrypted_on_its_way_and_raw_is_what_lies_there),
        TEST(reading_has_any_alignment),
        TEST(erased_flash_reads_as_noise_and_is_blank),
        TEST(erased_records_are_no_torn_ones),
        TEST(writing_has_the_rule_of_sixteen),
        TEST(a_map_is_decrypted_and_follows),
        TEST(a_registered_bootloader_is_encrypted_as_one_of_the_table),
        TEST(a_chip_is_read_past_the_cipher_and_through_it),
        TEST(a_range_across_both_kinds_is_each_as_it_is),
        TEST(rows_that_overlap_are_encrypted_where_one_is),
        TEST(the_device_says_so),
        TEST(a_cipher_needs_a_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
