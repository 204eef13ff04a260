/* esp_https_ota into one partition for another: what the gate refuses before anything is downloaded, and what it lets pass. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/copy_rig.h"

#include "otter/https_update.h"

#include "flash/external_partitions.h"
#include "ota/https_ota.h"
#include "sim/sim_system.h"
#include "support/web_server.h"

static web_t web;
static web_config_t config;

static void serve(const uint8_t *bytes, uint32_t len)
{
    sim_clock_take();
    web = web_with(bytes, len);
    web_configure(&config, &web);
}

static esp_err_t update(copy_rig_t *w, const char *staging, const char *final, bool copy)
{
    config.ota.partition.staging = copy_rig_find(w, staging);
    config.ota.partition.final = copy_rig_find(w, final);
    config.ota.partition.finalize_with_copy = copy;
    return otter_https_ota(&w->device, &config.ota, NULL);
}

static void what_does_not_fit_final_is_refused_before_the_download(void **state)
{
    copy_rig_t *w = *state;
    static uint8_t file[0x10000];
    static const struct {
        const char *name, *staging, *final;
        bool copy;
        uint32_t len;
        esp_err_t want;
        const char *why;
    } rows[] = {
        {"fills final", "ota_0", "files", true, 0x4000, ESP_OK, NULL},
        {"a byte more", "ota_0", "files", true, 0x4001, ESP_ERR_INVALID_SIZE, "files only 16384"},
        {"final is only what it is for", "ota_0", "files", false, 0x4001, ESP_OK, NULL},
        {"the journal has its sector", "ota_2", "files", true, 0x3001, ESP_ERR_INVALID_SIZE,
         "ota_2 only 12288, less the sector"},
        {"no copy, no journal", "raw", "files", false, 0x8000, ESP_OK, NULL},
        {"more than staging", "raw", "files", false, 0x8001, ESP_ERR_INVALID_SIZE, "raw only 32768"},
    };
    w->device.running = copy_rig_find(w, "ota_1");
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int told = 0; told < 2; told++) {
            print_message("%s\n", rows[i].name);
            serve(file, rows[i].len);
            web.no_length = !told;
            uint32_t ops = w->sim.ops;
            assert_int_equal(update(w, rows[i].staging, rows[i].final, rows[i].copy), rows[i].want);
            if (rows[i].want != ESP_OK && told) {
                assert_int_equal(w->device.report.bytes_downloaded, 0);
                assert_int_equal(w->device.report.stage, OTTER_STAGE_GATE);
                assert_non_null(strstr(w->device.report.fault.why, rows[i].why));
                assert_int_equal(w->sim.ops, ops);
            }
            assert_null(w->device.updates);
        }
    }
}

static void a_bootloader_has_no_highest_revision(void **state)
{
    copy_rig_t *w = *state;
    uint8_t *bytes = malloc(bootloader_new.len);
    assert_non_null(bytes);
    memcpy(bytes, bootloader_new.bytes, bootloader_new.len);
    bytes[offsetof(esp_image_header_t, max_chip_rev_full)] = 100; /* this chip is v3.0 */
    bytes[offsetof(esp_image_header_t, max_chip_rev_full) + 1] = 0;
    const struct {
        const char *staging, *final;
        bool copy;
        esp_err_t want;
    } rows[] = {
        {"raw", "boot_ota", true, ESP_OK},
        {"raw", "boot", true, ESP_OK},
        {"ota_1", "ota_1", false, ESP_ERR_INVALID_VERSION},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        serve(bytes, bootloader_new.len);
        assert_int_equal(update(w, rows[i].staging, rows[i].final, rows[i].copy), rows[i].want);
        const uint8_t *there = w->sim.bytes + copy_place_of(rows[i].final)->offset;
        assert_int_equal(memcmp(there, bytes, bootloader_new.len) == 0, rows[i].want == ESP_OK);
    }
    free(bytes);
}

/** The application's own flash: bytes go there, and what is meant for it goes into a slot; a copy is neither. */
static void partitions_of_the_application_are_taken_without_a_copy(void **state)
{
    copy_rig_t *w = *state;
    sim_flash_t second;
    assert_true(sim_flash_init(&second, 0x8000));
    const esp_partition_t own = {.flash_chip = &second.flash,
                                 .type = ESP_PARTITION_TYPE_DATA,
                                 .subtype = ESP_PARTITION_SUBTYPE_DATA_FAT,
                                 .size = 0x8000,
                                 .label = "own"};
    const esp_partition_t *registered, *slot = copy_rig_find(w, "ota_1");
    assert_int_equal(external_partitions_add(&w->device, &own, &registered), ESP_OK);
    const struct {
        const char *name;
        const esp_partition_t *staging, *final;
        bool copy, arrives;
        esp_err_t want;
    } rows[] = {
        {"to there", registered, NULL, false, true, ESP_OK},
        {"to there, and for it", registered, registered, true, true, ESP_OK},
        {"for there", slot, registered, false, true, ESP_OK},
        {"for a slot, which staging is not", registered, slot, false, true, ESP_ERR_INVALID_ARG},
        {"a copy to there", slot, registered, true, false, ESP_ERR_NOT_SUPPORTED},
        {"a copy from there", registered, slot, true, false, ESP_ERR_NOT_SUPPORTED},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        memset(second.bytes, 0, 0x8000);
        memset(w->sim.bytes + slot->address, 0, slot->size);
        serve(app_new.bytes, app_new.len);
        config.ota.partition.staging = rows[i].staging;
        config.ota.partition.final = rows[i].final;
        config.ota.partition.finalize_with_copy = rows[i].copy;
        assert_int_equal(otter_https_ota(&w->device, &config.ota, NULL), rows[i].want);
        const uint8_t *there = rows[i].staging == slot ? w->sim.bytes + slot->address : second.bytes;
        assert_int_equal(memcmp(there, app_new.bytes, app_new.len) == 0, rows[i].arrives);
        assert_null(w->device.updates);
    }
    otter_device_deinit(&w->device);
    sim_flash_free(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_does_not_fit_final_is_refused_before_the_download,
                                        copy_rig_set_up, copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(a_bootloader_has_no_highest_revision, copy_rig_set_up,
                                        copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(partitions_of_the_application_are_taken_without_a_copy,
                                        copy_rig_set_up, copy_rig_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
