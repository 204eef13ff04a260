/* The known defects of ESP-IDF's selection of slots (docs/DIFFERENCES.md), each shown kept or fixed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "flash/partition_list.h"
#include "otter/promise.h"
#include "support/session_rig.h"

static void defect_32_selecting_the_same_slot_takes_effect(void **state)
{
    session_rig_t *f = *state; /* with rollback */
    for (uint32_t copy = 0; copy < 2; copy++) {
        rig_put_record(&f->rig, copy, 1, ESP_OTA_IMG_VALID);
        memset(f->rig.sim.bytes + RIG_OTADATA + (copy ^ 1) * OTADATA_COPY_DISTANCE, 0xFF, 4096);
        f->device->running = f->slot[0];
        session_place_app(f, f->slot[0], "esp32_valid.bin");
        assert_int_equal(otter_ota_set_boot_partition(f->device, f->slot[0], NULL), ESP_OK);
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
    assert_int_equal(otter_ota_set_boot_partition(&rig.device, test, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(rig.sim.ops, 0);
    rig_close(&rig);
}

static void defect_34_selecting_factory_erases_both_records(void **state)
{
    session_rig_t *f = *state;
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_VALID);
    rig_put_record(&f->rig, 1, 2, ESP_OTA_IMG_VALID);
    assert_int_equal(otter_ota_set_boot_partition(f->device, f->factory, NULL), ESP_OK);
    assert_true(rig_is_erased(&f->rig, RIG_OTADATA, RIG_OTADATA_SIZE));
    assert_ptr_equal(otter_ota_get_boot_partition(f->device), f->factory);
}

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
            esp_err_t err = otter_ota_mark_app_valid_cancel_rollback(f.device, NULL);
            cut = f.rig.sim.cut_fired;
            sim_flash_power_on(&f.rig.sim);
            assert_true(cut || err == ESP_OK);
            assert_true(selects_slot_0(&f));
            assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(f.device, NULL), ESP_OK);
            assert_true(selects_slot_0(&f));
            esp_ota_img_states_t found;
            assert_int_equal(otter_ota_get_state_partition(f.device, f.slot[0], &found), ESP_OK);
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
    assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(f->device, NULL), ESP_OK);
    esp_ota_img_states_t found;
    assert_int_equal(otter_ota_get_state_partition(f->device, f->slot[1], &found), ESP_OK);
    assert_int_equal(found, ESP_OTA_IMG_VALID);
}

static void defect_37_state_is_that_of_the_active_record(void **state)
{
    session_rig_t *f = *state;
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_ABORTED);
    rig_put_record(&f->rig, 1, 3, ESP_OTA_IMG_VALID); /* both are of ota_0 */
    esp_ota_img_states_t found;
    assert_int_equal(otter_ota_get_state_partition(f->device, f->slot[0], &found), ESP_OK);
    assert_int_equal(found, ESP_OTA_IMG_VALID);
}

static void defect_39_slots_are_counted_to_the_gap_and_by_rows(void **state)
{
    (void)state;
    rig_t rig;
    rig_open(&rig, "odd_gap_slots_0_2", &(otter_device_config_t){.rollback = false});
    const esp_partition_t *behind = rig_named(&rig, "2");
    rig_place(&rig, behind->address, "image", "esp32_valid.bin");
    assert_int_equal(otter_ota_get_app_partition_count(&rig.device), 1);
    assert_int_equal(otter_ota_set_boot_partition(&rig.device, behind, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(rig.sim.ops, 0);
    /* Of one slot seq 2 selects ota_0; of the two rows that the bootloader counts, the one that is missing. */
    const otadata_entry_t entry = otadata_make(2, ESP_OTA_IMG_VALID);
    const esp_partition_t *otadata = otter_partition_list_find(
        &rig.device.partitions, NULL, ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
    assert_non_null(otadata);
    otadata_encode(&entry, rig.sim.bytes + otadata->address);
    assert_string_equal(otter_ota_get_boot_partition(&rig.device)->label, rig_named(&rig, "0")->label);
    otter_boot_result_t result;
    otter_ignore(
        otter_boot(&rig.device, OTTER_BOOT_DRY_RUN, &result)); /* whether anything boots does not matter */
    assert_non_null(strstr(result.reason, "ota_1"));
    rig_close(&rig);
}

static void defect_43_too_old_a_version_is_erased(void **state)
{
    (void)state;
    session_rig_t f;
    session_open(&f, &(otter_device_config_t){.rollback = true, .anti_rollback = true});
    f.rig.secure_version = 2;
    session_place_app(&f, f.slot[0], "esp32_v110_sec1.bin");
    assert_int_equal(otter_ota_set_boot_partition(f.device, f.slot[0], NULL), ESP_ERR_OTA_SMALL_SEC_VER);
    assert_true(rig_is_erased(&f.rig, f.slot[0]->address, f.slot[0]->size));
    session_close(&f);
}

static void defect_44_next_update_partition_may_be_the_way_back(void **state)
{
    session_rig_t *f = *state;
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_VALID);
    rig_put_record(&f->rig, 1, 2, ESP_OTA_IMG_VALID);
    f->device->running = f->slot[1];
    assert_ptr_equal(otter_ota_get_next_update_partition(f->device, NULL),
                     f->slot[0]);                                    /* all there is to go back to */
    ((esp_partition_t *)f->slot[0])->type = ESP_PARTITION_TYPE_DATA; /* the fixture's own list */
    assert_ptr_equal(otter_ota_get_next_update_partition(f->device, NULL),
                     f->slot[1]); /* the only one: it runs */
    esp_ota_handle_t handle = 0;
    assert_int_equal(ota_begin(f->device, f->slot[1], 0, &handle), ESP_ERR_OTA_PARTITION_CONFLICT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST_ROLLBACK(defect_32_selecting_the_same_slot_takes_effect),
        cmocka_unit_test(defect_33_test_app_cannot_be_selected),
        SESSION_TEST(defect_34_selecting_factory_erases_both_records),
        cmocka_unit_test(defect_35_power_cut_while_confirming_keeps_the_record),
        SESSION_TEST(defect_36_marking_acts_on_the_selection),
        SESSION_TEST(defect_37_state_is_that_of_the_active_record),
        cmocka_unit_test(defect_39_slots_are_counted_to_the_gap_and_by_rows),
        cmocka_unit_test(defect_43_too_old_a_version_is_erased),
        SESSION_TEST(defect_44_next_update_partition_may_be_the_way_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
