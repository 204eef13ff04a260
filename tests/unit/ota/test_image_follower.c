/* What others write while an update is open, or after it: the verdict is about what flash holds. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>

#include "support/session_rig.h"

#define IMAGE     "esp32_drom_irom_64k.bin"
#define IMAGE_LEN 66384u /* the first 64 KiB are read back when they are written, the rest at the end */

static esp_ota_handle_t write_image(session_rig_t *f)
{
    esp_ota_handle_t handle = 0;
    uint32_t len;
    uint8_t *bytes = rig_load("image", IMAGE, &len);
    assert_int_equal(len, IMAGE_LEN);
    assert_int_equal(ota_begin(f->device, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(ota_write(f->device, handle, bytes, len), ESP_OK);
    free(bytes);
    return handle;
}

typedef enum { SPOIL, TOUCH, ERASE } deed_t; /* TOUCH: a program that changes no bit */

/** As another task does, by esp_partition_write() and the like. */
static void do_at(session_rig_t *f, uint32_t address, deed_t deed)
{
    const uint8_t same = f->rig.sim.bytes[address];
    if (deed == ERASE) {
        assert_int_equal(otter_flash_erase(f->device->flash, address & ~0xFFFu, 0x1000), ESP_OK);
        return;
    }
    assert_int_equal(otter_flash_program(f->device->flash, address, &same, 1), ESP_OK);
    f->rig.sim.bytes[address] ^= deed == SPOIL ? 0x10 : 0;
}

static void what_others_write_while_an_update_is_open_is_judged(void **state)
{
    static const struct {
        uint32_t offset; /* in the slot, or behind it */
        deed_t deed;
        bool good, read_again;
    } rows[] = {
        {0x8000, SPOIL, false, true},   {0x8000, TOUCH, true, true},
        {0x8000, ERASE, false, true},   {0xFFFF, SPOIL, false, true},
        {0x10100, SPOIL, false, false}, {IMAGE_LEN + 0x8000, ERASE, true, false},
        {0x100000, ERASE, true, false},
    };
    session_rig_t *f = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        esp_ota_handle_t handle = write_image(f);
        do_at(f, f->slot[0]->address + rows[i].offset, rows[i].deed);
        uint64_t before = f->rig.flash.stats.bytes_read;
        assert_int_equal(ota_end(f->device, handle), rows[i].good ? ESP_OK : ESP_ERR_OTA_VALIDATE_FAILED);
        uint64_t read = f->rig.flash.stats.bytes_read - before;
        assert_int_equal(read >= IMAGE_LEN || !rows[i].good, rows[i].read_again || !rows[i].good);
        before = f->rig.flash.stats.bytes_read;
        assert_int_equal(otter_ota_set_boot_partition(f->device, f->slot[0], NULL),
                         rows[i].good ? ESP_OK : ESP_ERR_OTA_VALIDATE_FAILED);
        assert_true(!rows[i].good || f->rig.flash.stats.bytes_read - before < 1024);
    }
}

static void what_others_write_between_end_and_set_boot_is_judged(void **state)
{
    static const struct {
        uint32_t offset;
        deed_t deed;
        bool good, read_again;
    } rows[] = {
        {0, TOUCH, true, true},
        {0x8000, SPOIL, false, true},
        {0x8000, TOUCH, true, true},
        {IMAGE_LEN - 1, SPOIL, false, true},
        {IMAGE_LEN - 1, TOUCH, true, true},
        {0xFF000, ERASE, true, false},
        {0x100000, ERASE, true, false},
    };
    session_rig_t *f = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(ota_end(f->device, write_image(f)), ESP_OK);
        do_at(f, f->slot[0]->address + rows[i].offset, rows[i].deed);
        uint64_t before = f->rig.flash.stats.bytes_read;
        assert_int_equal(otter_ota_set_boot_partition(f->device, f->slot[0], NULL),
                         rows[i].good ? ESP_OK : ESP_ERR_OTA_VALIDATE_FAILED);
        uint64_t read = f->rig.flash.stats.bytes_read - before;
        assert_true(!rows[i].good || rows[i].read_again == (read >= IMAGE_LEN));
    }
}

