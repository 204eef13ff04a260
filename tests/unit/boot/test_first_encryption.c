/*
 * The first boot of a device with flash encryption: whatever room its journal has, and whatever bits a power cut leaves hanging,
 * each sector is encrypted once. The sweep cuts the power in more ways; here the cuts are those whose bits hang.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/encryption_journal.h"
#include "esp_flash_partitions.h"
#include "esp_log.h"
#include "otter/boot.h"
#include "otter/bytes.h"
#include "otter/partition_table.h"
#include "sim/sim_flash.h"
#include "support/image_builder.h"
#include "support/test_cipher.h"

#define SECTOR     4096u
#define FLASH_SIZE 0x20000u
#define TABLE      0x8000u
#define OTADATA    0x9000u
#define APP        0x10000u
#define APP_SIZE   0x3000u
#define DATA       0x13000u /* to the end of the flash, but for the room that a test leaves */

static uint8_t wanted[FLASH_SIZE];

typedef struct {
    sim_flash_t sim;
    otter_device_t device;
    uint32_t crypt_count;
    uint32_t room; /* sectors */
} rig_t;

static esp_err_t read_count(void *dev, uint32_t *bits)
{
    *bits = ((rig_t *)dev)->crypt_count;
    return ESP_OK;
}

static esp_err_t burn_count(void *dev)
{
    rig_t *rig = dev;
    assert_int_equal(rig->crypt_count, 0);
    if (rig->sim.dead) {
        return ESP_FAIL;
    }
    rig->crypt_count = 1;
    return ESP_OK;
}

static void make_app(uint8_t *flash)
{
    const image_plan_t plan = {.max_revision = 399,
                               .flash_code = 0x20,
                               .entry = IMAGE_ENTRY,
                               .load_addr = IMAGE_DROM,
                               .segment = 5000,
                               .hashed = true};
    for (uint32_t i = 0; i < plan.segment; i++) {
        flash[APP + IMAGE_DATA_AT + i] = (uint8_t)(i * 7 + i / 256);
    }
    image_describe(flash + APP, "first", "1.0.0", 0);
    image_finish(&plan, flash + APP);
}

/** Plain flash, and in `wanted` what it shall become. @param room  erased sectors behind the data */
static void setup(rig_t *rig, uint32_t room)
{
    memset(rig, 0, sizeof(*rig));
    assert_true(sim_flash_init(&rig->sim, FLASH_SIZE));
    rig->sim.flash.stable_reads = false;
    rig->room = room;
    const uint32_t data_size = FLASH_SIZE - DATA - room * SECTOR;
    const otter_partition_entry_t rows[] = {
        {.type = PART_TYPE_DATA, .subtype = PART_SUBTYPE_DATA_OTA, .offset = OTADATA, .size = 2 * SECTOR},
        {.type = PART_TYPE_APP, .subtype = PART_SUBTYPE_FACTORY, .offset = APP, .size = APP_SIZE},
        {.type = PART_TYPE_DATA, .subtype = 0x81, .offset = 0xB000, .size = 0x5000},
        {.type = PART_TYPE_DATA, .subtype = 0x82, .offset = DATA, .size = data_size}};
    uint8_t *flash = rig->sim.bytes;
    assert_int_equal(otter_partition_table_encode(rows, data_size != 0 ? 4 : 3, true, flash + TABLE), ESP_OK);
    make_app(flash);
    memset(flash + 0xB000, 0x5A, 0x5000);
    memset(flash + DATA, 0xA5, data_size);
    memcpy(wanted, flash, FLASH_SIZE);
    test_cipher_apply(wanted, false, TABLE, SECTOR);
    test_cipher_apply(wanted, false, OTADATA, 2 * SECTOR);
    test_cipher_apply(wanted, false, APP, APP_SIZE);
}

static void teardown(rig_t *rig)
{
    otter_device_deinit(&rig->device);
    sim_flash_free(&rig->sim);
}

