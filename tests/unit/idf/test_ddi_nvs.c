/* The record of a fleet's agent in NVS: none, the last one, or the one before after a power cut. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "nvs.h"
#include "nvs_flash.h"
#include "otter/ddi_nvs.h"
#include "support/current_rig.h"

static char name_space[] = "fleet";
static const otter_partition_entry_t entries[] = {{1, 0x02, 0x9000, 0x4000, "nvs", 0}};

static int set_up(void **state)
{
    (void)state;
    return open_device(0x400000u, entries, 1);
}

static int tear_down(void **state)
{
    (void)state;
    otter_ignore(nvs_flash_deinit()); /* a test may have left it so */
    close_device();
    return 0;
}

static void restart(void)
{
    assert_int_equal(nvs_flash_deinit(), ESP_OK);
    start_device();
    assert_int_equal(nvs_flash_init(), ESP_OK);
}

static void fill(uint8_t record[OTTER_DDI_RECORD_SIZE], uint32_t seed)
{
    for (uint32_t i = 0; i < OTTER_DDI_RECORD_SIZE; i++) {
        record[i] = (uint8_t)(seed * 31 + i * 7);
    }
}

static void a_record_is_none_and_then_the_last_one(void **state)
{
    (void)state;
    uint8_t record[OTTER_DDI_RECORD_SIZE], back[OTTER_DDI_RECORD_SIZE];
    fill(record, 1);
    assert_int_equal(otter_ddi_nvs_load(name_space, back), ESP_ERR_NVS_NOT_INITIALIZED);
    assert_int_equal(otter_ddi_nvs_save(name_space, record), ESP_ERR_NVS_NOT_INITIALIZED);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(otter_ddi_nvs_load(name_space, back), ESP_ERR_NOT_FOUND);
    for (uint32_t i = 1; i < 100; i++) { /* more than fit: old ones have to go */
        fill(record, i);
        assert_int_equal(otter_ddi_nvs_save(name_space, record), ESP_OK);
        assert_int_equal(otter_ddi_nvs_load(name_space, back), ESP_OK);
        assert_memory_equal(back, record, sizeof(back));
    }
    restart();
    assert_int_equal(otter_ddi_nvs_load(name_space, back), ESP_OK);
    assert_memory_equal(back, record, sizeof(back));
}

static void a_blob_of_another_size_is_no_record(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, OTTER_DDI_RECORD_SIZE - 1, OTTER_DDI_RECORD_SIZE + 1};
    uint8_t back[OTTER_DDI_RECORD_SIZE], bytes[OTTER_DDI_RECORD_SIZE + 1] = {0};
    assert_int_equal(nvs_flash_init(), ESP_OK);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        nvs_handle_t nvs;
        assert_int_equal(nvs_open(name_space, NVS_READWRITE, &nvs), ESP_OK);
        assert_int_equal(nvs_set_blob(nvs, "ddi", bytes, sizes[i]), ESP_OK);
        nvs_close(nvs);
        assert_int_equal(otter_ddi_nvs_load(name_space, back), ESP_ERR_NOT_FOUND);
    }
}

/** @return false: there were fewer operations */
static bool try_cutting(uint32_t at, sim_tear_t tear)
{
    uint8_t old[OTTER_DDI_RECORD_SIZE], record[OTTER_DDI_RECORD_SIZE], back[OTTER_DDI_RECORD_SIZE];
    otter_ignore(nvs_flash_deinit()); /* at first it is none */
    close_device();
    assert_int_equal(open_device(0x400000u, entries, 1), 0);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    fill(old, 1);
    fill(record, 2);
    assert_int_equal(otter_ddi_nvs_save(name_space, old), ESP_OK);
    sim.cut_at = sim.ops + at;
    sim.tear = tear;
    const bool saved = otter_ddi_nvs_save(name_space, record) == ESP_OK;
    const bool fired = sim.cut_fired;
    sim_flash_power_on(&sim);
    restart();
    assert_int_equal(otter_ddi_nvs_load(name_space, back), ESP_OK);
    if (memcmp(back, record, sizeof(back)) != 0 && (saved || memcmp(back, old, sizeof(back)) != 0)) {
        fail_msg("power cut at operation %u, tear %d: neither the old record nor the new one", (unsigned)at,
                 tear);
    }
    assert_int_equal(otter_ddi_nvs_save(name_space, record), ESP_OK); /* and it goes on */
    return fired;
}

static void a_power_cut_leaves_the_old_record_or_the_new_one(void **state)
{
    (void)state;
    for (sim_tear_t tear = SIM_TEAR_BEFORE; tear <= SIM_TEAR_AFTER; tear++) {
        uint32_t at = 0;
        while (try_cutting(at, tear)) {
            at++;
        }
        assert_true(at > 2);
    }
}

static void nvs_that_is_full_or_fails_keeps_the_record(void **state)
{
    (void)state;
    uint8_t record[OTTER_DDI_RECORD_SIZE], newer[OTTER_DDI_RECORD_SIZE], back[OTTER_DDI_RECORD_SIZE];
    char key[8];
    nvs_handle_t nvs;
    fill(record, 1);
    fill(newer, 2);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(otter_ddi_nvs_save(name_space, record), ESP_OK);
    assert_int_equal(nvs_open("other", NVS_READWRITE, &nvs), ESP_OK);
    esp_err_t err = ESP_OK;
    for (unsigned i = 0; i < 1000 && err == ESP_OK; i++) {
        snprintf(key, sizeof(key), "%u", i);
        err = nvs_set_u32(nvs, key, i);
    }
    nvs_close(nvs);
    assert_int_equal(err, ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    assert_int_not_equal(otter_ddi_nvs_save(name_space, newer), ESP_OK);
    assert_int_equal(otter_ddi_nvs_load(name_space, back), ESP_OK);
    assert_memory_equal(back, record, sizeof(back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_record_is_none_and_then_the_last_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_blob_of_another_size_is_no_record, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_power_cut_leaves_the_old_record_or_the_new_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nvs_that_is_full_or_fails_keeps_the_record, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
