/*
 * Copies from staging to final: what they bring, what is refused, and every power cut of them. After a cut at any operation
 * the boot step must leave final whole, old or new: new as soon as the journal was durable.
 *
 * A failure prints its replay line: case, number of the operation, kind of the cut, and the cut in the boot after it.
 */
#include "unit/copy_rig.h"

static void a_copy_brings_the_new_bytes_and_nothing_else(void **state)
{
    world_t *w = *state;
    copy_case_t cases[CASE_COUNT];
    fill_cases(cases);
    for (size_t i = 0; i < CASE_COUNT; i++) {
        const copy_case_t *c = &cases[i];
        sim_flash_copy(&w->sim, &w->golden);
        assert_true(boot_device(w));
        esp_err_t err = run_update(w, c);
        if (err != ESP_OK) {
            fail_msg("%s: %s: %s", c->name, esp_err_to_name(err), w->device.last_reason);
        }
        assert_true(is_new(w, c));
        assert_true(others_are_untouched(w, c));
        const uint32_t ops = w->sim.ops;
        assert_true(boot_device(w));
        assert_int_equal(w->sim.ops, ops); /* there is nothing left to do */
        assert_string_equal(w->device.running->label, "ota_0");
    }
}

static void a_copy_of_what_is_there_already_costs_no_flash(void **state)
{
    world_t *w = *state;
    const copy_case_t c = {"", "ota_1", "files", data_new, PAYLOAD};
    w->stable_reads = true;
    start_device(w);
    assert_int_equal(run_update(w, &c), ESP_OK);
    uint32_t counts[FLASH_SIZE / SECTOR] = {0};
    w->sim.erase_counts = counts;
    assert_int_equal(run_update(w, &c), ESP_OK);
    for (uint32_t at = place_of("files")->offset; at < 0x44000; at += SECTOR) {
        assert_int_equal(counts[at / SECTOR], 0);
    }
    w->sim.bytes[place_of("files")->offset + SECTOR] ^= 1; /* one sector differs */
    assert_int_equal(run_update(w, &c), ESP_OK);
    assert_true(is_new(w, &c));
    for (uint32_t at = place_of("files")->offset; at < 0x44000; at += SECTOR) {
        assert_int_equal(counts[at / SECTOR], at == place_of("files")->offset + SECTOR ? 1 : 0);
    }
    w->sim.erase_counts = NULL;
}

static void a_new_table_counts_from_the_next_boot(void **state)
{
    world_t *w = *state;
    const copy_case_t c = {"", "ota_1", "table", table_new, sizeof(table_new)};
    assert_int_equal(run_update(w, &c), ESP_OK);
    assert_int_equal(w->device.partitions.count, LAYOUT_COUNT);
    assert_true(boot_device(w));
    assert_int_equal(w->device.partitions.count, LAYOUT_COUNT + 1);
    assert_string_equal(find(w, "added")->label, "added");
}

/* ---- power cuts --------------------------------------------------------------------------------------------------- */

static struct {
    const char *name;
    uint32_t cut, second_cut;
    int tear, second_tear;
} now;
static uint32_t cut_counts[SIM_TEAR_COUNT], second_cut_count, old_count, new_count;

#define CHECK(condition, ...)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            print_message("replay: case \"%s\" cut %u tear %d, second cut %u tear %d\n", now.name, now.cut,  \
                          now.tear, now.second_cut, now.second_tear);                                        \
            fail_msg(__VA_ARGS__);                                                                           \
        }                                                                                                    \
    } while (0)

typedef enum { MAY_BE_EITHER, MUST_BE_OLD, MUST_BE_NEW } verdict_t;

static void check_world(world_t *w, const copy_case_t *c, verdict_t verdict)
{
    CHECK(w->device.running != NULL && strcmp(w->device.running->label, "ota_0") == 0, "ota_0 does not run");
    bool old_there = is_old(w, c), new_there = is_new(w, c);
    CHECK(old_there || new_there, "%s is neither old nor new", c->final);
    CHECK(verdict != MUST_BE_OLD || old_there, "%s is new before there was a journal", c->final);
    CHECK(verdict != MUST_BE_NEW || new_there, "%s is old although there was a journal", c->final);
    CHECK(others_are_untouched(w, c), "something else was changed");
    CHECK(w->device.partitions.status == ESP_OK, "there is no partition list");
    const uint32_t ops = w->sim.ops;
    CHECK(boot_device(w) && w->sim.ops == ops, "the boot after the boot still has something to do");
}

