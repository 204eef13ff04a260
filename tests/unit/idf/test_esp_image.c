/* ESP-IDF's image and descriptor names on the current device. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_bootloader_desc.h"
#include "esp_image_format.h"
#include "esp_ota_ops.h"
#include "otter/device.h"
#include "sim/sim_flash.h"
#include "sim/sim_system.h"

#define FLASH_SIZE 0x200000u
#define SLOT       0x10000u

static sim_flash_t sim;
static otter_device_t device;

static void put_vector(const char *name, uint32_t off)
{
    char path[256];
    snprintf(path, sizeof(path), TEST_VECTORS "/image/%s.bin", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    memset(sim.bytes, 0xFF, FLASH_SIZE);
    assert_true(fread(sim.bytes + off, 1, FLASH_SIZE - off, f) > 0);
    fclose(f);
}

static int setup(void **state)
{
    (void)state;
    otter_chip_t chip = {.id = ESP_CHIP_ID_ESP32, .revision = 300};
    otter_device_config_t config = {0};
    if (!sim_flash_init(&sim, FLASH_SIZE)) {
        return -1;
    }
    otter_device_init(&device, &sim.flash, &chip, NULL, &config);
    otter_device_set_current(&device);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    otter_device_deinit(&device);
    otter_device_set_current(NULL);
    sim_flash_free(&sim);
    return 0;
}

static void verify_tells_what_the_image_says(void **state)
{
    (void)state;
    put_vector("esp32_v120_sec3", SLOT);
    const esp_partition_pos_t part = {SLOT, 0x100000};
    esp_image_metadata_t data;
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, &part, &data), ESP_OK);
    assert_int_equal(data.start_addr, SLOT);
    assert_int_equal(data.image.segment_count, 4);
    assert_int_equal(data.segment_data[0], SLOT + 32);
    assert_int_equal(data.segments[0].load_addr, 0x3F400020);
    assert_int_equal(data.image_len, 784);
    assert_memory_equal(data.image_digest, sim.bytes + SLOT + 784 - 32, 32);
    assert_int_equal(data.secure_version, 3);
    assert_int_equal(data.mmu_page_size, 0x10000);

    esp_image_metadata_t same;
    assert_int_equal(esp_image_get_metadata(&part, &same), ESP_OK);
    assert_memory_equal(&same, &data, sizeof(data));
}

static void a_failure_leaves_zeros(void **state)
{
    (void)state;
    static const struct {
        const char *image;
        esp_err_t verify, metadata;
    } rows[] = {
        {"bad_hash", ESP_ERR_IMAGE_INVALID, ESP_OK},
        {"bad_magic", ESP_ERR_IMAGE_INVALID, ESP_OK},
        {"wrong_chip", ESP_FAIL, ESP_OK},
        {"seg_len_16M", ESP_ERR_IMAGE_INVALID, ESP_ERR_IMAGE_INVALID},
    };
    const esp_partition_pos_t part = {SLOT, 0x100000};
    esp_image_metadata_t data, zeros;
    memset(&zeros, 0, sizeof(zeros));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        put_vector(rows[i].image, SLOT);
        assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY_SILENT, &part, &data), rows[i].verify);
        assert_memory_equal(&data, &zeros, sizeof(data));
        assert_int_equal(esp_image_get_metadata(&part, &data), rows[i].metadata);
    }
}

static void arguments_are_checked(void **state)
{
    (void)state;
    const esp_partition_pos_t part = {SLOT, 0x100000}, large = {SLOT, 0x1000001},
                              beyond = {FLASH_SIZE + 4096, 4096};
    esp_image_metadata_t data;
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, NULL, &data), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, &part, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_image_get_metadata(NULL, &data), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, &large, &data), ESP_ERR_INVALID_ARG);
    assert_int_not_equal(esp_image_verify(ESP_IMAGE_VERIFY, &beyond, &data), ESP_OK);
    otter_device_set_current(NULL);
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, &part, &data), ESP_ERR_INVALID_STATE);
    otter_device_set_current(&device);
}

static void a_huge_length_does_not_wrap_around_the_flash(void **state)
{
    (void)state;
    put_vector("esp32s3_valid", SLOT);
    device.chip = (otter_chip_t){.id = ESP_CHIP_ID_ESP32S3, .revision = 2, .blk_revision = 100};
    const esp_partition_pos_t part = {SLOT, UINT32_MAX};
    /* The last segment's length, so that offset + length comes back to the image's own beginning. */
    uint8_t *len = sim.bytes + SLOT + 24 + 4;
    const uint32_t wrapped = 0u - SLOT - 32;
    memcpy(len,
           (uint8_t[]){(uint8_t)wrapped, (uint8_t)(wrapped >> 8), (uint8_t)(wrapped >> 16),
                       (uint8_t)(wrapped >> 24)},
           4);
    esp_image_metadata_t data;
    assert_int_not_equal(esp_image_get_metadata(&part, &data), ESP_OK);
    device.chip = (otter_chip_t){.id = ESP_CHIP_ID_ESP32, .revision = 300};
}

