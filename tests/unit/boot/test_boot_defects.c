/* The known defects of ESP-IDF's boot step (docs/DIFFERENCES.md), each shown kept or fixed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/session_rig.h"

static void defect_38_sequence_number_0_boots_as_recorded(void **state)
{
    session_rig_t *f = *state;
    const otadata_entry_t erased_crc = {.seq = 0, .state = UINT32_MAX, .crc = UINT32_MAX};
    assert_int_equal(otadata_crc(0), UINT32_MAX);
    assert_true(otadata_is_valid(&erased_crc));
    rig_put_record(&f->rig, 0, 0, UINT32_MAX);
    session_place_app(f, f->slot[0], "esp32_valid.bin");
    session_place_app(f, f->slot[1], "esp32_valid.bin");
    otter_boot_result_t result;
    assert_int_equal(otter_boot(f->device, OTTER_BOOT_COMMIT, &result), ESP_OK);
    assert_string_equal(result.partition->label, "ota_1"); /* (0 - 1) mod 2^32 mod 2 */
    /* What follows is never 0 again, so that the next selection wins over such a record. */
    assert_int_equal(otter_ota_set_boot_partition(f->device, f->slot[0], NULL), ESP_OK);
    assert_ptr_equal(otter_ota_get_boot_partition(f->device), f->slot[0]);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(defect_38_sequence_number_0_boots_as_recorded),
        SESSION_TEST_ROLLBACK(defect_40_trial_is_recorded_before_the_image_is_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