static void cut_recovery(world_t *w, const copy_case_t *c, verdict_t verdict)
{
    for (now.second_cut = 0;; now.second_cut++) {
        for (now.second_tear = 0; now.second_tear < SIM_TEAR_COUNT; now.second_tear++) {
            sim_flash_copy(&w->sim, &w->after_cut);
            w->sim.cut_at = now.second_cut;
            w->sim.tear = (sim_tear_t)now.second_tear;
            w->sim.random = 0x1234567u + now.second_cut * 977u + now.cut;
            bool booted = boot_device(w);
            if (!w->sim.cut_fired) {
                CHECK(booted, "the device does not boot");
                w->sim.cut_at = UINT32_MAX;
                return;
            }
            second_cut_count++;
            sim_flash_power_on(&w->sim);
            CHECK(boot_device(w), "the device does not boot after a cut in the boot after a cut");
            check_world(w, c, verdict);
        }
    }
}

/** The cut at `now`. @return true if it left a journal that will be followed */
static bool cut_update(world_t *w, const copy_case_t *c, bool durable)
{
    sim_flash_copy(&w->sim, &w->golden);
    CHECK(boot_device(w) && w->sim.ops == 0, "a settled device writes when it boots");
    w->sim.cut_at = now.cut;
    w->sim.tear = (sim_tear_t)now.tear;
    w->sim.random = 0x9E3779B9u + now.cut * 31u;
    CHECK(run_update(w, c) != ESP_OK, "the update ends well although power went");
    CHECK(w->sim.cut_fired, "no cut at this operation");
    cut_counts[now.tear]++;
    sim_flash_power_on(&w->sim);
    copy_journal_t journal;
    const partition_entry_t *staging = place_of(c->staging);
    bool live = copy_journal_read(&w->sim.flash, staging->offset + staging->size, &journal) == ESP_OK;
    verdict_t verdict = durable || live ? MUST_BE_NEW : MUST_BE_OLD;
    sim_flash_copy(&w->after_cut, &w->sim);
    cut_recovery(w, c, verdict);
    check_world(w, c, verdict);
    old_count += verdict == MUST_BE_OLD;
    new_count += verdict == MUST_BE_NEW;
    CHECK(run_update(w, c) == ESP_OK && is_new(w, c), "the device does not take the update again: %s",
          w->device.last_reason);
    CHECK(boot_device(w), "the device does not boot");
    return live && now.tear == SIM_TEAR_AFTER;
}

static void sweep_copy(world_t *w, const copy_case_t *c)
{
    now.name = c->name;
    sim_flash_copy(&w->sim, &w->golden);
    assert_true(boot_device(w));
    assert_int_equal(run_update(w, c), ESP_OK);
    const uint32_t ops = w->sim.ops;
    bool durable = false;
    for (now.cut = 0; now.cut < ops; now.cut++) {
        bool written = false; /* durable behind the barrier that follows */
        for (now.tear = 0; now.tear < SIM_TEAR_COUNT; now.tear++) {
            written |= cut_update(w, c, durable);
        }
        durable |= written;
    }
    assert_true(durable);
}

static int print_counts(void **state)
{
    (void)state;
    print_message(
        "cuts of staged copies: before %u, prefix %u, bits %u, after %u, lost %u; final old after %u, new "
        "after %u; and %u "
        "more cuts in the boots after them\n",
        cut_counts[SIM_TEAR_BEFORE], cut_counts[SIM_TEAR_PREFIX], cut_counts[SIM_TEAR_BITS],
        cut_counts[SIM_TEAR_AFTER], cut_counts[SIM_TEAR_LOST], old_count, new_count, second_cut_count);
    return 0;
}

static void every_cut_of_a_copy_leaves_old_or_new(void **state)
{
    world_t *w = *state;
    copy_case_t cases[CASE_COUNT];
    fill_cases(cases);
    for (size_t i = 0; i < CASE_COUNT; i++) {
        sweep_copy(w, &cases[i]);
    }
    assert_true(old_count > 0 && new_count > 0);
}

