/*
 * Copies from staging to final: what they bring, and every power cut of them. After a cut at any operation the boot step must
 * leave final whole, old or new: new as soon as the journal was durable. Forged journals are never followed.
 *
 * A failure prints its replay line: case, number of the operation, kind of the cut, and the cut in the boot after it; for
 * random journals the seed and the round.
 */
#include "base/le.h"
#include "boot/copy_journal.h"
#include "flash/partition_list.h"
#include "flash/partition_table.h"
#include "ota/update.h"
#include "unit/ota_rig.h"

#define FLASH_SIZE 0x80000u
#define SECTOR     0x1000u
#define PAYLOAD    0x2345u /* bytes of data: not whole sectors */

/* ---- the device --------------------------------------------------------------------------------------------------- */

static const partition_entry_t layout[] = {
    {.type = 2, .subtype = 0, .offset = 0x1000, .size = 0x7000, .label = "boot"},
    {.type = 3, .subtype = 0, .offset = 0x8000, .size = 0x1000, .label = "table"},
    {.type = 1, .subtype = 2, .offset = 0x9000, .size = 0x4000, .label = "nvs"},
    {.type = 1, .subtype = 0, .offset = 0xD000, .size = 0x2000, .label = "otadata"},
    {.type = 0, .subtype = 0x10, .offset = 0x10000, .size = 0x10000, .label = "ota_0"},
    {.type = 0, .subtype = 0x11, .offset = 0x20000, .size = 0x8000, .label = "ota_1"},
    {.type = 0, .subtype = 0x12, .offset = 0x30000, .size = 0x4000, .label = "ota_2"},
    {.type = 1, .subtype = 0x81, .offset = 0x40000, .size = 0x4000, .label = "files"},
    {.type = 0x40, .subtype = 7, .offset = 0x44000, .size = 0x3000, .label = "custom"},
    {.type = 1, .subtype = 0x82, .offset = 0x47000, .size = 0x1000, .label = "fixed", .flags = 2},
    {.type = 2, .subtype = 1, .offset = 0x48000, .size = 0x7000, .label = "boot_ota"},
    {.type = 2, .subtype = 2, .offset = 0x50000, .size = 0x7000, .label = "recovery"},
    {.type = 3, .subtype = 1, .offset = 0x58000, .size = 0x1000, .label = "table_ota"},
    {.type = 1, .subtype = 6, .offset = 0x60000, .size = 0x8000, .label = "raw"},
};
#define LAYOUT_COUNT (sizeof(layout) / sizeof(layout[0]))

static struct {
    uint8_t *bytes;
    uint32_t len;
} app_old, app_new, bootloader_old, bootloader_new;
static uint8_t data_new[PAYLOAD], table_old[PARTITION_TABLE_LEN], table_new[PARTITION_TABLE_LEN];

typedef struct {
    sim_flash_t sim, golden, after_cut;
    otter_device_t device;
    otter_chip_t chip;
    otter_device_config_t config;
    uint32_t write_size;
} world_t;

static void start_device(world_t *w)
{
    otter_device_deinit(&w->device);
    w->sim.flash.attested_len = 0;
    w->sim.flash.write_size = w->write_size;
    otter_device_init(&w->device, &w->sim.flash, &w->chip, NULL, &w->config);
}

static bool boot_device(world_t *w)
{
    otter_boot_result_t result;
    start_device(w);
    return otter_boot(&w->device, OTTER_BOOT_COMMIT, &result) == ESP_OK;
}

static const esp_partition_t *find(const world_t *w, const char *label)
{
    const esp_partition_t *p = partition_list_find(&w->device.partitions, NULL, ESP_PARTITION_TYPE_ANY,
                                                   ESP_PARTITION_SUBTYPE_ANY, label);
    assert_non_null(p);
    return p;
}

static const partition_entry_t *place_of(const char *label)
{
    for (size_t i = 0; i < LAYOUT_COUNT; i++) {
        if (strcmp(layout[i].label, label) == 0) {
            return &layout[i];
        }
    }
    fail_msg("no %s", label);
    return NULL;
}

static void put(world_t *w, const char *label, const void *bytes, uint32_t len)
{
    memcpy(w->sim.bytes + place_of(label)->offset, bytes, len);
}