static esp_err_t boot(rig_t *rig)
{
    static const otter_chip_t chip = {.id = 0, .revision = 300};
    const otter_efuse_t efuse = {.dev = rig, .read_crypt_count = read_count, .burn_crypt_count = burn_count};
    const otter_device_config_t config = {.table_offset = TABLE, .first_encryption = &otter_first_encryption};
    otter_boot_result_t result;
    rig->sim.flash.cipher = rig->crypt_count != 0 ? test_cipher() : NULL;
    rig->sim.flash.waiting = rig->crypt_count != 0 ? NULL : test_cipher();
    rig->sim.flash.partitions = NULL;
    otter_device_deinit(&rig->device);
    assert_int_equal(otter_device_init(&rig->device, &rig->sim.flash, &chip, &efuse, &config), ESP_OK);
    return otter_boot(&rig->device, OTTER_BOOT_COMMIT, &result);
}

/** All is as it shall be, but for what was the journal, if a cut may have been in its erase. */
static void check(const rig_t *rig, bool cut, const char *what, uint32_t first, uint32_t second)
{
    const uint32_t len = FLASH_SIZE - (cut ? rig->room * SECTOR : 0);
    if (rig->crypt_count != 1 || memcmp(rig->sim.bytes, wanted, len) != 0) {
        fail_msg("%s: wrong after cuts in operations %u and %u", what, first, second);
    }
}

static void the_journal_takes_as_much_room_as_there_is(void **state)
{
    (void)state;
    for (uint32_t room = 4; room <= 13; room++) {
        rig_t rig;
        setup(&rig, room);
        const esp_err_t err = boot(&rig);
        assert_int_equal(err, room < 5 ? ESP_ERR_INVALID_SIZE : ESP_OK);
        if (room < 5) {
            assert_int_equal(rig.sim.ops, 0);
            assert_int_equal(rig.crypt_count, 0);
        } else {
            check(&rig, false, "not cut", 0, 0);
        }
        teardown(&rig);
    }
}

static void cut_next(rig_t *rig, uint32_t op, uint32_t seed)
{
    rig->sim.cut_fired = false;
    rig->sim.cut_at = rig->sim.ops + op;
    rig->sim.tear = SIM_TEAR_BITS;
    rig->sim.tear_weak = true;
    rig->sim.tear_len = ENCRYPTION_HEAD_SIZE -
                        1; /* the last byte of a head hangs: it is there at one boot, and not at another */
    rig->sim.random = seed;
    rig->sim.noise = seed * 2654435761u | 1;
}

static void bits_that_hang_do_no_harm(void **state)
{
    (void)state;
    rig_t rig;
    setup(&rig, 5);
    const uint32_t mark = sim_flash_mark(&rig.sim);
    assert_int_equal(boot(&rig), ESP_OK);
    const uint32_t count = rig.sim.ops;
    for (uint32_t first = 0; first < count; first++) {
        for (uint32_t second = 0; second < 12; second++) {
            for (uint32_t seed = 1; seed <= 10; seed++) {
                sim_flash_rewind(&rig.sim, mark);
                rig.crypt_count = 0;
                cut_next(&rig, first, 16 * first + seed);
                (void)boot(&rig); /* what it answers is told by what the next ones find */
                assert_true(rig.sim.cut_fired);
                sim_flash_power_on(&rig.sim);
                cut_next(&rig, second, 16 * second + seed);
                (void)boot(&rig);
                sim_flash_power_on(&rig.sim);
                rig.sim.noise = seed * 7919u;
                assert_int_equal(boot(&rig), ESP_OK);
                check(&rig, true, "hanging", first, second);
            }
        }
    }
    teardown(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_journal_takes_as_much_room_as_there_is),
        cmocka_unit_test(bits_that_hang_do_no_harm),
    };
    esp_log_level_set("*", ESP_LOG_NONE);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