/** Without an MD5 record a torn table may read as a shorter one, which would hide the journal: staging's row is the last. */
static void every_cut_of_a_table_without_md5_leaves_old_or_new(void **state)
{
    world_t *w = *state;
    static partition_entry_t entries[PARTITION_ENTRIES_MAX];
    static uint8_t bytes[PARTITION_TABLE_LEN];
    uint32_t count = 0;
    for (size_t i = 0; i < LAYOUT_COUNT; i++) {
        if (strcmp(layout[i].label, "ota_1") != 0) {
            entries[count++] = layout[i];
        }
    }
    while (count < 79) {
        entries[count] = (partition_entry_t){.type = 0x50, .subtype = (uint8_t)count, .offset = 0x70000};
        snprintf(entries[count].label, sizeof(entries[count].label), "empty%u", count);
        count++;
    }
    entries[count++] = *place_of("ota_1");
    assert_int_equal(partition_table_encode(entries, count, false, bytes), ESP_OK);
    put(w, "table", bytes, sizeof(bytes));
    w->config.allow_no_md5 = true;
    assert_true(boot_device(w));
    sim_flash_copy(&w->golden, &w->sim);
    snprintf(entries[70].label, sizeof(entries[70].label), "changed");
    assert_int_equal(partition_table_encode(entries, count, false, bytes), ESP_OK);
    sweep_copy(w, &(copy_case_t){"table without MD5", "ota_1", "table", bytes, sizeof(bytes)});
}

static void every_cut_on_flash_with_large_write_units_leaves_old_or_new(void **state)
{
    world_t *w = *state;
    static const uint32_t write_sizes[] = {16, 1024}; /* with 1024 there is room for three marks */
    for (size_t i = 0; i < sizeof(write_sizes) / sizeof(write_sizes[0]); i++) {
        w->write_size = write_sizes[i];
        sweep_copy(w, &(copy_case_t){"data, large write units", "ota_1", "files", data_new, PAYLOAD});
        sweep_copy(
            w, &(copy_case_t){"table, large write units", "ota_1", "table", table_new, sizeof(table_new)});
    }
}

/** An application that is staged elsewhere, copied to its slot, and selected: all of an update's life. */
static bool install_copy(world_t *w, const copy_case_t *c)
{
    otter_boot_result_t result;
    return run_update(w, c) == ESP_OK && ota_set_boot_partition(&w->device, find(w, c->final)) == ESP_OK &&
           otter_boot(&w->device, OTTER_BOOT_COMMIT, &result) == ESP_OK &&
           ota_mark_app_valid_cancel_rollback(&w->device) == ESP_OK;
}

static void check_application(world_t *w, const copy_case_t *c)
{
    CHECK(boot_device(w), "the device does not boot");
    const char *label = w->device.running->label;
    if (strcmp(label, c->final) == 0) {
        CHECK(is_new(w, c), "the copy runs, damaged");
        return;
    }
    CHECK(strcmp(label, "ota_0") == 0 && same_as_golden(w, "ota_0"), "%s runs", label);
    CHECK(is_old(w, c) || is_new(w, c), "%s is neither old nor new", c->final);
    CHECK(install_copy(w, c), "the device does not take the update again: %s", w->device.last_reason);
    CHECK(boot_device(w) && strcmp(w->device.running->label, c->final) == 0,
          "the new application does not stay");
}

static void every_cut_of_a_copied_application_s_life_ends_well(void **state)
{
    world_t *w = *state;
    const copy_case_t c = {"application's life", "ota_1", "ota_2", app_new.bytes, app_new.len};
    uint32_t cuts = 0;
    now.name = c.name;
    now.second_cut = now.cut = 0;
    for (int rollback = 0; rollback < 2; rollback++) {
        w->config.rollback = rollback != 0;
        sim_flash_copy(&w->sim, &w->golden);
        assert_true(boot_device(w) && install_copy(w, &c));
        const uint32_t ops = w->sim.ops;
        for (now.cut = 0; now.cut < ops; now.cut++) {
            for (now.tear = 0; now.tear < SIM_TEAR_COUNT; now.tear++) {
                sim_flash_copy(&w->sim, &w->golden);
                CHECK(boot_device(w), "the device does not boot");
                w->sim.cut_at = now.cut;
                w->sim.tear = (sim_tear_t)now.tear;
                (void)install_copy(w, &c); /* a boot step whose record cannot be written goes on */
                CHECK(w->sim.cut_fired, "no cut at this operation");
                sim_flash_power_on(&w->sim);
                check_application(w, &c);
                cuts++;
            }
        }
    }
    print_message("staged applications, with and without rollback: %u cuts\n", cuts);
}