static struct {
    session_rig_t *rig; /* NULL: it is not to begin, or has begun */
    uint32_t address;
    pthread_t thread;
} other_task;

static void *spoil(void *arg)
{
    do_at(arg, other_task.address, SPOIL);
    return NULL;
}

/** As soon as this reading is over the other task may write. */
static esp_err_t read_before_another_task_writes(void *dev, uint32_t off, void *dst, uint32_t len)
{
    esp_err_t err = rig_read(dev, off, dst, len);
    session_rig_t *f = other_task.rig;
    if (f != NULL && off <= other_task.address && other_task.address < off + len) {
        other_task.rig = NULL;
        assert_int_equal(pthread_create(&other_task.thread, NULL, spoil, f), 0);
    }
    return err;
}

/** It was right when it was read, so that is the answer; whoever asks next is told what was written meanwhile. */
static void what_others_write_after_it_was_read_is_not_taken_for_verified(void **state)
{
    session_rig_t *f = *state;
    f->rig.ops.read = read_before_another_task_writes;
    other_task.address = f->slot[0]->address + 0x8000;
    for (int at_end = 0; at_end < 2; at_end++) {
        uint32_t len;
        uint8_t *bytes = rig_load("image", IMAGE, &len);
        esp_ota_handle_t handle = 0;
        assert_int_equal(ota_begin(f->device, f->slot[0], 0, &handle), ESP_OK);
        assert_int_equal(ota_write_with_offset(f->device, handle, bytes, len, 0), ESP_OK); /* not followed */
        free(bytes);
        other_task.rig = at_end ? f : NULL;
        assert_int_equal(ota_end(f->device, handle), ESP_OK);
        if (!at_end) {
            f->device->verified = 0;
            other_task.rig = f;
            assert_int_equal(otter_ota_set_boot_partition(f->device, f->slot[0], NULL), ESP_OK);
        }
        assert_null(other_task.rig);
        assert_int_equal(pthread_join(other_task.thread, NULL), 0);
        assert_int_equal(otter_ota_set_boot_partition(f->device, f->slot[0], NULL),
                         ESP_ERR_OTA_VALIDATE_FAILED);
    }
}

/** A resumed update may be told late what its bytes are. */
static void a_final_partition_that_is_named_late_decides_for_all_bytes(void **state)
{
    session_rig_t *f = *state;
    uint32_t len;
    uint8_t *bytes = rig_load("image", IMAGE, &len);
    bytes[len - 1] ^= 1; /* a wrong hash, which a bootloader may have */
    esp_partition_t *bootloader = &f->device->partitions.items[0];
    bootloader->type = ESP_PARTITION_TYPE_BOOTLOADER;
    bootloader->subtype = ESP_PARTITION_SUBTYPE_BOOTLOADER_OTA;
    esp_ota_handle_t handle = 0;
    assert_int_equal(ota_resume(f->device, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES, 0, &handle), ESP_OK);
    assert_int_equal(ota_write(f->device, handle, bytes, 0x10000), ESP_OK);
    assert_int_equal(ota_set_final_partition(f->device, handle, bootloader, false), ESP_OK);
    assert_int_equal(ota_write(f->device, handle, bytes + 0x10000, len - 0x10000), ESP_OK);
    assert_int_equal(ota_end(f->device, handle), ESP_OK);
    assert_int_equal(otter_ota_set_boot_partition(f->device, f->slot[0], NULL), ESP_ERR_OTA_VALIDATE_FAILED);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(what_others_write_while_an_update_is_open_is_judged),
        SESSION_TEST(what_others_write_between_end_and_set_boot_is_judged),
        SESSION_TEST(what_others_write_after_it_was_read_is_not_taken_for_verified),
        SESSION_TEST(a_final_partition_that_is_named_late_decides_for_all_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
