/* The boot step where no recording reaches: bad tables, no otadata, failing flash, what it says in words. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/ota_rig.h"
#include "otter/promise.h"

static void open_with_images(rig_t *rig, const char *table, bool rollback)
{
    rig_open(rig, table, &(otter_device_config_t){.rollback = rollback});
    rig->untraced = true;
    for (uint32_t i = 0; i < rig->device.partitions.count; i++) {
        const esp_partition_t *p = &rig->device.partitions.items[i];
        if (p->type == ESP_PARTITION_TYPE_APP) {
            rig_place(rig, p->address, "image", "esp32_valid.bin");
        }
    }
}

static void a_device_without_a_usable_table_does_not_boot(void **state)
{
    (void)state;
    static const struct {
        const char *table;
        esp_err_t want;
    } rows[] = {
        {"bad_all_ff.bin", ESP_ERR_INVALID_STATE},
        {"bad_md5_digest.bin", ESP_ERR_INVALID_STATE},
        {"bad_exceeds_4mb.bin", ESP_ERR_INVALID_SIZE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rig_t rig;
        otter_boot_result_t result;
        open_with_images(&rig, "two_ota_md5", false);
        rig_place(&rig, RIG_TABLE_OFFSET, "ptable/bin", rows[i].table);
        assert_int_equal(otter_boot(&rig.device, OTTER_BOOT_COMMIT, &result), rows[i].want);
        assert_null(result.partition);
        assert_null(rig.device.running);
        assert_non_null(strstr(result.reason, "partition table"));
        rig_close(&rig);
    }
}

static void a_table_without_md5_boots_although_applications_cannot_read_it(void **state)
{
    (void)state;
    rig_t rig;
    otter_boot_result_t result;
    open_with_images(&rig, "two_ota_md5", false);
    rig_place(&rig, RIG_TABLE_OFFSET, "ptable/bin", "two_ota_nomd5.bin");
    memset(rig.sim.bytes + RIG_TABLE_OFFSET + 6 * 32, 0xFF, 64); /* the other table's MD5 row */
    const otter_chip_t chip = rig.device.chip;
    otter_device_init(&rig.device, &rig.flash, &chip, NULL, &(otter_device_config_t){.rollback = false});
    rig.device.config.copies = &otter_staged_copies;
    assert_int_equal(rig.device.partitions.status, ESP_ERR_NOT_FOUND);
    assert_int_equal(otter_boot(&rig.device, OTTER_BOOT_COMMIT, &result), ESP_OK);
    assert_string_equal(result.partition->label, "factory");
    assert_int_equal(result.partition->address, 0x10000);
    assert_ptr_equal(rig.device.running, result.partition);
    assert_int_equal(rig.device.partitions.count, 0);
    rig_close(&rig);
}

/** Turns the otadata row of the table in flash into something else; such a table has no MD5 row. */
static void edit_otadata_row(rig_t *rig, uint32_t offset_in_row, uint8_t value)
{
    rig_place(rig, RIG_TABLE_OFFSET, "ptable/bin", "two_ota_nomd5.bin");
    memset(rig->sim.bytes + RIG_TABLE_OFFSET + 6 * 32, 0xFF, 64);
    for (uint8_t *row = rig->sim.bytes + RIG_TABLE_OFFSET; row[0] == 0xAA; row += 32) {
        if (row[2] == ESP_PARTITION_TYPE_DATA && row[3] == ESP_PARTITION_SUBTYPE_DATA_OTA) {
            row[offset_in_row] = value;
            return;
        }
    }
    fail_msg("no otadata row");
}

static void without_otadata_factory_is_first(void **state)
{
    (void)state;
    rig_t rig;
    otter_boot_result_t result;
    open_with_images(&rig, "two_ota_md5", true);
    rig_put_record(&rig, 0, 1, ESP_OTA_IMG_NEW);
    edit_otadata_row(&rig, 3, ESP_PARTITION_SUBTYPE_DATA_FAT);
    assert_int_equal(otter_boot(&rig.device, OTTER_BOOT_COMMIT, &result), ESP_OK);
    assert_string_equal(result.partition->label, "factory");
    assert_string_equal(result.reason, "there is no otadata partition: factory is first");
    rig.sim.bytes[0x10000] = 0;
    assert_int_equal(otter_boot(&rig.device, OTTER_BOOT_COMMIT, &result), ESP_OK);
    assert_string_equal(result.partition->label, "ota_0");
    assert_int_equal(rig.sim.ops, 0);
    rig_close(&rig);
}

