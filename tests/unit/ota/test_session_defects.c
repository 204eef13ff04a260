/* The known defects of ESP-IDF's update session (docs/DIFFERENCES.md), each shown kept or fixed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/session_rig.h"

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
    session_place_app(f, f->slot[0], "esp32_valid.bin");
    esp_ota_handle_t handle = 0;
    assert_int_equal(ota_begin(f->device, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(ota_write(f->device, handle, "\xE8", 1), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(f->rig.sim.ops, 0);
    assert_int_equal(ota_abort(f->device, handle), ESP_OK);
    assert_int_equal(otter_ota_set_boot_partition(f->device, f->slot[0], NULL),
                     ESP_OK); /* the old image is whole */
}

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
    assert_int_equal(otter_ota_set_boot_partition(f->device, f->slot[0], NULL), ESP_OK);
    f->device->config.require_hash = true;
    memset(f->rig.sim.bytes + f->slot[0]->address, 0xFF, f->slot[0]->size);
    assert_int_equal(install_damaged_without_hash(f), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_non_null(strstr(f->device->fault.why, "no SHA-256"));
    assert_true(rig_is_erased(&f->rig, f->slot[0]->address, f->slot[0]->size)); /* no fallback can find it */
    session_place_app(f, f->slot[0], "esp32_nohash.bin");
    assert_int_equal(otter_ota_set_boot_partition(f->device, f->slot[0], NULL), ESP_ERR_OTA_VALIDATE_FAILED);
    session_place_app(f, f->slot[0], "esp32_valid.bin");
    assert_int_equal(otter_ota_set_boot_partition(f->device, f->slot[0], NULL), ESP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(defect_29_begin_that_fails_leaks_nothing),
        SESSION_TEST(defect_30_one_open_update_per_slot),
        SESSION_TEST(defect_31_magic_is_judged_before_the_erase),
        SESSION_TEST(defect_41_hash_is_optional_unless_required),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
