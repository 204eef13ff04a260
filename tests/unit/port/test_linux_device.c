/* Opening a device from its flash file: which chip it is, which switches are on, and what a refresh forgets. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "linux/file_flash.h"
#include "linux/linux_device.h"
#include "linux/run_protocol.h"
#include "otter/linux.h"
#include "support/bootloader_image.h"

#define FLASH_SIZE  0x400000
#define FACTORY_OFF 0x10000
#define OTA_0_OFF   0x110000

static char folder[64], path[96], efuse_path[128];
static otter_fault_t fault;

static void write_at(long off, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0666);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, data, len, off), (ssize_t)len);
    close(fd);
}

static void put_vector(long off, const char *name)
{
    static uint8_t bytes[1 << 20];
    char file[256];
    snprintf(file, sizeof(file), "%s/%s", TEST_VECTORS, name);
    FILE *in = fopen(file, "rb");
    assert_non_null(in);
    size_t n = fread(bytes, 1, sizeof(bytes), in);
    fclose(in);
    assert_true(n > 0);
    write_at(off, bytes, n);
}

static void put_efuse(const char *text)
{
    FILE *out = fopen(efuse_path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static int setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/otter-linux-device-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(path, sizeof(path), "%s/flash.bin", folder);
    snprintf(efuse_path, sizeof(efuse_path), "%s.efuse", path);
    if (file_flash_create(path, FLASH_SIZE, &fault) != ESP_OK) {
        return -1;
    }
    put_vector(0x8000, "ptable/bin/two_ota_md5.bin");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    unlink(efuse_path);
    return rmdir(folder);
}

static linux_device_t dev;

static void open_device(const linux_device_options_t *options)
{
    static const linux_device_options_t defaults;
    fault = (otter_fault_t){0};
    esp_err_t err = linux_device_open(&dev, path, options != NULL ? options : &defaults, &fault);
    assert_string_equal(fault.why, "");
    assert_int_equal(err, ESP_OK);
}

static void close_device(void)
{
    assert_int_equal(linux_device_close(&dev), ESP_OK);
}

static void assert_chip(const char *name, uint16_t revision)
{
    assert_string_equal(otter_chip_facts(dev.device.chip.id)->name, name);
    assert_int_equal(dev.device.chip.revision, revision);
}

static void an_empty_flash_is_the_virtual_device(void **state)
{
    (void)state;
    open_device(NULL);
    assert_chip("linux", 0);
    assert_string_equal(dev.chip_source, "the default");
    assert_true(dev.device.config.rollback);
    assert_int_equal(dev.device.partitions.status, ESP_OK);
    close_device();
}

static void images_tell_the_chip_and_its_least_revision(void **state)
{
    (void)state;
    put_vector(FACTORY_OFF, "image/esp32_valid.bin");
    const uint8_t revision[] = {44, 1}; /* min_chip_rev_full 300 of an image in another slot */
    put_vector(OTA_0_OFF, "image/esp32_valid.bin");
    write_at(OTA_0_OFF + 15, revision, sizeof(revision));
    open_device(NULL);
    assert_chip("esp32", 0);
    linux_device_ask_images(&dev);
    assert_chip("esp32", 300);
    assert_false(dev.device.config.rollback); /* as ESP-IDF ships */
    close_device();
}

static void of_two_kinds_of_images_the_one_that_boots_tells(void **state)
{
    (void)state;
    put_vector(FACTORY_OFF, "image/bad_hash.bin");
    put_vector(OTA_0_OFF, "image/esp32s3_valid.bin");
    open_device(NULL);
    assert_string_equal(otter_chip_facts(dev.device.chip.id)->name, "esp32s3");
    close_device();
}

static void put_bootloader(long off, const char *chip, uint8_t flash_code)
{
    uint8_t raw[BOOTLOADER_IMAGE_LEN];
    const otter_chip_facts_t *facts = otter_chip_by_name(chip);
    make_bootloader_image(raw, facts->id, facts->ram[1].start, flash_code);
    write_at(off, raw, sizeof(raw));
}

static void the_bootloader_knows_better_than_images(void **state)
{
    (void)state;
    static const struct {
        const char *name, *chip;
        long off;
        const char *want;
    } rows[] = {
        {"at its place", "esp32s3", 0, "esp32s3"},
        {"no other chip's images explain where it is", "esp32c5", 0, "esp32c5"},
        {"of another chip, at the place of the images' chip", "esp32c3", 0x1000, "esp32"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].name);
        const uint8_t nothing[BOOTLOADER_IMAGE_LEN] = {0};
        write_at(0, nothing, sizeof(nothing));
        put_vector(FACTORY_OFF, "image/esp32_valid.bin");
        put_bootloader(rows[i].off, rows[i].chip, 0x20);
        open_device(NULL);
        assert_string_equal(otter_chip_facts(dev.device.chip.id)->name, rows[i].want);
        assert_string_equal(dev.chip_source, "the bootloader");
        close_device();
    }
}