static void otadata_of_one_sector_stops_the_boot(void **state)
{
    (void)state;
    rig_t rig;
    otter_boot_result_t result;
    open_with_images(&rig, "two_ota_md5", false);
    edit_otadata_row(&rig, 9, 0x10); /* size 0x1000 */
    assert_int_equal(otter_boot(&rig.device, OTTER_BOOT_COMMIT, &result), ESP_ERR_INVALID_SIZE);
    assert_non_null(strstr(result.reason, "4096 bytes"));
    rig_close(&rig);
}

static void failing_flash_is_told_as_such(void **state)
{
    (void)state;
    otter_boot_result_t result;
    for (uint32_t at = 0; at < 40; at++) {
        rig_t rig;
        open_with_images(&rig, "two_ota_md5", true);
        rig_put_record(&rig, 0, 1, ESP_OTA_IMG_VALID);
        rig.sim.reads = 0;
        rig.sim.fail_read_at = at;
        esp_err_t err = otter_boot(&rig.device, OTTER_BOOT_COMMIT, &result);
        assert_true(err == ESP_ERR_FLASH_OP_FAIL || err == ESP_OK);
        assert_int_equal(err == ESP_OK, result.partition != NULL);
        assert_true(result.reason[0] != '\0');
        assert_int_equal(rig.sim.ops, 0);
        rig_close(&rig);
    }
}

static void the_reason_names_the_record_and_what_was_passed_over(void **state)
{
    (void)state;
    rig_t rig;
    otter_boot_result_t result;
    open_with_images(&rig, "two_ota_md5", false);
    rig_put_record(&rig, 0, 1, ESP_OTA_IMG_VALID);
    rig_put_record(&rig, 1, 2, ESP_OTA_IMG_VALID);
    assert_int_equal(otter_boot(&rig.device, OTTER_BOOT_DRY_RUN, &result), ESP_OK);
    assert_string_equal(result.reason, "otadata copy 1 is active (seq 2, VALID) and selects ota_1");
    assert_int_equal(result.tried_count, 0);
    assert_int_equal(result.image.image_len, 784);
    assert_null(rig.device.running); /* a dry run starts nothing */

    rig.sim.bytes[rig_named(&rig, "1")->address + 400] ^= 1;
    assert_int_equal(otter_boot(&rig.device, OTTER_BOOT_COMMIT, &result), ESP_OK);
    assert_string_equal(result.partition->label, "ota_0");
    assert_string_equal(result.reason,
                        "otadata copy 1 is active (seq 2, VALID) and selects ota_1; ota_1 did not "
                        "verify, ota_0 boots");
    assert_int_equal(result.tried_count, 1);
    assert_string_equal(result.tried[0].label, "ota_1");
    assert_int_equal(result.tried[0].fault.code, ESP_ERR_IMAGE_INVALID);
    assert_non_null(strstr(result.tried[0].fault.why, "checksum"));
    rig_close(&rig);
}

static void the_reason_names_no_factory_where_there_is_none(void **state)
{
    (void)state;
    rig_t rig;
    otter_boot_result_t result;
    open_with_images(&rig, "two_ota_md5", true);
    edit_otadata_row(&rig, 3, ESP_PARTITION_SUBTYPE_DATA_FAT);
    for (uint8_t *row = rig.sim.bytes + RIG_TABLE_OFFSET; row[0] == 0xAA; row += 32) {
        row[2] =
            row[2] == ESP_PARTITION_TYPE_APP && row[3] == 0 ? 0x40 : row[2]; /* factory is something else */
    }
    assert_int_equal(otter_boot(&rig.device, OTTER_BOOT_DRY_RUN, &result), ESP_OK);
    assert_string_equal(result.reason, "there is no otadata partition: ota_0 is first");
    rig_close(&rig);
    open_with_images(&rig, "two_ota_nofactory_md5", true);
    memset(rig.sim.bytes + RIG_OTADATA, 0, 32); /* damaged, and no fallback */
    memset(rig.sim.bytes + RIG_OTADATA + 0x1000, 0, 32);
    otter_ignore(otter_boot(&rig.device, OTTER_BOOT_DRY_RUN, &result));
    assert_null(strstr(result.reason, "factory"));
    assert_non_null(strstr(result.reason, "ota_0 is first"));
    rig_close(&rig);
}

