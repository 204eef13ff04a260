/* Copies from staging to final: what they bring, what they cost, and what is refused. Power cuts of them: tests/sweep. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/bytes.h"
#include "otter/image.h"
#include "support/copy_rig.h"

static void a_copy_brings_the_new_bytes_and_nothing_else(void **state)
{
    copy_rig_t *w = *state;
    copy_case_t cases[CASE_COUNT];
    fill_copy_cases(cases);
    for (size_t i = 0; i < CASE_COUNT; i++) {
        const copy_case_t *c = &cases[i];
        sim_flash_copy(&w->sim, &w->golden);
        assert_true(copy_rig_boot(w));
        esp_err_t err = copy_rig_update(w, c);
        if (err != ESP_OK) {
            fail_msg("%s: %s: %s", c->name, esp_err_to_name(err), w->device.fault.why);
        }
        assert_true(final_is_new(w, c));
        assert_true(others_are_untouched(w, c));
        const uint32_t ops = w->sim.ops;
        assert_true(copy_rig_boot(w));
        assert_int_equal(w->sim.ops, ops); /* there is nothing left to do */
        assert_string_equal(w->device.running->label, "ota_0");
    }
}

static void a_copy_of_what_is_there_already_costs_no_flash(void **state)
{
    copy_rig_t *w = *state;
    const copy_case_t c = {"", "ota_1", "files", data_new, PAYLOAD};
    w->stable_reads = true;
    copy_rig_start(w);
    assert_int_equal(copy_rig_update(w, &c), ESP_OK);
    uint32_t counts[FLASH_SIZE / SECTOR] = {0};
    w->sim.erase_counts = counts;
    assert_int_equal(copy_rig_update(w, &c), ESP_OK);
    for (uint32_t at = copy_place_of("files")->offset; at < 0x44000; at += SECTOR) {
        assert_int_equal(counts[at / SECTOR], 0);
    }
    w->sim.bytes[copy_place_of("files")->offset + SECTOR] ^= 1; /* one sector differs */
    assert_int_equal(copy_rig_update(w, &c), ESP_OK);
    assert_true(final_is_new(w, &c));
    for (uint32_t at = copy_place_of("files")->offset; at < 0x44000; at += SECTOR) {
        assert_int_equal(counts[at / SECTOR], at == copy_place_of("files")->offset + SECTOR ? 1 : 0);
    }
    w->sim.erase_counts = NULL;
}

static void a_new_table_counts_from_the_next_boot(void **state)
{
    copy_rig_t *w = *state;
    const copy_case_t c = {"", "ota_1", "table", table_new, sizeof(table_new)};
    assert_int_equal(copy_rig_update(w, &c), ESP_OK);
    assert_int_equal(w->device.partitions.count, LAYOUT_COUNT);
    assert_true(copy_rig_boot(w));
    assert_int_equal(w->device.partitions.count, LAYOUT_COUNT + 1);
    assert_string_equal(copy_rig_find(w, "added")->label, "added");
}

static void a_copy_erases_each_sector_once(void **state)
{
    copy_rig_t *w = *state;
    copy_case_t cases[CASE_COUNT];
    fill_copy_cases(cases);
    for (size_t i = 0; i < CASE_COUNT; i++) {
        const copy_case_t *c = &cases[i];
        uint32_t counts[FLASH_SIZE / SECTOR] = {0}, total = 0;
        sim_flash_copy(&w->sim, &w->golden);
        assert_true(copy_rig_boot(w));
        w->sim.erase_counts = counts;
        assert_int_equal(copy_rig_update(w, c), ESP_OK);
        w->sim.erase_counts = NULL;
        for (size_t k = 0; k < FLASH_SIZE / SECTOR; k++) {
            assert_in_range(counts[k], 0, 1);
            total += counts[k];
        }
        print_message("staged copy \"%s\": %u sectors erased, of %u in staging and final\n", c->name, total,
                      (c->len + SECTOR - 1) / SECTOR + 1 + copy_place_of(c->final)->size / SECTOR);
    }
}

