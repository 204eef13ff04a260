/* The known defects of ESP-IDF's update session, records and boot step (docs/DIFFERENCES.md), each shown kept or fixed. */
#include "flash/partition_list.h"
#include "image/image.h"
#include "support/https_rig.h"
#include "support/session_rig.h"

static void place_app(session_rig_t *f, const esp_partition_t *partition, const char *file)
{
    rig_place(&f->rig, partition->address, "image", file);
    f->rig.device.verified = 0; /* the test reached around the flash */
}

/* ---- the session ---- */

static void defect_29_begin_that_fails_leaks_nothing(void **state)
{
    session_rig_t *f = *state;
    esp_ota_handle_t handle = 42;
    f->rig.sim.cut_at = 3;
    assert_int_equal(ota_begin(f->device, f->slot[0], 0, &handle), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(handle, 42);
    assert_null(f->device->updates);
    sim_flash_power_on(&f->rig.sim);
    assert_int_equal(ota_begin(f->device, f->slot[0], 0, &handle), ESP_OK);
    assert_int_equal(ota_abort(f->device, handle), ESP_OK);
}

static void defect_30_one_open_update_per_slot(void **state)
{
    session_rig_t *f = *state;
    esp_ota_handle_t first = 0, second = 0, other = 0;
    assert_int_equal(ota_begin(f->device, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES, &second), ESP_OK);
    assert_int_equal(ota_begin(f->device, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES, &first), ESP_OK);
    assert_int_equal(ota_end(f->device, second), ESP_ERR_NOT_FOUND); /* it had written nothing */
    assert_int_equal(ota_abort(f->device, second), ESP_ERR_NOT_FOUND);
    assert_int_equal(ota_write(f->device, first, "\xE9", 1), ESP_OK);
    assert_int_equal(ota_begin(f->device, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES, &second),
                     ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    assert_int_equal(ota_begin(f->device, f->slot[1], OTA_WITH_SEQUENTIAL_WRITES, &other), ESP_OK);
    assert_int_equal(ota_abort(f->device, first), ESP_OK);
    assert_int_equal(ota_begin(f->device, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES, &second), ESP_OK);
}

static void defect_31_magic_is_judged_before_the_erase(void **state)
{
    session_rig_t *f = *state;
    place_app(f, f->slot[0], "esp32_valid.bin");
    esp_ota_handle_t handle = 0;
    assert_int_equal(ota_begin(f->device, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(ota_write(f->device, handle, "\xE8", 1), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(f->rig.sim.ops, 0);
    assert_int_equal(ota_abort(f->device, handle), ESP_OK);
    assert_int_equal(ota_set_boot_partition(f->device, f->slot[0]), ESP_OK); /* the old image is whole */
}

/* ---- selecting ---- */

static void defect_32_selecting_the_same_slot_takes_effect(void **state)
{
    session_rig_t *f = *state; /* with rollback */
    for (uint32_t copy = 0; copy < 2; copy++) {
        rig_put_record(&f->rig, copy, 1, ESP_OTA_IMG_VALID);
        memset(f->rig.sim.bytes + RIG_OTADATA + (copy ^ 1) * OTADATA_COPY_DISTANCE, 0xFF, 4096);
        f->device->running = f->slot[0];
        place_app(f, f->slot[0], "esp32_valid.bin");
        assert_int_equal(ota_set_boot_partition(f->device, f->slot[0]), ESP_OK);
        const otadata_entry_t two[] = {rig_get_record(&f->rig, 0), rig_get_record(&f->rig, 1)};
        assert_int_equal(otadata_active(two), copy ^ 1);
        assert_int_equal(two[copy ^ 1].seq, 3); /* the same slot of two, newer */
        assert_int_equal(two[copy ^ 1].state, ESP_OTA_IMG_NEW);
        assert_int_equal(two[copy].seq, 1); /* until it was complete, the old one counted */
        assert_int_equal(two[copy].state, ESP_OTA_IMG_VALID);
    }
}

static void defect_33_test_app_cannot_be_selected(void **state)
{
    (void)state;
    rig_t rig;
    rig_open(&rig, "three_ota_test_md5", &(otter_device_config_t){.rollback = false});
    const esp_partition_t *test = rig_named(&rig, "t");
    rig_place(&rig, test->address, "image", "esp32_valid.bin");
    rig_place(&rig, rig_named(&rig, "0")->address, "image", "esp32_valid.bin");
    assert_int_equal(ota_set_boot_partition(&rig.device, test), ESP_ERR_INVALID_ARG);
    assert_int_equal(rig.sim.ops, 0);
    rig_close(&rig);
}

static void defect_34_selecting_factory_erases_both_records(void **state)
{
    session_rig_t *f = *state;
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_VALID);
    rig_put_record(&f->rig, 1, 2, ESP_OTA_IMG_VALID);
    assert_int_equal(ota_set_boot_partition(f->device, f->factory), ESP_OK);
    assert_true(rig_is_erased(&f->rig, RIG_OTADATA, RIG_OTADATA_SIZE));
    assert_ptr_equal(ota_get_boot_partition(f->device), f->factory);
}

/* ---- confirming ---- */

static bool selects_slot_0(const session_rig_t *f)
{
    const otadata_entry_t two[] = {rig_get_record(&f->rig, 0), rig_get_record(&f->rig, 1)};
    int active = otadata_active(two);
    return active != OTADATA_NONE && otadata_slot(two[active].seq, 2) == 0;
}

static void defect_35_power_cut_while_confirming_keeps_the_record(void **state)
{
    (void)state;
    for (int tear = 0; tear < SIM_TEAR_COUNT; tear++) {
        bool cut = true;
        for (uint32_t at = 0; cut; at++) {
            session_rig_t f;
            session_open(&f, &(otter_device_config_t){.rollback = false});
            rig_put_record(&f.rig, 0, 1, ESP_OTA_IMG_UNDEFINED); /* the only record */
            f.device->running = f.slot[0];
            f.rig.sim.cut_at = at;
            f.rig.sim.tear = (sim_tear_t)tear;
            esp_err_t err = ota_mark_app_valid_cancel_rollback(f.device);
            cut = f.rig.sim.cut_fired;
            sim_flash_power_on(&f.rig.sim);
            assert_true(cut || err == ESP_OK);
            assert_true(selects_slot_0(&f));
            assert_int_equal(ota_mark_app_valid_cancel_rollback(f.device), ESP_OK);
            assert_true(selects_slot_0(&f));
            esp_ota_img_states_t found;
            assert_int_equal(ota_get_state_partition(f.device, f.slot[0], &found), ESP_OK);
            assert_int_equal(found, ESP_OTA_IMG_VALID);
            session_close(&f);
        }
    }
}

static void defect_36_marking_acts_on_the_selection(void **state)
{
    session_rig_t *f = *state;
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_VALID);
    rig_put_record(&f->rig, 1, 2, ESP_OTA_IMG_UNDEFINED); /* selects ota_1 */
    f->device->running = f->slot[0];
    assert_int_equal(ota_mark_app_valid_cancel_rollback(f->device), ESP_OK);
    esp_ota_img_states_t found;
    assert_int_equal(ota_get_state_partition(f->device, f->slot[1], &found), ESP_OK);
    assert_int_equal(found, ESP_OTA_IMG_VALID);
}

static void defect_37_state_is_that_of_the_active_record(void **state)
{
    session_rig_t *f = *state;
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_ABORTED);
    rig_put_record(&f->rig, 1, 3, ESP_OTA_IMG_VALID); /* both are of ota_0 */
    esp_ota_img_states_t found;
    assert_int_equal(ota_get_state_partition(f->device, f->slot[0], &found), ESP_OK);
    assert_int_equal(found, ESP_OTA_IMG_VALID);
}

/* ---- booting ---- */

static void defect_38_sequence_number_0_boots_as_recorded(void **state)
{
    session_rig_t *f = *state;
    const otadata_entry_t erased_crc = {.seq = 0, .state = UINT32_MAX, .crc = UINT32_MAX};
    assert_int_equal(otadata_crc(0), UINT32_MAX);
    assert_true(otadata_is_valid(&erased_crc));
    rig_put_record(&f->rig, 0, 0, UINT32_MAX);
    place_app(f, f->slot[0], "esp32_valid.bin");
    place_app(f, f->slot[1], "esp32_valid.bin");
    otter_boot_result_t result;
    assert_int_equal(otter_boot(f->device, OTTER_BOOT_COMMIT, &result), ESP_OK);
    assert_string_equal(result.partition->label, "ota_1"); /* (0 - 1) mod 2^32 mod 2 */
    /* What follows is never 0 again, so that the next selection wins over such a record. */
    assert_int_equal(ota_set_boot_partition(f->device, f->slot[0]), ESP_OK);
    assert_ptr_equal(ota_get_boot_partition(f->device), f->slot[0]);
}

static void defect_39_slots_are_counted_to_the_gap_and_by_rows(void **state)
{
    (void)state;
    rig_t rig;
    rig_open(&rig, "odd_gap_slots_0_2", &(otter_device_config_t){.rollback = false});
    const esp_partition_t *behind = rig_named(&rig, "2");
    rig_place(&rig, behind->address, "image", "esp32_valid.bin");
    assert_int_equal(ota_get_app_partition_count(&rig.device), 1);
    assert_int_equal(ota_set_boot_partition(&rig.device, behind), ESP_ERR_INVALID_ARG);
    assert_int_equal(rig.sim.ops, 0);
    /* Of one slot seq 2 selects ota_0; of the two rows that the bootloader counts, the one that is missing. */
    const otadata_entry_t entry = otadata_make(2, ESP_OTA_IMG_VALID);
    const esp_partition_t *otadata = partition_list_find(
        &rig.device.partitions, NULL, ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
    assert_non_null(otadata);
    otadata_encode(&entry, rig.sim.bytes + otadata->address);
    assert_string_equal(ota_get_boot_partition(&rig.device)->label, rig_named(&rig, "0")->label);
    otter_boot_result_t result;
    (void)otter_boot(&rig.device, OTTER_BOOT_DRY_RUN, &result); /* whether anything boots does not matter */
    assert_non_null(strstr(result.reason, "ota_1"));
    rig_close(&rig);
}

static void defect_40_trial_is_recorded_before_the_image_is_judged(void **state)
{
    session_rig_t *f = *state; /* with rollback; ota_0 holds nothing */
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_NEW);
    otter_boot_result_t result;
    assert_int_equal(otter_boot(f->device, OTTER_BOOT_COMMIT, &result), ESP_OK);
    assert_string_equal(result.partition->label, "factory");
    assert_int_equal(rig_get_record(&f->rig, 0).state, ESP_OTA_IMG_PENDING_VERIFY);
    assert_int_equal(otter_boot(f->device, OTTER_BOOT_COMMIT, &result), ESP_OK);
    assert_int_equal(rig_get_record(&f->rig, 0).state, ESP_OTA_IMG_ABORTED);
}

/* ---- images ---- */

/** Writes an image without a hash in which the same bit is wrong in two places. @return what the first call that fails says */
static esp_err_t install_damaged_without_hash(session_rig_t *f)
{
    uint32_t len;
    uint8_t *bytes = rig_load("image", "esp32_nohash.bin", &len);
    bytes[32 + 256] ^= 0x10;
    bytes[32 + 260] ^= 0x10;
    esp_ota_handle_t handle = 0;
    assert_int_equal(ota_begin(f->device, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    esp_err_t err = ota_write(f->device, handle, bytes, len);
    free(bytes);
    if (err != ESP_OK) {
        assert_int_equal(ota_abort(f->device, handle), ESP_OK);
    }
    return err == ESP_OK ? ota_end(f->device, handle) : err;
}

static void defect_41_hash_is_optional_unless_required(void **state)
{
    session_rig_t *f = *state;
    assert_int_equal(install_damaged_without_hash(f), ESP_OK); /* eight bits of XOR do not see it */
    assert_int_equal(ota_set_boot_partition(f->device, f->slot[0]), ESP_OK);
    f->device->config.require_hash = true;
    memset(f->rig.sim.bytes + f->slot[0]->address, 0xFF, f->slot[0]->size);
    assert_int_equal(install_damaged_without_hash(f), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_non_null(strstr(ota_last_reason(f->device), "no SHA-256"));
    assert_true(rig_is_erased(&f->rig, f->slot[0]->address, f->slot[0]->size)); /* no fallback can find it */
    place_app(f, f->slot[0], "esp32_nohash.bin");
    assert_int_equal(ota_set_boot_partition(f->device, f->slot[0]), ESP_ERR_OTA_VALIDATE_FAILED);
    place_app(f, f->slot[0], "esp32_valid.bin");
    assert_int_equal(ota_set_boot_partition(f->device, f->slot[0]), ESP_OK);
}

static uint32_t read_limit; /* where reads of slot 0 must end; 0: anywhere */

static esp_err_t limited_read(void *dev, uint32_t off, void *dst, uint32_t len)
{
    const session_rig_t *f = dev; /* the rig is its first member */
    if (read_limit != 0 && off >= f->slot[0]->address && off < f->slot[0]->address + f->slot[0]->size) {
        assert_true(len <= read_limit - off);
    } else if (read_limit != 0) {
        fail_msg("read of 0x%" PRIx32 " outside the slot", off);
    }
    return rig_read(dev, off, dst, len);
}

static esp_err_t verify_slot_0(session_rig_t *f)
{
    f->rig.ops.read = limited_read;
    const image_rules_t rules = {.chip = &f->device->chip,
                                 .flash_offset = f->slot[0]->address,
                                 .size = f->slot[0]->size,
                                 .loading = true};
    read_limit = f->slot[0]->address + f->slot[0]->size;
    esp_err_t err = image_verify_flash(&f->rig.flash, &rules, NULL, NULL, 0);
    read_limit = 0;
    return err;
}

static void defect_42_nothing_is_read_past_the_partition(void **state)
{
    session_rig_t *f = *state;
    static const char *const too_long[] = {"seg_len_past_partition.bin", "seg_len_16M.bin"};
    for (size_t i = 0; i < COUNT(too_long); i++) {
        place_app(f, f->slot[0], too_long[i]);
        assert_int_equal(verify_slot_0(f), ESP_ERR_IMAGE_INVALID);
    }
    /* The segment ends inside; of checksum and hash a part, and then all, is beyond. */
    for (uint32_t beyond = 1; beyond <= 48; beyond++) {
        uint8_t *image = web_image(f->slot[0]->size + beyond, 2);
        memcpy(f->rig.sim.bytes + f->slot[0]->address, image, f->slot[0]->size);
        memcpy(f->rig.sim.bytes + f->slot[1]->address, image + f->slot[0]->size,
               beyond); /* it would verify */
        free(image);
        esp_err_t err = verify_slot_0(f);
        assert_int_equal(err, beyond < 16 ? ESP_OK : ESP_ERR_IMAGE_INVALID); /* its own padding ends inside */
    }
}

static void defect_43_too_old_a_version_is_erased(void **state)
{
    (void)state;
    session_rig_t f;
    session_open(&f, &(otter_device_config_t){.rollback = true, .anti_rollback = true});
    f.rig.secure_version = 2;
    place_app(&f, f.slot[0], "esp32_v110_sec1.bin");
    assert_int_equal(ota_set_boot_partition(f.device, f.slot[0]), ESP_ERR_OTA_SMALL_SEC_VER);
    assert_true(rig_is_erased(&f.rig, f.slot[0]->address, f.slot[0]->size));
    session_close(&f);
}

static void defect_44_next_update_partition_may_be_the_way_back(void **state)
{
    session_rig_t *f = *state;
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_VALID);
    rig_put_record(&f->rig, 1, 2, ESP_OTA_IMG_VALID);
    f->device->running = f->slot[1];
    assert_ptr_equal(ota_get_next_update_partition(f->device, NULL),
                     f->slot[0]);                                    /* all there is to go back to */
    ((esp_partition_t *)f->slot[0])->type = ESP_PARTITION_TYPE_DATA; /* the fixture's own list */
    assert_ptr_equal(ota_get_next_update_partition(f->device, NULL), f->slot[1]); /* the only one: it runs */
    esp_ota_handle_t handle = 0;
    assert_int_equal(ota_begin(f->device, f->slot[1], 0, &handle), ESP_ERR_OTA_PARTITION_CONFLICT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(defect_29_begin_that_fails_leaks_nothing),
        SESSION_TEST(defect_30_one_open_update_per_slot),
        SESSION_TEST(defect_31_magic_is_judged_before_the_erase),
        SESSION_TEST_ROLLBACK(defect_32_selecting_the_same_slot_takes_effect),
        cmocka_unit_test(defect_33_test_app_cannot_be_selected),
        SESSION_TEST(defect_34_selecting_factory_erases_both_records),
        cmocka_unit_test(defect_35_power_cut_while_confirming_keeps_the_record),
        SESSION_TEST(defect_36_marking_acts_on_the_selection),
        SESSION_TEST(defect_37_state_is_that_of_the_active_record),
        SESSION_TEST(defect_38_sequence_number_0_boots_as_recorded),
        cmocka_unit_test(defect_39_slots_are_counted_to_the_gap_and_by_rows),
        SESSION_TEST_ROLLBACK(defect_40_trial_is_recorded_before_the_image_is_judged),
        SESSION_TEST(defect_41_hash_is_optional_unless_required),
        SESSION_TEST(defect_42_nothing_is_read_past_the_partition),
        cmocka_unit_test(defect_43_too_old_a_version_is_erased),
        SESSION_TEST(defect_44_next_update_partition_may_be_the_way_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