static void a_copy_erases_each_sector_once(void **state)
{
    world_t *w = *state;
    copy_case_t cases[CASE_COUNT];
    fill_cases(cases);
    for (size_t i = 0; i < CASE_COUNT; i++) {
        const copy_case_t *c = &cases[i];
        uint32_t counts[FLASH_SIZE / SECTOR] = {0}, total = 0;
        sim_flash_copy(&w->sim, &w->golden);
        assert_true(boot_device(w));
        w->sim.erase_counts = counts;
        assert_int_equal(run_update(w, c), ESP_OK);
        w->sim.erase_counts = NULL;
        for (size_t k = 0; k < FLASH_SIZE / SECTOR; k++) {
            assert_in_range(counts[k], 0, 1);
            total += counts[k];
        }
        print_message("staged copy \"%s\": %u sectors erased, of %u in staging and final\n", c->name, total,
                      (c->len + SECTOR - 1) / SECTOR + 1 + place_of(c->final)->size / SECTOR);
    }
}

static void a_copy_that_flash_refused_is_made_by_the_next_boot(void **state)
{
    world_t *w = *state;
    const copy_case_t c = {"", "ota_1", "files", data_new, PAYLOAD};
    assert_int_equal(run_update(w, &c), ESP_OK);
    const uint32_t reads = w->sim.reads;
    uint32_t made = 0;
    for (uint32_t at = 0; at < reads; at++) {
        sim_flash_copy(&w->sim, &w->golden);
        assert_true(boot_device(w));
        w->sim.reads = 0;
        w->sim.fail_read_at = at;
        (void)run_update(w, &c); /* what fails depends on what was to be read */
        w->sim.fail_read_at = UINT32_MAX;
        copy_journal_t journal;
        bool live = copy_journal_read(&w->sim.flash, 0x28000, &journal) == ESP_OK;
        assert_true(boot_device(w));
        assert_true(is_new(w, &c) || (!live && is_old(w, &c)));
        made += live;
    }
    assert_true(made > 0);
}

/* ---- refusals ----------------------------------------------------------------------------------------------------- */

static void what_must_not_be_a_final_is_refused_before_the_download(void **state)
{
    world_t *w = *state;
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
        assert_int_equal(ota_begin(&w->device, find(w, rows[i].staging), OTA_WITH_SEQUENTIAL_WRITES, &handle),
                         ESP_OK);
        assert_int_equal(ota_set_final_partition(&w->device, handle, find(w, rows[i].final), true),
                         rows[i].want);
        assert_true(rows[i].want == ESP_OK || w->device.last_reason[0] != '\0');
        assert_int_equal(ota_abort(&w->device, handle), ESP_OK);
    }
}

static void the_only_copy_is_not_written_in_place(void **state)
{
    world_t *w = *state;
    static const char *const labels[] = {"boot", "table"};
    for (size_t i = 0; i < 2; i++) {
        esp_ota_handle_t handle = 0;
        assert_int_equal(ota_begin(&w->device, find(w, labels[i]), 0, &handle), ESP_ERR_NOT_ALLOWED);
        assert_non_null(strstr(w->device.last_reason, "only copy"));
    }
    assert_memory_equal(w->sim.bytes, w->golden.bytes, FLASH_SIZE);
}