/** A second-stage bootloader as far as the checks go: an app image's segments without what only applications have. */
static void load_images(void)
{
    app_old.bytes = rig_load("image", "esp32_valid.bin", &app_old.len);
    app_new.bytes = rig_load("image", "esp32_v110_sec1.bin", &app_new.len);
    bootloader_old.bytes = rig_load("image", "esp32_valid.bin", &bootloader_old.len);
    bootloader_new.bytes = rig_load("image", "esp32_v120_sec3.bin", &bootloader_new.len);
}

static void free_images(void)
{
    free(app_old.bytes);
    free(app_new.bytes);
    free(bootloader_old.bytes);
    free(bootloader_new.bytes);
}

static void open_world(world_t *w)
{
    memset(w, 0, sizeof(*w));
    assert_true(sim_flash_init(&w->sim, FLASH_SIZE) && sim_flash_init(&w->golden, FLASH_SIZE) &&
                sim_flash_init(&w->after_cut, FLASH_SIZE));
    w->chip = (otter_chip_t){.id = 0, .revision = RIG_CHIP_REV};
    w->write_size = 1;
    for (uint32_t i = 0; i < PAYLOAD; i++) {
        data_new[i] = (uint8_t)(i * 7 + i / 256);
    }
    partition_entry_t more[LAYOUT_COUNT + 1];
    memcpy(more, layout, sizeof(layout));
    more[LAYOUT_COUNT] =
        (partition_entry_t){.type = 1, .subtype = 0x83, .offset = 0x70000, .size = 0x2000, .label = "added"};
    assert_int_equal(partition_table_encode(layout, LAYOUT_COUNT, true, table_old), ESP_OK);
    assert_int_equal(partition_table_encode(more, LAYOUT_COUNT + 1, true, table_new), ESP_OK);

    put(w, "table", table_old, sizeof(table_old));
    put(w, "boot", bootloader_old.bytes, bootloader_old.len);
    put(w, "recovery", bootloader_old.bytes, bootloader_old.len);
    put(w, "boot_ota", bootloader_old.bytes, bootloader_old.len);
    put(w, "table_ota", table_old, sizeof(table_old));
    put(w, "ota_0", app_old.bytes, app_old.len);
    put(w, "ota_2", app_old.bytes, app_old.len);
    memset(w->sim.bytes + place_of("files")->offset, 0xA5, place_of("files")->size);
    memset(w->sim.bytes + place_of("custom")->offset, 0x5A, 0x2800);
    memset(w->sim.bytes + place_of("nvs")->offset, 0x3C, 0x3800);
    assert_true(boot_device(w)); /* the first record is written */
    assert_string_equal(w->device.running->label, "ota_0");
    sim_flash_copy(&w->golden, &w->sim);
}

static void close_world(world_t *w)
{
    otter_device_deinit(&w->device);
    sim_flash_free(&w->sim);
    sim_flash_free(&w->golden);
    sim_flash_free(&w->after_cut);
}