static void a_shorter_file_is_a_whole_flash_when_asked_for(void **state)
{
    (void)state;
    linux_device_options_t options = {.read_only = true, .whole = true};
    put_vector(FACTORY_OFF, "image/esp32_valid.bin");
    assert_int_equal(truncate(path, FACTORY_OFF + 784), 0);
    open_device(&options);
    assert_int_equal(dev.flash->size, 0x400000); /* by the table, which ends at 0x310000 */
    assert_int_equal(file_flash_length(dev.flash), FACTORY_OFF + 784);
    close_device();
    assert_int_equal(truncate(path, 0x200000), 0);
    open_device(&options);
    assert_int_equal(dev.flash->size, 0x200000); /* a flash of its own, for which this table is too large */
    close_device();
    put_bootloader(0x1000, "esp32", 0x30);
    open_device(&options);
    assert_int_equal(dev.flash->size, 0x800000); /* by the bootloader */
    close_device();
    put_bootloader(0x1000, "esp32", 0x10);
    open_device(&options);
    assert_int_equal(dev.flash->size, 0x200000); /* although the table goes on */
    close_device();
    assert_int_equal(truncate(path, 0x8000), 0);
    open_device(&options);
    assert_int_equal(dev.flash->size, 0x200000);
    assert_int_equal(dev.device.partitions.count, 0);
    close_device();
}

static void a_shorter_file_becomes_a_whole_flash_by_the_first_write(void **state)
{
    (void)state;
    const linux_device_options_t options = {.whole = true};
    static uint8_t bytes[0x1000];
    assert_int_equal(truncate(path, FACTORY_OFF + 784), 0);
    open_device(&options);
    assert_int_equal(dev.flash->size, 0x400000);
    assert_int_equal(otter_flash_read(dev.flash, 0x3FF000, bytes, sizeof(bytes)), ESP_OK);
    assert_int_equal(bytes[0] & bytes[0xFFF], 0xFF);
    close_device(); /* looked at only */
    open_device(&options);
    assert_int_equal(file_flash_length(dev.flash), FACTORY_OFF + 784);
    assert_int_equal(otter_flash_program(dev.flash, OTA_0_OFF, "new", 3), ESP_OK);
    close_device();
    open_device(NULL); /* as any flash file from now on */
    assert_int_equal(dev.flash->size, 0x400000);
    assert_true(otter_flash_reads_blank(dev.flash, FACTORY_OFF + 784, OTA_0_OFF - FACTORY_OFF - 784));
    assert_int_equal(otter_flash_read(dev.flash, OTA_0_OFF, bytes, 4), ESP_OK);
    assert_memory_equal(bytes, "new\xff", 4);
    close_device();
    put_bootloader(0x1000, "esp32", 0x30); /* for 8 MB, but the partitions need 4 */
    open_device(&options);
    assert_int_equal(dev.flash->size, 0x400000);
    close_device();
}

static void the_descriptor_is_of_a_file_as_long_as_its_flash(void **state)
{
    (void)state;
    const linux_device_options_t options = {.whole = true};
    assert_int_equal(truncate(path, FACTORY_OFF + 1), 0);
    open_device(&options);
    assert_int_equal(lseek(file_flash_descriptor(dev.flash), 0, SEEK_END), 0x400000);
    close_device();
}

static void the_efuse_file_knows_better_than_images(void **state)
{
    (void)state;
    put_vector(FACTORY_OFF, "image/esp32_valid.bin");
    put_efuse("chip=esp32c3\nrevision=4\n");
    open_device(NULL);
    assert_chip("esp32c3", 4);
    assert_string_equal(dev.chip_source, efuse_path);
    close_device();
}

static void the_command_line_knows_best(void **state)
{
    (void)state;
    put_efuse("chip=esp32c3\nrevision=4\n");
    const linux_device_options_t options = {
        .chip = otter_chip_by_name("esp32s3"),
        .has_revision = true,
        .revision = 102,
        .rollback = LINUX_DEVICE_ON,
    };
    open_device(&options);
    assert_chip("esp32s3", 102);
    assert_true(dev.device.config.rollback);
    close_device();
}

static void a_broken_efuse_file_is_an_error_and_leaves_nothing_open(void **state)
{
    (void)state;
    static const linux_device_options_t defaults;
    put_efuse("chip=esp99\n");
    assert_int_equal(linux_device_open(&dev, path, &defaults, &fault), ESP_ERR_INVALID_STATE);
    assert_true(strstr(fault.why, "line 1") != NULL);
    unlink(efuse_path);
    open_device(NULL); /* the lock is free */
    close_device();
}