static void the_only_bootloader_of_a_chip_is_not_replaced(void **state)
{
    world_t *w = *state;
    const copy_case_t c = {"", "ota_1", "boot", bootloader_new.bytes, bootloader_new.len};
    memset(w->sim.bytes + place_of("recovery")->offset, 0xFF, 0x7000);
    assert_int_equal(run_update(w, &c), ESP_ERR_NOT_ALLOWED);
    assert_non_null(strstr(w->device.last_reason, "only bootloader"));
    assert_true(is_old(w, &c));
    w->device.chip.id = OTTER_CHIP_LINUX; /* its boot step is not in this flash */
    esp_ota_handle_t handle;
    assert_int_equal(ota_begin(&w->device, find(w, "ota_1"), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(ota_set_final_partition(&w->device, handle, find(w, "boot"), true), ESP_OK);
}

static void a_table_that_takes_away_what_is_in_use_is_refused(void **state)
{
    world_t *w = *state;
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
        partition_entry_t entries[LAYOUT_COUNT];
        memcpy(entries, layout, sizeof(layout));
        for (size_t k = 0; k < LAYOUT_COUNT; k++) {
            if (strcmp(entries[k].label, rows[i].label) == 0) {
                entries[k].offset = rows[i].offset;
                entries[k].size = rows[i].size;
            }
        }
        uint8_t table[PARTITION_TABLE_LEN];
        assert_int_equal(partition_table_encode(entries, LAYOUT_COUNT, rows[i].md5, table), ESP_OK);
        const copy_case_t c = {"", "ota_1", "table", table, sizeof(table)};
        assert_int_equal(run_update(w, &c), ESP_ERR_OTA_VALIDATE_FAILED);
        if (strstr(w->device.last_reason, rows[i].want) == NULL) {
            fail_msg("row %zu: %s", i, w->device.last_reason);
        }
        assert_true(is_old(w, &c));
        assert_true(others_are_untouched(w, &c));
    }
}

static void a_copy_needs_staging_s_last_sector(void **state)
{
    world_t *w = *state;
    esp_ota_handle_t handle;
    uint8_t sector[SECTOR];
    memset(sector, 0x11, sizeof(sector));
    assert_int_equal(ota_begin(&w->device, find(w, "raw"), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(ota_set_final_partition(&w->device, handle, find(w, "ota_0"), false), ESP_OK);
    assert_int_equal(ota_abort(&w->device, handle), ESP_OK);
    assert_int_equal(ota_begin(&w->device, find(w, "raw"), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(ota_set_final_partition(&w->device, handle, find(w, "boot_ota"), true), ESP_OK);
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
    world_t *w = *state;
    uint8_t *many = calloc(1, 0x3800);
    assert_non_null(many);
    const copy_case_t c = {"", "ota_1", "custom", many, 0x3001};
    assert_int_equal(run_update(w, &c), ESP_ERR_INVALID_SIZE);
    assert_true(is_old(w, &c));
    free(many);
}

static void data_partitions_are_written_without_judgement(void **state)
{
    world_t *w = *state;
    static const char *const labels[] = {"nvs", "files", "custom", "raw"};
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        esp_ota_handle_t handle;
        const esp_partition_t *p = find(w, labels[i]);
        assert_int_equal(ota_begin(&w->device, p, 0, &handle), ESP_OK);
        assert_int_equal(ota_write(&w->device, handle, "just data", 9), ESP_OK);
        assert_int_equal(ota_end(&w->device, handle), ESP_OK);
        assert_memory_equal(w->sim.bytes + p->address, "just data\xFF", 10);
    }
    esp_ota_handle_t handle;
    assert_int_equal(ota_begin(&w->device, find(w, "fixed"), 0, &handle), ESP_ERR_NOT_ALLOWED);
    assert_true(boot_device(w));
    assert_string_equal(w->device.running->label, "ota_0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_copy_brings_the_new_bytes_and_nothing_else, setup, teardown),
        cmocka_unit_test_setup_teardown(a_copy_of_what_is_there_already_costs_no_flash, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_table_counts_from_the_next_boot, setup, teardown),
        cmocka_unit_test_setup_teardown(every_cut_of_a_copy_leaves_old_or_new, setup, teardown),
        cmocka_unit_test_setup_teardown(a_copy_that_flash_refused_is_made_by_the_next_boot, setup, teardown),
        cmocka_unit_test_setup_teardown(a_copy_erases_each_sector_once, setup, teardown),
        cmocka_unit_test_setup_teardown(every_cut_of_a_copied_application_s_life_ends_well, setup, teardown),
        cmocka_unit_test_setup_teardown(every_cut_on_flash_with_large_write_units_leaves_old_or_new, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(every_cut_of_a_table_without_md5_leaves_old_or_new, setup, teardown),
        cmocka_unit_test_setup_teardown(what_must_not_be_a_final_is_refused_before_the_download, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_only_copy_is_not_written_in_place, setup, teardown),
        cmocka_unit_test_setup_teardown(the_only_bootloader_of_a_chip_is_not_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(a_table_that_takes_away_what_is_in_use_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_copy_needs_staging_s_last_sector, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_beyond_final_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(data_partitions_are_written_without_judgement, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, print_counts);
}
