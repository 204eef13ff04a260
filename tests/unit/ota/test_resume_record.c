/* The memory of a download, by itself: how much one mark speaks of. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "ota/resume_record.h"
#include "otter/bytes.h"
#include "sim/sim_flash.h"

#define MIB    0x100000u
#define SECTOR 4096u
#define UNIT   8u /* where the record tells it */

typedef struct {
    sim_flash_t sim;
    otter_device_t device;
    esp_partition_t slot;
} record_t;

static int set_up(void **state)
{
    static record_t r;
    memset(&r, 0, sizeof(r));
    assert_true(sim_flash_init(&r.sim, 8 * MIB));
    r.device.flash = &r.sim.flash;
    r.slot = (esp_partition_t){
        .flash_chip = &r.sim.flash, .address = 0x10000, .size = 7 * MIB, .erase_size = SECTOR};
    *state = &r;
    return 0;
}

static int tear_down(void **state)
{
    sim_flash_free(&((record_t *)*state)->sim);
    return 0;
}

static void a_mark_stands_for_a_sector_or_a_256th_of_a_large_image(void **state)
{
    record_t *r = *state;
    const struct {
        uint32_t write_size, image, unit;
    } rows[] = {
        {1, 5000, SECTOR},
        {1, MIB, SECTOR},
        {1, 960 * SECTOR - 1, SECTOR}, /* the last one that has room for a mark a sector */
        {1, 960 * SECTOR, 4 * SECTOR},
        {1, 6 * MIB, 7 * SECTOR},
        {32, 119 * SECTOR, SECTOR},
        {32, 6 * MIB, 13 * SECTOR}, /* there is room for 120 */
        {256, 6 * MIB, 103 * SECTOR},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const resume_file_t file = {
            .url = "https://host/", .validator = "\"v1\"", .length = rows[i].image, .image = rows[i].image};
        resume_record_t record, again;
        char validator[RESUME_VALIDATOR_SIZE];
        uint8_t *bytes = r->sim.bytes + r->slot.address;
        memset(bytes, 0xFF, r->slot.size);
        r->sim.flash.write_size = rows[i].write_size;
        assert_int_equal(resume_record_start(&record, &r->device, &r->slot, &file), ESP_OK);
        assert_true(record.active);
        assert_int_equal(le32_get(bytes + r->slot.size - SECTOR + UNIT), rows[i].unit);
        memset(bytes, 0x5A, rows[i].image);
        assert_int_equal(resume_record_take(&record, bytes, rows[i].image), ESP_OK);
        assert_int_equal(resume_record_load(&again, &r->device, &r->slot, file.url, validator, NULL),
                         (rows[i].image - 1) / rows[i].unit * rows[i].unit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_mark_stands_for_a_sector_or_a_256th_of_a_large_image, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