static void the_reason_tells_of_trials_that_begin_and_end(void **state)
{
    static const struct {
        const char *name;
        uint32_t states[2];
        const char *want;
    } rows[] = {
        {"a trial begins",
         {ESP_OTA_IMG_VALID, ESP_OTA_IMG_NEW},
         "otadata copy 1 is active (seq 2, NEW: on trial from this boot on) and selects ota_1"},
        {"a trial has ended",
         {ESP_OTA_IMG_VALID, ESP_OTA_IMG_PENDING_VERIFY},
         "otadata copy 0 is active (seq 1, VALID) and selects ota_0; the trial of the other copy was never "
         "confirmed"},
        {"two trials have ended",
         {ESP_OTA_IMG_ABORTED, ESP_OTA_IMG_PENDING_VERIFY},
         "no otadata copy selects a slot (copy 0 seq 1 ABORTED, copy 1 seq 2 never confirmed, now ABORTED): "
         "factory is first"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rig_t rig;
        otter_boot_result_t result;
        open_with_images(&rig, "two_ota_md5", true);
        rig_put_record(&rig, 0, 1, rows[i].states[0]);
        rig_put_record(&rig, 1, 2, rows[i].states[1]);
        otter_ignore(otter_boot(&rig.device, OTTER_BOOT_DRY_RUN, &result));
        if (strncmp(result.reason, rows[i].want, strlen(rows[i].want)) != 0) {
            fail_msg("%s: %s", rows[i].name, result.reason);
        }
        rig_close(&rig);
    }
}

static void nothing_that_verifies_is_told_with_every_candidate(void **state)
{
    (void)state;
    rig_t rig;
    otter_boot_result_t result;
    rig_open(&rig, "three_ota_test_md5", &(otter_device_config_t){.rollback = false});
    rig.untraced = true;
    assert_int_equal(otter_boot(&rig.device, OTTER_BOOT_COMMIT, &result), ESP_ERR_NOT_FOUND);
    assert_int_equal(result.tried_count, 4);
    assert_string_equal(result.tried[3].label, "test");
    assert_non_null(strstr(result.reason, "nothing verifies"));
    assert_int_equal(rig.sim.ops, 0); /* and no first record for an image that did not start */
    rig_close(&rig);
}

static esp_err_t refuse_erase(void *dev, uint32_t off, uint32_t len)
{
    (void)dev, (void)off, (void)len;
    return ESP_ERR_FLASH_OP_TIMEOUT;
}

static void a_trial_that_cannot_be_recorded_is_passed_over(void **state)
{
    (void)state;
    rig_t rig;
    otter_boot_result_t result;
    open_with_images(&rig, "two_ota_md5", true);
    rig_put_record(&rig, 0, 1, ESP_OTA_IMG_VALID);
    rig_put_record(&rig, 1, 2, ESP_OTA_IMG_NEW);
    rig.ops.erase = refuse_erase;
    assert_int_equal(otter_boot(&rig.device, OTTER_BOOT_COMMIT, &result), ESP_OK);
    assert_string_equal(result.partition->label, "ota_0");
    rig_close(&rig);
}

/** A version read from damaged bytes would lock out every good image, for ever. */
static void a_damaged_image_burns_no_version(void **state)
{
    (void)state;
    rig_t rig;
    otter_boot_result_t result;
    rig_open(&rig, "two_ota_nofactory_md5",
             &(otter_device_config_t){.rollback = true, .anti_rollback = true});
    rig.untraced = true;
    rig.secure_version = 1;
    const esp_partition_t *slots[] = {rig_named(&rig, "0"), rig_named(&rig, "1")};
    rig_place(&rig, slots[0]->address, "image", "esp32_v110_sec1.bin");
    rig_place(&rig, slots[1]->address, "image", "esp32_v120_sec3.bin");
    rig_put_record(&rig, 0, 1, ESP_OTA_IMG_VALID);
    rig_put_record(&rig, 1, 2, ESP_OTA_IMG_VALID);
    rig.sim.bytes[slots[1]->address + 0x24] |= 0x10; /* secure_version 3 becomes 19 */
    assert_int_equal(otter_boot(&rig.device, OTTER_BOOT_COMMIT, &result), ESP_OK);
    assert_ptr_equal(result.partition, slots[0]);
    assert_int_equal(rig.secure_version, 1);
    rig_close(&rig);
}

static struct {
    uint32_t at;       /* of a secure version in flash */
    uint32_t readings; /* so many say something else first */
    uint8_t instead;
} swapped;

/** A chip that somebody has put in the place of the flash: it answers as it likes. */
static esp_err_t read_swapped(void *dev, uint32_t off, void *dst, uint32_t len)
{
    esp_err_t err = rig_read(dev, off, dst, len);
    if (swapped.at >= off && swapped.at - off < len && swapped.readings > 0) {
        swapped.readings--;
        ((uint8_t *)dst)[swapped.at - off] = swapped.instead;
    }
    return err;
}

/** CVE-2024-28183: the version that is compared is the one that was hashed. */
static void a_version_that_changes_between_readings_is_none(void **state)
{
    (void)state;
    for (uint32_t readings = 0; readings < 8; readings++) {
        rig_t rig;
        otter_boot_result_t result;
        rig_open(&rig, "two_ota_nofactory_md5",
                 &(otter_device_config_t){.rollback = true, .anti_rollback = true});
        rig.untraced = true;
        rig.secure_version = 2;
        rig.ops.read = read_swapped;
        const esp_partition_t *slots[] = {rig_named(&rig, "0"), rig_named(&rig, "1")};
        rig_place(&rig, slots[0]->address, "image", "esp32_v120_sec3.bin");
        rig_place(&rig, slots[1]->address, "image", "esp32_v110_sec1.bin");
        rig_put_record(&rig, 0, 1, ESP_OTA_IMG_VALID);
        rig_put_record(&rig, 1, 2, ESP_OTA_IMG_VALID);
        swapped.at = slots[1]->address + 0x24;
        swapped.readings = readings;
        swapped.instead = 9;
        assert_int_equal(otter_boot(&rig.device, OTTER_BOOT_COMMIT, &result), ESP_OK);
        assert_ptr_equal(result.partition, slots[0]); /* never what has version 1 */
        assert_in_range(rig.secure_version, 2, 3);    /* nor is 9 burned */
        rig_close(&rig);
    }
}

static void a_settled_device_boots_without_a_write(void **state)
{
    (void)state;
    static const uint32_t states[] = {ESP_OTA_IMG_VALID, ESP_OTA_IMG_UNDEFINED, ESP_OTA_IMG_INVALID,
                                      ESP_OTA_IMG_ABORTED, 5};
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        rig_t rig;
        otter_boot_result_t result;
        open_with_images(&rig, "two_ota_nofactory_md5", true);
        rig_put_record(&rig, 0, 1, states[i]);
        rig_put_record(&rig, 1, 2, states[i]);
        assert_int_equal(otter_boot(&rig.device, OTTER_BOOT_COMMIT, &result), ESP_OK);
        assert_int_equal(rig.sim.ops, 0);
        rig_close(&rig);
    }
}