static void refresh_sees_what_others_changed_and_keeps_the_lock(void **state)
{
    (void)state;
    static const linux_device_options_t defaults;
    open_device(NULL);
    assert_int_equal(otter_flash_erase(dev.flash, 0x9000, 4096), ESP_OK);
    assert_int_equal(otter_flash_program(dev.flash, 0x9000, "mine", 4), ESP_OK);
    assert_int_equal(otter_flash_sync(dev.flash), ESP_OK);
    const uint32_t watch = otter_flash_watch(dev.flash, 0, 0x9000, 4096);

    write_at(0x9100, "theirs", 6); /* as the firmware does, which shares the open file */
    put_efuse("secure_version=3\n");
    assert_int_equal(linux_device_refresh(&dev, path, &defaults, &fault), ESP_OK);
    char text[7] = "";
    assert_int_equal(otter_flash_read(dev.flash, 0x9100, text, 6), ESP_OK);
    assert_string_equal(text, "theirs");
    assert_false(otter_flash_is_unwritten(dev.flash, watch, 0x9000));
    assert_int_equal(dev.efuse.secure_version, 3);

    linux_device_t other;
    assert_int_equal(linux_device_open(&other, path, &defaults, &fault), ESP_ERR_INVALID_STATE);
    close_device();
}

static void facts_for_the_firmware_survive_as_text(void **state)
{
    (void)state;
    const otter_run_boot_t boot = {.reset_reason = 4,
                                   .running = 0x7FFF0000,
                                   .table_offset = 0x8000,
                                   .watchdog_s = 1000000,
                                   .revision = 65534,
                                   .blk_revision = 102,
                                   .rollback = true};
    char text[OTTER_RUN_BOOT_TEXT_SIZE];
    run_boot_encode(&boot, text);
    otter_run_boot_t back = {0};
    assert_true(otter_run_boot_decode(text, &back));
    assert_int_equal(back.reset_reason, 4);
    assert_int_equal(back.running, 0x7FFF0000);
    assert_int_equal(back.table_offset, 0x8000);
    assert_int_equal(back.watchdog_s, 1000000);
    assert_int_equal(back.revision, 65534);
    assert_int_equal(back.blk_revision, 102);
    assert_true(back.rollback);
    assert_false(back.anti_rollback);
    assert_false(otter_run_boot_decode("reset=1 running=2", &back));
    assert_false(otter_run_boot_decode("", &back));
}

static void a_program_opens_a_device_by_the_public_header(void **state)
{
    (void)state;
    otter_device_t *device, *second;
    otter_fault_t why = {0};
    const otter_linux_options_t options = {.chip = "ESP32-C3", .rollback = OTTER_LINUX_ON};
    assert_int_equal(otter_linux_open(path, &options, &device, &why), ESP_OK);
    assert_int_equal(device->chip.id, 5);
    assert_true(device->config.rollback);
    assert_int_equal(device->flash->size, FLASH_SIZE);
    assert_int_equal(otter_linux_open(path, NULL, &second, &why), ESP_ERR_INVALID_STATE); /* it is locked */
    assert_null(second);
    assert_string_not_equal(why.why, "");
    otter_device_set_current(device);
    assert_int_equal(otter_linux_close(device), ESP_OK);
    assert_null(otter_device_current());
    assert_int_equal(otter_linux_open(path, &(otter_linux_options_t){.chip = "z80"}, &device, &why),
                     ESP_ERR_INVALID_ARG);
    assert_string_equal(why.why, "there is no chip 'z80'");
    assert_int_equal(otter_linux_open("/nowhere/flash.bin", NULL, &device, NULL), ESP_ERR_NOT_FOUND);
    assert_int_equal(otter_linux_open(NULL, NULL, &device, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(otter_linux_close(NULL), ESP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_program_opens_a_device_by_the_public_header, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_flash_is_the_virtual_device, setup, teardown),
        cmocka_unit_test_setup_teardown(images_tell_the_chip_and_its_least_revision, setup, teardown),
        cmocka_unit_test_setup_teardown(of_two_kinds_of_images_the_one_that_boots_tells, setup, teardown),
        cmocka_unit_test_setup_teardown(the_bootloader_knows_better_than_images, setup, teardown),
        cmocka_unit_test_setup_teardown(a_shorter_file_becomes_a_whole_flash_by_the_first_write, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_descriptor_is_of_a_file_as_long_as_its_flash, setup, teardown),
        cmocka_unit_test_setup_teardown(a_shorter_file_is_a_whole_flash_when_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(the_efuse_file_knows_better_than_images, setup, teardown),
        cmocka_unit_test_setup_teardown(the_command_line_knows_best, setup, teardown),
        cmocka_unit_test_setup_teardown(a_broken_efuse_file_is_an_error_and_leaves_nothing_open, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(refresh_sees_what_others_changed_and_keeps_the_lock, setup, teardown),
        cmocka_unit_test(facts_for_the_firmware_survive_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