static void a_copy_that_flash_refused_is_made_by_the_next_boot(void **state)
{
    copy_rig_t *w = *state;
    const copy_case_t c = {"", "ota_1", "files", data_new, PAYLOAD};
    assert_int_equal(copy_rig_update(w, &c), ESP_OK);
    const uint32_t reads = w->sim.reads;
    uint32_t made = 0;
    for (uint32_t at = 0; at < reads; at++) {
        sim_flash_copy(&w->sim, &w->golden);
        assert_true(copy_rig_boot(w));
        w->sim.reads = 0;
        w->sim.fail_read_at = at;
        (void)copy_rig_update(w, &c); /* what fails depends on what was to be read */
        w->sim.fail_read_at = UINT32_MAX;
        copy_journal_t journal;
        bool live = copy_journal_read(&w->sim.flash, 0x28000, &journal) == ESP_OK;
        assert_true(copy_rig_boot(w));
        assert_true(final_is_new(w, &c) || (!live && final_is_old(w, &c)));
        made += live;
    }
    assert_true(made > 0);
}

/* ---- refusals ---- */

static void what_must_not_be_a_final_is_refused_before_the_download(void **state)
{
    copy_rig_t *w = *state;
    static const struct {
        const char *staging, *final;
        esp_err_t want;
    } rows[] = {
        {"ota_1", "ota_0", ESP_ERR_OTA_PARTITION_CONFLICT},   /* runs */
        {"ota_1", "otadata", ESP_ERR_OTA_PARTITION_CONFLICT}, /* says what boots */
        {"ota_1", "fixed", ESP_ERR_NOT_ALLOWED},              /* read-only */
        {"files", "custom", ESP_ERR_NOT_SUPPORTED},           /* no journal is looked for in a file system */
        {"custom", "files", ESP_ERR_NOT_SUPPORTED},
        {"ota_1", "boot", ESP_OK},
        {"ota_1", "table", ESP_OK},
        {"ota_1", "ota_2", ESP_OK},
        {"raw", "files", ESP_OK},
        {"boot_ota", "boot", ESP_OK},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        esp_ota_handle_t handle;
        assert_int_equal(
            ota_begin(&w->device, copy_rig_find(w, rows[i].staging), OTA_WITH_SEQUENTIAL_WRITES, &handle),
            ESP_OK);
        assert_int_equal(ota_set_final_partition(&w->device, handle, copy_rig_find(w, rows[i].final), true),
                         rows[i].want);
        assert_true(rows[i].want == ESP_OK || w->device.fault.why[0] != '\0');
        assert_int_equal(ota_abort(&w->device, handle), ESP_OK);
    }
}

static void the_only_copy_is_not_written_in_place(void **state)
{
    copy_rig_t *w = *state;
    static const char *const labels[] = {"boot", "table"};
    memset(w->sim.bytes + copy_place_of("recovery")->offset, 0xFF, 0x7000);
    memset(w->golden.bytes + copy_place_of("recovery")->offset, 0xFF, 0x7000);
    for (size_t i = 0; i < 2; i++) {
        esp_ota_handle_t handle = 0;
        assert_int_equal(ota_begin(&w->device, copy_rig_find(w, labels[i]), 0, &handle), ESP_ERR_NOT_ALLOWED);
        assert_non_null(strstr(w->device.fault.why, "only copy"));
    }
    assert_memory_equal(w->sim.bytes, w->golden.bytes, FLASH_SIZE);
}

/** Moves what the image maps as far as the bootloader's place is from a page's begin. */
static void map_at_bootloader_place(uint8_t *image)
{
    uint32_t at = OTTER_IMAGE_HEADER_SIZE;
    for (uint8_t i = 0; i < image[1]; i++) {
        uint32_t address = le32_get(image + at);
        if (address >= 0x3F400000 && (address < 0x3F800000 || address >= 0x400D0000)) {
            le32_put(image + at, address + copy_place_of("boot")->offset);
        }
        at += 8 + le32_get(image + at + 4);
    }
}