static void a_boot_that_is_taken_back_has_not_happened(void **state)
{
    enum { NONE = -2 }; /* no record */
    static const struct {
        const char *name, *table;
        int64_t states[2];
        bool unchanged;
    } rows[] = {
        {"a trial begins beside a confirmed image",
         "two_ota_md5",
         {ESP_OTA_IMG_VALID, ESP_OTA_IMG_NEW},
         false},
        {"the first trial of a device", "two_ota_md5", {ESP_OTA_IMG_NEW, NONE}, false},
        {"a trial has ended", "two_ota_md5", {ESP_OTA_IMG_VALID, ESP_OTA_IMG_PENDING_VERIFY}, false},
        {"two trials have ended",
         "two_ota_md5",
         {ESP_OTA_IMG_PENDING_VERIFY, ESP_OTA_IMG_PENDING_VERIFY},
         false},
        {"one has ended, one begins", "two_ota_md5", {ESP_OTA_IMG_NEW, ESP_OTA_IMG_PENDING_VERIFY}, false},
        {"a trial beside a state that nobody knows", "two_ota_md5", {77, ESP_OTA_IMG_NEW}, false},
        {"the first record of a device", "two_ota_nofactory_md5", {NONE, NONE}, false},
        {"nothing changes", "two_ota_md5", {ESP_OTA_IMG_VALID, NONE}, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].name);
        rig_t rig;
        otter_boot_result_t result, after;
        open_with_images(&rig, rows[i].table, true);
        for (uint32_t copy = 0; copy < 2; copy++) {
            if (rows[i].states[copy] != NONE) {
                rig_put_record(&rig, copy, copy + 1, (uint32_t)rows[i].states[copy]);
            }
        }
        static uint8_t before[RIG_FLASH_SIZE];
        memcpy(before, rig.sim.bytes, sizeof(before));
        assert_int_equal(otter_boot(&rig.device, OTTER_BOOT_DRY_RUN, &result), ESP_OK);
        assert_int_equal(otter_boot(&rig.device, OTTER_BOOT_COMMIT, &after), ESP_OK);
        assert_int_equal(memcmp(before, rig.sim.bytes, sizeof(before)) == 0, rows[i].unchanged);
        assert_int_equal(otter_boot_take_back(&rig.device, &after), ESP_OK);
        assert_memory_equal(rig.sim.bytes, before, sizeof(before));
        assert_null(rig.device.running);
        assert_int_equal(otter_boot(&rig.device, OTTER_BOOT_COMMIT, &after), ESP_OK);
        assert_string_equal(after.partition->label, result.partition->label);
        rig_close(&rig);
    }
}

