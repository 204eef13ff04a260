/* Flash that erases blocks, and lets the caller go on: what is erased when, and what is received until it is. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/session_rig.h"
#include "support/update_rig.h"

#define BLOCK     0x10000u
#define SECTOR    0x1000u
#define IMAGE_LEN 240000u
#define NOTES_MAX 64

/* What the flash was asked, beside reading. */
static struct {
    bool begun; /* by erase_begin */
    uint32_t off, len;
} erases[NOTES_MAX];
static uint32_t erase_count, busy_asks, waited, begins_failing;

static void forget(void)
{
    erase_count = busy_asks = waited = begins_failing = 0;
}

static void note(bool begun, uint32_t off, uint32_t len)
{
    assert_true(erase_count < NOTES_MAX);
    erases[erase_count].begun = begun;
    erases[erase_count].off = off;
    erases[erase_count++].len = len;
}

static esp_err_t noted_erase(void *dev, uint32_t off, uint32_t len)
{
    note(false, off, len);
    busy_asks = 0;
    return rig_erase(dev, off, len);
}

/** Goes on until it was asked for the 12th time, or somebody waits for it. */
static esp_err_t noted_begin(void *dev, uint32_t off, uint32_t len)
{
    note(true, off, len);
    if (begins_failing > 0) {
        begins_failing--;
        return ESP_ERR_FLASH_OP_FAIL;
    }
    busy_asks = 12;
    return rig_erase(dev, off, len);
}

static bool noted_busy(void *dev)
{
    (void)dev;
    busy_asks -= busy_asks > 0;
    return busy_asks > 0;
}

static esp_err_t noted_program(void *dev, uint32_t off, const void *src, uint32_t len)
{
    waited += busy_asks > 0; /* what else there is to do was not done */
    busy_asks = 0;
    return rig_program(dev, off, src, len);
}

static void make_chip(rig_t *rig, bool goes_on)
{
    forget();
    rig->untraced = true;
    rig->flash.stable_reads = false;
    rig->flash.block_size = BLOCK;
    rig->ops.erase = noted_erase;
    rig->ops.program = noted_program;
    rig->ops.erase_begin = goes_on ? noted_begin : NULL;
    rig->ops.is_busy = goes_on ? noted_busy : NULL;
}

static void a_slot_is_erased_block_by_block_as_bytes_reach_it(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t from, len, piece; /* what is written */
        bool stable;
        uint32_t block, moved; /* the slot begins so far from where the table has it */
        struct {
            uint32_t off, len;
        } want[4]; /* in the slot */
        uint32_t count;
    } rows[] = {
        {"one byte", 0, 1, 1, false, BLOCK, 0, {{0, BLOCK}}, 1},
        {"a block to its last byte", 0, BLOCK, 1000, false, BLOCK, 0, {{0, BLOCK}}, 1},
        {"one byte more", 0, BLOCK + 1, 1000, false, BLOCK, 0, {{0, BLOCK}, {BLOCK, BLOCK}}, 2},
        {"at once",
         0,
         2 * BLOCK + 1,
         3 * BLOCK,
         false,
         BLOCK,
         0,
         {{0, BLOCK}, {BLOCK, BLOCK}, {2 * BLOCK, BLOCK}},
         3},
        {"from a sector in a block on", 3 * SECTOR, 1, 1, false, BLOCK, 0, {{3 * SECTOR, 13 * SECTOR}}, 1},
        {"from a byte in a sector on",
         3 * SECTOR + 16,
         SECTOR,
         500,
         false,
         BLOCK,
         0,
         {{4 * SECTOR, 12 * SECTOR}},
         1},
        {"a slot between blocks",
         0,
         12 * SECTOR,
         4096,
         false,
         BLOCK,
         5 * SECTOR,
         {{0, 11 * SECTOR}, {11 * SECTOR, BLOCK}},
         2},
        {"the end, where a record may be",
         0x100000 - 2 * SECTOR,
         2 * SECTOR,
         4096,
         false,
         BLOCK,
         0,
         {{0x100000 - 2 * SECTOR, SECTOR}, {0x100000 - SECTOR, SECTOR}},
         2},
        {"no blocks", 0, SECTOR + 1, 100, false, 0, 0, {{0, SECTOR}, {SECTOR, SECTOR}}, 2},
        {"flash that reads stably", 0, SECTOR + 1, 100, true, BLOCK, 0, {{0, SECTOR}, {SECTOR, SECTOR}}, 2},
    };
    static uint8_t bytes[3 * BLOCK];
    memset(bytes, 0xE9, sizeof(bytes));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rig_t rig;
        otter_update_t update;
        otter_fault_t fault = {0};
        rig_open_running(&rig, "two_ota_md5", &(otter_device_config_t){0});
        make_chip(&rig, false);
        rig.flash.stable_reads = rows[i].stable;
        rig.flash.block_size = rows[i].block;
        esp_partition_t *slot = (esp_partition_t *)(uintptr_t)rig_app(&rig, 0x10);
        slot->address += rows[i].moved;
        slot->size -= rows[i].moved;
        memset(rig.sim.bytes + slot->address, 0x5A, slot->size);
        assert_int_equal(
            otter_update_resume(&update, &rig.device, slot, OTA_WITH_SEQUENTIAL_WRITES, rows[i].from, &fault),
            ESP_OK);
        memset(rig.sim.bytes + slot->address + rows[i].from, 0xFF, -rows[i].from % SECTOR);
        forget();
        for (uint32_t done = 0, n; done < rows[i].len; done += n) {
            n = rows[i].len - done < rows[i].piece ? rows[i].len - done : rows[i].piece;
            assert_int_equal(otter_update_write(&update, bytes, n, &fault), ESP_OK);
        }
        bool right = erase_count == rows[i].count;
        for (uint32_t k = 0; k < rows[i].count && right; k++) {
            right =
                erases[k].off == slot->address + rows[i].want[k].off && erases[k].len == rows[i].want[k].len;
        }
        if (!right) {
            fail_msg("%s: %u erases, the first 0x%x+0x%x", rows[i].name, erase_count,
                     erases[0].off - slot->address, erases[0].len);
        }
        assert_int_equal(otter_update_abort(&update), ESP_OK);
        rig_close(&rig);
    }
}