static void the_bootloader_has_its_own_place_and_rules(void **state)
{
    (void)state;
    device.chip = (otter_chip_t){.id = ESP_CHIP_ID_ESP32C3, .revision = 3};
    put_vector("esp32c3_bootloader", 0);
    uint32_t len = 0;
    assert_int_equal(esp_image_bootloader_offset_get(), 0);
    assert_int_equal(esp_image_verify_bootloader(&len), ESP_OK);
    assert_int_equal(len, 1040);
    sim.bytes[1039] ^= 1; /* its hash is not compared: esptool may have rewritten the header */
    assert_int_equal(esp_image_verify_bootloader(NULL), ESP_OK);
    sim.bytes[100] ^= 1; /* its checksum is */
    assert_int_equal(esp_image_verify_bootloader(&len), ESP_ERR_IMAGE_INVALID);
    assert_int_equal(len, 0);

    esp_image_metadata_t data;
    memset(&data, 0x55, sizeof(data));
    assert_int_equal(esp_image_verify_bootloader_data(&data), ESP_ERR_IMAGE_INVALID);
    assert_int_equal(data.image_len, 0);
    sim.bytes[100] ^= 1;
    assert_int_equal(esp_image_verify_bootloader_data(&data), ESP_OK);
    assert_int_equal(data.image_len, 1040);
    assert_int_equal(data.image.magic, ESP_IMAGE_HEADER_MAGIC);
    assert_int_equal(esp_image_verify_bootloader_data(NULL), ESP_ERR_INVALID_ARG);

    esp_image_bootloader_offset_set(0x3000);
    assert_int_equal(esp_image_bootloader_offset_get(), 0x3000);
    esp_image_bootloader_offset_set(0);
    device.chip = (otter_chip_t){.id = ESP_CHIP_ID_ESP32, .revision = 300};
}

static void flash_size_codes_are_sizes(void **state)
{
    (void)state;
    assert_int_equal(esp_image_get_flash_size(ESP_IMAGE_FLASH_SIZE_1MB), 0x100000);
    assert_int_equal(esp_image_get_flash_size(ESP_IMAGE_FLASH_SIZE_128MB), 0x8000000);
    assert_int_equal(esp_image_get_flash_size(ESP_IMAGE_FLASH_SIZE_MAX), 0);
    assert_int_equal(esp_image_get_flash_size((esp_image_flash_size_t)15), 0);
}

static void the_description_is_that_of_the_running_slot(void **state)
{
    (void)state;
    static const esp_partition_t slot = {.address = SLOT, .size = 0x100000},
                                 empty = {.address = 0x110000, .size = 0x1000};
    device.running = NULL;
    assert_int_equal(esp_app_get_description()->magic_word, ESP_APP_DESC_MAGIC_WORD);
    assert_int_equal(esp_app_get_description()->version[0], '\0');

    put_vector("esp32_v110_sec1", SLOT);
    device.running = &slot;
    const esp_app_desc_t *desc = esp_app_get_description();
    assert_memory_equal(desc, sim.bytes + SLOT + 32, sizeof(*desc));
    assert_string_equal(desc->version, "1.1.0");

    device.running = &empty;
    assert_int_equal(esp_app_get_description()->version[0], '\0');
    device.running = &slot;
    assert_string_equal(esp_app_get_description()->version, "1.1.0");
}

static void the_elf_digest_is_cut_to_the_room_there_is(void **state)
{
    (void)state;
    static const esp_partition_t slot = {.address = SLOT, .size = 0x100000};
    put_vector("esp32_valid", SLOT);
    device.running = NULL;
    (void)esp_app_get_description();
    device.running = &slot;
    char text[80];
    memset(text, 'x', sizeof(text));
    assert_int_equal(esp_app_get_elf_sha256(text, sizeof(text)), 10); /* 9 digits and the end */
    assert_string_equal(text, "05d6dae13");
    assert_int_equal(esp_app_get_elf_sha256(text, 4), 4);
    assert_string_equal(text, "05d");
    assert_int_equal(esp_app_get_elf_sha256(text, 2), 2);
    assert_string_equal(text, "0");
    assert_int_equal(esp_app_get_elf_sha256(text, 1), 0); /* no room for a digit: nothing is written */
    assert_int_equal(esp_app_get_elf_sha256(text, 0), 0);
    assert_int_equal(esp_app_get_elf_sha256(NULL, 10), 0);
    assert_string_equal(text, "0");
    assert_string_equal(esp_app_get_elf_sha256_str(), "05d6dae13");
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static void the_names_of_version_4_do_the_same(void **state)
{
    (void)state;
    char text[4];
    assert_int_equal(esp_ota_get_app_elf_sha256(text, sizeof(text)), 4);
    assert_ptr_equal(esp_ota_get_app_description(), esp_app_get_description());
}
#pragma GCC diagnostic pop

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verify_tells_what_the_image_says),
        cmocka_unit_test(a_failure_leaves_zeros),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(a_huge_length_does_not_wrap_around_the_flash),
        cmocka_unit_test(the_bootloader_has_its_own_place_and_rules),
        cmocka_unit_test(flash_size_codes_are_sizes),
        cmocka_unit_test(the_description_is_that_of_the_running_slot),
        cmocka_unit_test(the_elf_digest_is_cut_to_the_room_there_is),
        cmocka_unit_test(the_names_of_version_4_do_the_same),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