static int setup(void **state)
{
    load_images();
    world_t *w = malloc(sizeof(*w));
    open_world(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    close_world(*state);
    free(*state);
    free_images();
    return 0;
}

/* ---- copies ------------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *name, *staging, *final;
    const uint8_t *bytes;
    uint32_t len;
} copy_case_t;

#define CASE_COUNT 9
static void fill_cases(copy_case_t cases[CASE_COUNT])
{
    const copy_case_t all[CASE_COUNT] = {
        {"data, slot to files", "ota_1", "files", data_new, PAYLOAD},
        {"data, raw to custom", "raw", "custom", data_new, PAYLOAD},
        {"data, slot to nvs", "ota_1", "nvs", data_new, 100},
        {"data, slot to files, few bytes", "ota_1", "files", data_new, 1},
        {"bootloader, slot to primary", "ota_1", "boot", bootloader_new.bytes, bootloader_new.len},
        {"bootloader, raw to ota", "raw", "boot_ota", bootloader_new.bytes, bootloader_new.len},
        {"table, slot to primary", "ota_1", "table", table_new, sizeof(table_new)},
        {"table, bootloader to ota", "boot_ota", "table_ota", table_new, sizeof(table_new)},
        {"application, slot to slot", "ota_1", "ota_2", app_new.bytes, app_new.len},
    };
    memcpy(cases, all, sizeof(all));
}

static esp_err_t run_update(world_t *w, const copy_case_t *c)
{
    esp_ota_handle_t handle;
    esp_err_t err = ota_begin(&w->device, find(w, c->staging), OTA_WITH_SEQUENTIAL_WRITES, &handle);
    if (err != ESP_OK) {
        return err;
    }
    err = ota_set_final_partition(&w->device, handle, find(w, c->final), true);
    for (uint32_t at = 0; at < c->len && err == ESP_OK; at += 1000) {
        err = ota_write(&w->device, handle, c->bytes + at, c->len - at < 1000 ? c->len - at : 1000);
    }
    if (err != ESP_OK) {
        (void)ota_abort(&w->device, handle);
        return err;
    }
    return ota_end(&w->device, handle);
}

/** Final holds the new bytes and nothing behind them. */
static bool is_new(const world_t *w, const copy_case_t *c)
{
    const partition_entry_t *final = place_of(c->final);
    const uint8_t *have = w->sim.bytes + final->offset;
    if (memcmp(have, c->bytes, c->len) != 0) {
        return false;
    }
    for (uint32_t i = c->len; i < final->size; i++) {
        if (have[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

static bool is_old(const world_t *w, const copy_case_t *c)
{
    const partition_entry_t *final = place_of(c->final);
    return memcmp(w->sim.bytes + final->offset, w->golden.bytes + final->offset, final->size) == 0;
}

static bool same_as_golden(const world_t *w, const char *label)
{
    const partition_entry_t *p = place_of(label);
    return memcmp(w->sim.bytes + p->offset, w->golden.bytes + p->offset, p->size) == 0;
}

/** Nothing but staging and final differs from what was there before. */
static bool others_are_untouched(const world_t *w, const copy_case_t *c)
{
    const partition_entry_t *staging = place_of(c->staging), *final = place_of(c->final);
    for (uint32_t at = 0; at < FLASH_SIZE; at += SECTOR) {
        bool may_differ = rig_inside(at, SECTOR, staging->offset, staging->size) ||
                          rig_inside(at, SECTOR, final->offset, final->size);
        if (!may_differ && memcmp(w->sim.bytes + at, w->golden.bytes + at, SECTOR) != 0) {
            return false;
        }
    }
    return true;
}

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
        for (now.tear = 0; now.tear < SIM_TEAR_COUNT; now.tear++) {
            durable |= cut_update(w, c, durable);
        }
    }
    assert_true(durable);
}

static int print_counts(void **state)
{
    (void)state;
    print_message("cuts of staged copies: before %u, prefix %u, bits %u, after %u; final old after %u, new "
                  "after %u; and %u "
                  "more cuts in the boots after them\n",
                  cut_counts[SIM_TEAR_BEFORE], cut_counts[SIM_TEAR_PREFIX], cut_counts[SIM_TEAR_BITS],
                  cut_counts[SIM_TEAR_AFTER], old_count, new_count, second_cut_count);
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

/* ---- forged journals ---------------------------------------------------------------------------------------------- */

/** A journal as a cut in the copy of data_new from ota_1 to files would leave it. */
static copy_journal_t good_journal(world_t *w)
{
    copy_journal_t journal = {.staging_off = 0x20000,
                              .staging_size = 0x8000,
                              .final_off = 0x40000,
                              .final_size = 0x4000,
                              .final_type = 1,
                              .final_subtype = 0x81,
                              .len = PAYLOAD,
                              .unit = SECTOR};
    put(w, "ota_1", data_new, PAYLOAD);
    return journal;
}

static void place_journal(world_t *w, copy_journal_t *journal, uint32_t end)
{
    otter_sha256_t *sha = otter_sha256_new();
    if (range_fits(journal->staging_off, journal->len, FLASH_SIZE)) {
        otter_sha256_update(sha, w->sim.bytes + journal->staging_off, journal->len);
        otter_sha256_finish(sha, journal->digest);
    }
    otter_sha256_free(sha);
    memset(w->sim.bytes + end - SECTOR, 0xFF, SECTOR);
    copy_journal_encode(journal, w->sim.bytes + end - SECTOR);
}

/** Boots. Flash must be as before, but for the magic of the journal, which may be cleared. */
static void check_not_followed(world_t *w, uint32_t end, const char *name)
{
    uint8_t *before = malloc(FLASH_SIZE);
    assert_non_null(before);
    memcpy(before, w->sim.bytes, FLASH_SIZE);
    assert_true(boot_device(w));
    assert_string_equal(w->device.running->label, "ota_0");
    copy_journal_t journal;
    bool live = copy_journal_read(&w->sim.flash, end, &journal) == ESP_OK;
    assert_true(live == (end == 0x44000)); /* cleared, except where none is looked for */
    memcpy(w->sim.bytes + end - SECTOR, before + end - SECTOR, 4);
    if (memcmp(before, w->sim.bytes, FLASH_SIZE) != 0) {
        fail_msg("%s: the journal was followed", name);
    }
    free(before);
}

static void forged_journals_are_not_followed(void **state)
{
    world_t *w = *state;
    static const struct {
        const char *name, *final; /* NULL: fields as below */
        uint32_t staging_off, staging_size, final_off, final_size, len, unit;
    } rows[] = {
        {.name = "final runs", .final = "ota_0"},
        {.name = "final says what boots", .final = "otadata"},
        {.name = "final is read-only", .final = "fixed"},
        {.name = "final is the table, source is none", .final = "table"},
        {.name = "final is staging", .final = "ota_1"},
        {.name = "final is not in the table", .final_off = 0x41000, .final_size = 0x3000},
        {.name = "final is larger than its partition", .final_size = 0x5000},
        {.name = "final lies beyond the flash", .final_off = 0xFFFFF000u, .final_size = 0x4000},
        {.name = "staging is another partition", .staging_off = 0x30000, .staging_size = 0x4000},
        {.name = "staging begins elsewhere", .staging_off = 0x1F000, .staging_size = 0x9000},
        {.name = "staging wraps", .staging_off = 0xFFFFF000u, .staging_size = 0x29000},
        {.name = "more bytes than final has", .len = 0x4001},
        {.name = "bytes up to the journal and into it", .final = "ota_0", .len = 0x7001},
        {.name = "no bytes", .len = 0xFFFFFFFF},
        {.name = "unit 0", .unit = 0xFFFFFFFF},
        {.name = "unit of no sectors", .unit = 77},
        {.name = "unit of two sectors", .unit = 0x2000},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sim_flash_copy(&w->sim, &w->golden);
        copy_journal_t journal = good_journal(w);
        if (rows[i].final != NULL) {
            const partition_entry_t *final = place_of(rows[i].final);
            journal.final_off = final->offset;
            journal.final_size = final->size;
            journal.final_type = final->type;
            journal.final_subtype = final->subtype;
            journal.len = final->size < journal.len ? final->size : journal.len;
        }
        const uint32_t *from[] = {&rows[i].staging_off, &rows[i].staging_size, &rows[i].final_off,
                                  &rows[i].final_size,  &rows[i].len,          &rows[i].unit};
        uint32_t *to[] = {&journal.staging_off, &journal.staging_size, &journal.final_off,
                          &journal.final_size,  &journal.len,          &journal.unit};
        for (size_t k = 0; k < sizeof(to) / sizeof(to[0]); k++) {
            *to[k] = *from[k] == 0 ? *to[k] : *from[k] == 0xFFFFFFFF ? 0 : *from[k];
        }
        place_journal(w, &journal, 0x28000);
        check_not_followed(w, 0x28000, rows[i].name);
    }
}

static void the_same_journal_unforged_is_followed(void **state)
{
    world_t *w = *state;
    const copy_case_t c = {"", "ota_1", "files", data_new, PAYLOAD};
    copy_journal_t journal = good_journal(w);
    place_journal(w, &journal, 0x28000);
    otter_boot_result_t result;
    start_device(w);
    const uint32_t ops = w->sim.ops;
    assert_int_equal(otter_boot(&w->device, OTTER_BOOT_DRY_RUN, &result), ESP_OK);
    assert_non_null(strstr(result.reason, "unfinished copy"));
    assert_int_equal(w->sim.ops, ops);
    assert_true(boot_device(w));
    assert_true(is_new(w, &c));
    assert_int_equal(copy_journal_read(&w->sim.flash, 0x28000, &journal), ESP_ERR_NOT_FOUND);
}

static void a_journal_whose_source_was_overwritten_is_dropped(void **state)
{
    world_t *w = *state;
    copy_journal_t journal = good_journal(w);
    place_journal(w, &journal, 0x28000);
    w->sim.bytes[0x20000 + PAYLOAD - 1] ^= 1;
    check_not_followed(w, 0x28000, "overwritten source");
}

static void marks_are_not_believed(void **state)
{
    world_t *w = *state;
    const copy_case_t c = {"", "ota_1", "files", data_new, PAYLOAD};
    copy_journal_t journal = good_journal(w);
    place_journal(w, &journal, 0x28000);
    memset(w->sim.bytes + 0x27000 + 128, 0, SECTOR - 128); /* all is done, it says */
    assert_true(boot_device(w));
    assert_true(is_new(w, &c));
}

static void journals_in_file_systems_are_not_looked_for(void **state)
{
    world_t *w = *state;
    copy_journal_t journal = good_journal(w);
    journal.staging_off = 0x40000;
    journal.staging_size = 0x4000;
    journal.final_off = 0x44000;
    journal.final_size = 0x3000;
    journal.final_type = 0x40;
    journal.final_subtype = 7;
    journal.len = 100;
    place_journal(w, &journal, 0x44000);
    check_not_followed(w, 0x44000, "files");
}

static void a_download_cannot_bring_a_journal(void **state)
{
    world_t *w = *state;
    copy_journal_t journal = good_journal(w);
    sim_flash_copy(&w->sim, &w->golden);
    assert_true(boot_device(w));
    uint8_t *image = malloc(0x8000);
    assert_non_null(image);
    memset(image, 0x77, 0x8000);
    image[0] = 0xE9;
    copy_journal_encode(&journal, image + 0x7000);
    static const uint32_t chunks[] = {0x8000, 1000, 0x7001, 0x7002, 0x7003};
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        esp_ota_handle_t handle;
        esp_err_t err = ota_begin(&w->device, find(w, "ota_1"), OTA_WITH_SEQUENTIAL_WRITES, &handle);
        for (uint32_t at = 0; at < 0x8000 && err == ESP_OK; at += chunks[i]) {
            err =
                ota_write(&w->device, handle, image + at, 0x8000 - at < chunks[i] ? 0x8000 - at : chunks[i]);
        }
        assert_int_equal(err, ESP_ERR_OTA_VALIDATE_FAILED);
        assert_int_equal(copy_journal_read(&w->sim.flash, 0x28000, &journal), ESP_ERR_NOT_FOUND);
        assert_int_equal(ota_abort(&w->device, handle), ESP_OK);
    }
    esp_ota_handle_t handle;
    assert_int_equal(ota_begin(&w->device, find(w, "ota_1"), 0, &handle), ESP_OK);
    assert_int_equal(ota_write_with_offset(&w->device, handle, image + 0x7001, 100, 0x7001), ESP_OK);
    assert_int_equal(ota_write_with_offset(&w->device, handle, image + 0x7000, 1, 0x7000),
                     ESP_ERR_OTA_VALIDATE_FAILED);
    /* Nor bit by bit: what is programmed twice is the AND of both. */
    assert_int_equal(ota_write_with_offset(&w->device, handle, "\xCF", 1, 0x7000), ESP_OK);
    assert_int_equal(ota_write_with_offset(&w->device, handle, "\x5F", 1, 0x7000),
                     ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(ota_abort(&w->device, handle), ESP_OK);
    free(image);
}

static void beginning_an_update_settles_the_journal_that_lies_there(void **state)
{
    world_t *w = *state;
    const copy_case_t c = {"", "ota_1", "files", data_new, PAYLOAD};
    copy_journal_t journal = good_journal(w);
    place_journal(w, &journal, 0x28000);
    esp_ota_handle_t handle;
    assert_int_equal(ota_begin(&w->device, find(w, "ota_1"), 0, &handle),
                     ESP_OK); /* staging: finished first */
    assert_true(is_new(w, &c));
    assert_int_equal(ota_abort(&w->device, handle), ESP_OK);

    sim_flash_copy(&w->sim, &w->golden);
    assert_true(boot_device(w));
    journal = good_journal(w);
    place_journal(w, &journal, 0x28000);
    assert_int_equal(ota_begin(&w->device, find(w, "files"), 0, &handle), ESP_OK); /* final: cleared */
    assert_int_equal(ota_write(&w->device, handle, "mine", 4), ESP_OK);
    assert_int_equal(ota_end(&w->device, handle), ESP_OK);
    assert_true(boot_device(w));
    assert_memory_equal(w->sim.bytes + 0x40000, "mine\xFF", 5);
}

/* Random journals, right CRC: whatever they say, the device keeps what it lives by. */

#define ROUNDS 20000u

static uint32_t next_random(uint32_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return *random;
}

static uint32_t odd_value(uint32_t *random)
{
    const partition_entry_t *p = &layout[next_random(random) % LAYOUT_COUNT];
    switch (next_random(random) % 6) {
    case 0:
    case 1:
        return p->offset;
    case 2:
    case 3:
        return p->size;
    case 4:
        return next_random(random) & ~(SECTOR - 1);
    default:
        return next_random(random) >> (next_random(random) % 32);
    }
}

static void random_journal(world_t *w, uint32_t *random)
{
    const partition_entry_t *staging = &layout[next_random(random) % LAYOUT_COUNT];
    const partition_entry_t *final = &layout[next_random(random) % LAYOUT_COUNT];
    copy_journal_t journal = {.staging_off = staging->offset,
                              .staging_size = staging->size,
                              .final_off = final->offset,
                              .final_size = final->size,
                              .final_type = final->type,
                              .final_subtype = final->subtype,
                              .len = next_random(random) % final->size + 1,
                              .unit = SECTOR};
    uint32_t *fields[] = {&journal.staging_off, &journal.staging_size, &journal.final_off,
                          &journal.final_size,  &journal.len,          &journal.unit};
    for (uint32_t n = next_random(random) % 3; n > 0; n--) {
        *fields[next_random(random) % 6] = odd_value(random);
    }
    place_journal(w, &journal, staging->offset + staging->size);
}

static void random_journals_leave_what_the_device_lives_by(void **state)
{
    world_t *w = *state;
    const char *given = getenv("OTTER_SEED");
    uint32_t seed = given != NULL ? (uint32_t)strtoul(given, NULL, 0) : 0x0C0FFEEu,
             random = seed != 0 ? seed : 1;
    static const char *const kept[] = {"boot", "recovery", "table", "otadata", "ota_0", "fixed"};
    uint32_t followed = 0;
    print_message("random journals: seed 0x%x, %u rounds\n", seed, ROUNDS);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        sim_flash_copy(&w->sim, &w->golden);
        random_journal(w, &random);
        for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]);
             i++) { /* a journal in these is damage of its own */
            put(w, kept[i], w->golden.bytes + place_of(kept[i])->offset, place_of(kept[i])->size);
        }
        bool good = boot_device(w) && strcmp(w->device.running->label, "ota_0") == 0;
        for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
            good = good && same_as_golden(w, kept[i]);
        }
        if (!good) {
            print_message("replay: OTTER_SEED=0x%x, round %u\n", seed, round);
            fail();
        }
        followed += w->sim.ops > 1;
    }
    print_message("random journals: %u allowed by every rule and followed\n", followed);
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
        cmocka_unit_test_setup_teardown(forged_journals_are_not_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_journal_unforged_is_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_journal_whose_source_was_overwritten_is_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(marks_are_not_believed, setup, teardown),
        cmocka_unit_test_setup_teardown(journals_in_file_systems_are_not_looked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(a_download_cannot_bring_a_journal, setup, teardown),
        cmocka_unit_test_setup_teardown(beginning_an_update_settles_the_journal_that_lies_there, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(random_journals_leave_what_the_device_lives_by, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, print_counts);
}