/* ---- downloads ---- */

static int set_up(void **state)
{
    update_rig_t *u = update_rig_open(IMAGE_LEN, &(otter_device_config_t){0});
    memset(u->rig.sim.bytes + u->slot->address, 0x5A, u->slot->size);
    make_chip(&u->rig, true);
    *state = u;
    return 0;
}

/** All of an update. @return what perform said last */
static esp_err_t perform_all(update_rig_t *u, esp_https_ota_handle_t *handle)
{
    *handle = update_rig_must_begin(u);
    forget();
    esp_err_t err;
    do {
        err = esp_https_ota_perform(*handle);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    return err;
}

static void a_download_goes_on_while_a_block_is_erased(void **state)
{
    update_rig_t *u = *state;
    esp_https_ota_handle_t handle;
    assert_int_equal(perform_all(u, &handle), ESP_OK);
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
    uint32_t begun = 0;
    for (uint32_t i = 0; i < erase_count; i++) {
        begun += erases[i].begun;
        assert_true(!erases[i].begun || erases[i].len == BLOCK);
    }
    assert_int_equal(begun, IMAGE_LEN / BLOCK); /* all but the first, which begins with the first write */
    assert_int_equal(waited, 0);
    assert_true(update_rig_boots_new(u));
}

static void what_comes_meanwhile_has_a_limit(void **state)
{
    update_rig_t *u = *state;
    esp_https_ota_handle_t handle = update_rig_must_begin(u);
    esp_err_t err;
    forget();
    do {
        err = esp_https_ota_perform(handle);
        busy_asks = busy_asks > 0 ? 12 : 0; /* it does not end before somebody waits for it */
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    assert_int_equal(err, ESP_OK);
    assert_int_equal(waited, IMAGE_LEN / BLOCK);
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
    assert_true(update_rig_boots_new(u));
}

static void an_erase_that_fails_is_tried_again(void **state)
{
    update_rig_t *u = *state;
    esp_https_ota_handle_t handle = update_rig_must_begin(u);
    esp_err_t err;
    forget();
    begins_failing = 1;
    do {
        err = esp_https_ota_perform(handle);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    assert_int_equal(err, ESP_OK);
    assert_int_equal(begins_failing, 0);
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
    assert_true(update_rig_boots_new(u));
}

static void a_lost_connection_keeps_what_came_before(void **state)
{
    update_rig_t *u = *state;
    u->web.cut_at = BLOCK + 5000; /* the second block is being erased then */
    u->web.refuse_from = 1;
    u->web.refuse_count = WEB_NEVER - 1;
    u->config.ota.retry.attempts = -1;
    esp_https_ota_handle_t handle;
    assert_int_not_equal(perform_all(u, &handle), ESP_OK);
    assert_in_range(esp_https_ota_get_image_len_read(handle), BLOCK + 4000, BLOCK + 5000);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slot_is_erased_block_by_block_as_bytes_reach_it),
        cmocka_unit_test_setup_teardown(a_download_goes_on_while_a_block_is_erased, set_up,
                                        update_rig_tear_down),
        cmocka_unit_test_setup_teardown(what_comes_meanwhile_has_a_limit, set_up, update_rig_tear_down),
        cmocka_unit_test_setup_teardown(an_erase_that_fails_is_tried_again, set_up, update_rig_tear_down),
        cmocka_unit_test_setup_teardown(a_lost_connection_keeps_what_came_before, set_up,
                                        update_rig_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