/** @return false: the cut did not fire, it was all taken back */
static bool cut_while_taking_back(uint32_t cut, sim_tear_t tear)
{
    rig_t rig;
    otter_boot_result_t result;
    open_with_images(&rig, "two_ota_md5", true);
    rig_put_record(&rig, 0, 1, ESP_OTA_IMG_VALID);
    rig_put_record(&rig, 1, 2, ESP_OTA_IMG_NEW);
    assert_int_equal(otter_boot(&rig.device, OTTER_BOOT_COMMIT, &result), ESP_OK);
    rig.sim.ops = 0;
    rig.sim.cut_at = cut;
    rig.sim.tear = tear;
    otter_ignore(otter_boot_take_back(&rig.device, &result));
    bool fired = rig.sim.cut_fired;
    sim_flash_power_on(&rig.sim);
    assert_int_equal(otter_boot(&rig.device, OTTER_BOOT_COMMIT, &result), ESP_OK);
    if (strcmp(result.partition->label, "ota_0") != 0 && strcmp(result.partition->label, "ota_1") != 0) {
        fail_msg("cut %u, tear %d: %s boots", (unsigned)cut, (int)tear, result.partition->label);
    }
    rig_close(&rig);
    return fired;
}

static void taking_back_may_be_cut_anywhere(void **state)
{
    (void)state;
    for (int tear = SIM_TEAR_BEFORE; tear < SIM_TEAR_COUNT; tear++) {
        uint32_t cut = 0;
        while (cut_while_taking_back(cut, (sim_tear_t)tear)) {
            cut++;
        }
        assert_true(cut >= 2);
    }
}

static void a_flash_whose_sectors_are_too_large_is_refused_at_once(void **state)
{
    (void)state;
    rig_t rig;
    static const otter_device_config_t config;
    rig_open_running(&rig, "two_ota_md5", &config);
    const otter_chip_t chip = rig.device.chip;
    otter_device_deinit(&rig.device);
    rig.flash.erase_size = 2 * OTTER_FLASH_ERASE_MAX;
    otter_device_init(&rig.device, &rig.flash, &chip, NULL, &config);
    rig.device.config.copies = &otter_staged_copies;
    assert_int_equal(rig.device.partitions.status, ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(rig.device.partitions.count, 0);
    static otter_boot_result_t result;
    assert_int_equal(otter_boot(&rig.device, OTTER_BOOT_COMMIT, &result), ESP_ERR_NOT_SUPPORTED);
    assert_non_null(strstr(result.reason, "262144"));
    assert_string_equal(result.reason, rig.device.fault.why);
    assert_int_equal(rig.sim.ops, 0);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flash_whose_sectors_are_too_large_is_refused_at_once),
        cmocka_unit_test(a_device_without_a_usable_table_does_not_boot),
        cmocka_unit_test(a_table_without_md5_boots_although_applications_cannot_read_it),
        cmocka_unit_test(without_otadata_factory_is_first),
        cmocka_unit_test(otadata_of_one_sector_stops_the_boot),
        cmocka_unit_test(failing_flash_is_told_as_such),
        cmocka_unit_test(the_reason_names_the_record_and_what_was_passed_over),
        cmocka_unit_test(the_reason_names_no_factory_where_there_is_none),
        cmocka_unit_test(the_reason_tells_of_trials_that_begin_and_end),
        cmocka_unit_test(nothing_that_verifies_is_told_with_every_candidate),
        cmocka_unit_test(a_trial_that_cannot_be_recorded_is_passed_over),
        cmocka_unit_test(a_damaged_image_burns_no_version),
        cmocka_unit_test(a_version_that_changes_between_readings_is_none),
        cmocka_unit_test(a_settled_device_boots_without_a_write),
        cmocka_unit_test(a_boot_that_is_taken_back_has_not_happened),
        cmocka_unit_test(taking_back_may_be_cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