static void of_two_bootloaders_one_is_whole_at_any_time(void **state)
{
    copy_rig_t *w = *state;
    const esp_partition_t *boot = copy_rig_find(w, "boot"), *recovery = copy_rig_find(w, "recovery");
    static const size_t sizes[] = {0, OTA_WITH_SEQUENTIAL_WRITES};
    map_at_bootloader_place(bootloader_new.bytes);
    for (size_t i = 0; i < 2; i++) {
        sim_flash_copy(&w->sim, &w->golden);
        assert_true(copy_rig_boot(w));
        esp_ota_handle_t handle = 0, other = 0;
        assert_int_equal(ota_begin(&w->device, boot, sizes[i], &handle), ESP_OK);
        assert_int_equal(ota_begin(&w->device, recovery, sizes[i], &other), ESP_ERR_OTA_ALREADY_IN_PROGRESS);
        assert_int_equal(ota_write(&w->device, handle, bootloader_new.bytes, bootloader_new.len / 2), ESP_OK);
        assert_int_equal(ota_abort(&w->device, handle), ESP_OK);

        assert_int_equal(ota_begin(&w->device, recovery, sizes[i], &other), ESP_ERR_NOT_ALLOWED);
        assert_non_null(strstr(w->device.fault.why, "what starts this device"));
        assert_memory_equal(w->sim.bytes + recovery->address, w->golden.bytes + recovery->address,
                            recovery->size);

        assert_int_equal(ota_begin(&w->device, boot, sizes[i], &handle), ESP_OK);
        assert_int_equal(ota_write(&w->device, handle, bootloader_new.bytes, bootloader_new.len), ESP_OK);
        assert_int_equal(ota_end(&w->device, handle), ESP_OK);
        assert_memory_equal(w->sim.bytes + boot->address, bootloader_new.bytes, bootloader_new.len);
        assert_int_equal(ota_begin(&w->device, recovery, sizes[i], &other), ESP_OK);
        assert_int_equal(ota_begin(&w->device, boot, sizes[i], &handle), ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    }
}

static void the_only_bootloader_of_a_chip_is_not_replaced(void **state)
{
    copy_rig_t *w = *state;
    const copy_case_t c = {"", "ota_1", "boot", bootloader_new.bytes, bootloader_new.len};
    memset(w->sim.bytes + copy_place_of("recovery")->offset, 0xFF, 0x7000);
    assert_int_equal(copy_rig_update(w, &c), ESP_ERR_NOT_ALLOWED);
    assert_non_null(strstr(w->device.fault.why, "only bootloader"));
    assert_true(final_is_old(w, &c));
    w->device.chip.id = OTTER_CHIP_LINUX; /* its boot step is not in this flash */
    esp_ota_handle_t handle;
    assert_int_equal(ota_begin(&w->device, copy_rig_find(w, "ota_1"), OTA_WITH_SEQUENTIAL_WRITES, &handle),
                     ESP_OK);
    assert_int_equal(ota_set_final_partition(&w->device, handle, copy_rig_find(w, "boot"), true), ESP_OK);
}

static void a_table_that_takes_away_what_is_in_use_is_refused(void **state)
{
    copy_rig_t *w = *state;
    static const struct {
        const char *label, *want;
        uint32_t offset, size;
        bool md5;
    } rows[] = {
        {"ota_0", "ota_0", 0x78000, 0x8000, true},     /* the running application moves */
        {"ota_0", "ota_0", 0x10000, 0xF000, true},     /* or shrinks */
        {"otadata", "otadata", 0x76000, 0x2000, true}, /* the records move */
        {"ota_1", "ota_1", 0x20000, 0x7000, true},     /* staging's end, and with it the journal, moves */
        {"table", "table", 0x76000, 0x1000, true},     /* the table's own row moves */
        {"ota_2", "ota_0", 0x18000, 0x4000, true},     /* another partition covers the running application */
        {"files", "own place", 0x8000, 0x1000, true},  /* or the table */
        {"custom", "MD5", 0x44000, 0x3000, false},     {"custom", "exceeds", 0x44000, 0x3000000, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        otter_partition_entry_t entries[LAYOUT_COUNT];
        memcpy(entries, copy_layout, sizeof(copy_layout));
        for (size_t k = 0; k < LAYOUT_COUNT; k++) {
            if (strcmp(entries[k].label, rows[i].label) == 0) {
                entries[k].offset = rows[i].offset;
                entries[k].size = rows[i].size;
            }
        }
        uint8_t table[OTTER_PARTITION_TABLE_LEN];
        assert_int_equal(otter_partition_table_encode(entries, LAYOUT_COUNT, rows[i].md5, table), ESP_OK);
        const copy_case_t c = {"", "ota_1", "table", table, sizeof(table)};
        assert_int_equal(copy_rig_update(w, &c), ESP_ERR_OTA_VALIDATE_FAILED);
        if (strstr(w->device.fault.why, rows[i].want) == NULL) {
            fail_msg("row %zu: %s", i, w->device.fault.why);
        }
        assert_true(final_is_old(w, &c));
        assert_true(others_are_untouched(w, &c));
    }
}

static void a_copy_needs_staging_s_last_sector(void **state)
{
    copy_rig_t *w = *state;
    esp_ota_handle_t handle;
    uint8_t sector[SECTOR];
    memset(sector, 0x11, sizeof(sector));
    assert_int_equal(ota_begin(&w->device, copy_rig_find(w, "raw"), OTA_WITH_SEQUENTIAL_WRITES, &handle),
                     ESP_OK);
    assert_int_equal(ota_set_final_partition(&w->device, handle, copy_rig_find(w, "ota_0"), false), ESP_OK);
    assert_int_equal(ota_abort(&w->device, handle), ESP_OK);
    assert_int_equal(ota_begin(&w->device, copy_rig_find(w, "raw"), OTA_WITH_SEQUENTIAL_WRITES, &handle),
                     ESP_OK);
    assert_int_equal(ota_set_final_partition(&w->device, handle, copy_rig_find(w, "boot_ota"), true), ESP_OK);
    sector[0] = 0xE9;
    for (uint32_t at = 0; at < 0x7000; at += SECTOR) {
        assert_int_equal(ota_write(&w->device, handle, sector, SECTOR), ESP_OK);
    }
    assert_int_equal(ota_write(&w->device, handle, sector, 1), ESP_ERR_INVALID_SIZE);
    assert_int_equal(ota_write_with_offset(&w->device, handle, sector, 1, 0x7000), ESP_ERR_INVALID_STATE);
    assert_int_equal(ota_abort(&w->device, handle), ESP_OK);
}

static void bytes_beyond_final_are_refused(void **state)
{
    copy_rig_t *w = *state;
    uint8_t *many = calloc(1, 0x3800);
    assert_non_null(many);
    const copy_case_t c = {"", "ota_1", "custom", many, 0x3001};
    assert_int_equal(copy_rig_update(w, &c), ESP_ERR_INVALID_SIZE);
    assert_true(final_is_old(w, &c));
    free(many);
}

static void data_partitions_are_written_without_judgement(void **state)
{
    copy_rig_t *w = *state;
    static const char *const labels[] = {"nvs", "files", "custom", "raw"};
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        esp_ota_handle_t handle;
        const esp_partition_t *p = copy_rig_find(w, labels[i]);
        assert_int_equal(ota_begin(&w->device, p, 0, &handle), ESP_OK);
        assert_int_equal(ota_write(&w->device, handle, "just data", 9), ESP_OK);
        assert_int_equal(ota_end(&w->device, handle), ESP_OK);
        assert_memory_equal(w->sim.bytes + p->address, "just data\xFF", 10);
    }
    esp_ota_handle_t handle;
    assert_int_equal(ota_begin(&w->device, copy_rig_find(w, "fixed"), 0, &handle), ESP_ERR_NOT_ALLOWED);
    assert_true(copy_rig_boot(w));
    assert_string_equal(w->device.running->label, "ota_0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_copy_brings_the_new_bytes_and_nothing_else, copy_rig_set_up,
                                        copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(a_copy_of_what_is_there_already_costs_no_flash, copy_rig_set_up,
                                        copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(a_new_table_counts_from_the_next_boot, copy_rig_set_up,
                                        copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(a_copy_that_flash_refused_is_made_by_the_next_boot, copy_rig_set_up,
                                        copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(a_copy_erases_each_sector_once, copy_rig_set_up, copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(what_must_not_be_a_final_is_refused_before_the_download,
                                        copy_rig_set_up, copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(the_only_copy_is_not_written_in_place, copy_rig_set_up,
                                        copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(of_two_bootloaders_one_is_whole_at_any_time, copy_rig_set_up,
                                        copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(the_only_bootloader_of_a_chip_is_not_replaced, copy_rig_set_up,
                                        copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(a_table_that_takes_away_what_is_in_use_is_refused, copy_rig_set_up,
                                        copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(a_copy_needs_staging_s_last_sector, copy_rig_set_up,
                                        copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(bytes_beyond_final_are_refused, copy_rig_set_up, copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(data_partitions_are_written_without_judgement, copy_rig_set_up,
                                        copy_rig_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
