/* The device of staged copies, and the checks of what a copy left. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/copy_rig.h"
#include "otter/promise.h"

/* ---- the device ---- */

const otter_partition_entry_t copy_layout[LAYOUT_COUNT] = {
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

copy_file_t app_old, app_new, bootloader_old, bootloader_new;
uint8_t data_new[PAYLOAD], table_old[OTTER_PARTITION_TABLE_LEN], table_new[OTTER_PARTITION_TABLE_LEN];

void copy_rig_start(copy_rig_t *w)
{
    otter_device_deinit(&w->device);
    w->sim.flash.stable_reads = w->stable_reads;
    otter_device_init(&w->device, &w->sim.flash, &w->chip, NULL, &w->config);
    w->device.config.copies = &otter_staged_copies;
}

bool copy_rig_boot(copy_rig_t *w)
{
    otter_boot_result_t result;
    copy_rig_start(w);
    return otter_boot(&w->device, OTTER_BOOT_COMMIT, &result) == ESP_OK;
}

const esp_partition_t *copy_rig_find(const copy_rig_t *w, const char *label)
{
    const esp_partition_t *p = otter_partition_list_find(&w->device.partitions, NULL, ESP_PARTITION_TYPE_ANY,
                                                         ESP_PARTITION_SUBTYPE_ANY, label);
    assert_non_null(p);
    return p;
}

const otter_partition_entry_t *copy_place_of(const char *label)
{
    for (size_t i = 0; i < LAYOUT_COUNT; i++) {
        if (strcmp(copy_layout[i].label, label) == 0) {
            return &copy_layout[i];
        }
    }
    fail_msg("no %s", label);
    return NULL;
}

void copy_rig_put(copy_rig_t *w, const char *label, const void *bytes, uint32_t len)
{
    memcpy(w->sim.bytes + copy_place_of(label)->offset, bytes, len);
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

static void copy_rig_open(copy_rig_t *w)
{
    memset(w, 0, sizeof(*w));
    assert_true(sim_flash_init(&w->sim, FLASH_SIZE) && sim_flash_init(&w->golden, FLASH_SIZE));
    w->chip = (otter_chip_t){.id = 0, .revision = RIG_CHIP_REV};
    for (uint32_t i = 0; i < PAYLOAD; i++) {
        data_new[i] = (uint8_t)(i * 7 + i / 256);
    }
    otter_partition_entry_t more[LAYOUT_COUNT + 1];
    memcpy(more, copy_layout, sizeof(copy_layout));
    more[LAYOUT_COUNT] = (otter_partition_entry_t){
        .type = 1, .subtype = 0x83, .offset = 0x70000, .size = 0x2000, .label = "added"};
    assert_int_equal(otter_partition_table_encode(copy_layout, LAYOUT_COUNT, true, table_old), ESP_OK);
    assert_int_equal(otter_partition_table_encode(more, LAYOUT_COUNT + 1, true, table_new), ESP_OK);

    copy_rig_put(w, "table", table_old, sizeof(table_old));
    copy_rig_put(w, "boot", bootloader_old.bytes, bootloader_old.len);
    copy_rig_put(w, "recovery", bootloader_old.bytes, bootloader_old.len);
    copy_rig_put(w, "boot_ota", bootloader_old.bytes, bootloader_old.len);
    copy_rig_put(w, "table_ota", table_old, sizeof(table_old));
    copy_rig_put(w, "ota_0", app_old.bytes, app_old.len);
    copy_rig_put(w, "ota_2", app_old.bytes, app_old.len);
    memset(w->sim.bytes + copy_place_of("files")->offset, 0xA5, copy_place_of("files")->size);
    memset(w->sim.bytes + copy_place_of("custom")->offset, 0x5A, 0x2800);
    memset(w->sim.bytes + copy_place_of("nvs")->offset, 0x3C, 0x3800);
    assert_true(copy_rig_boot(w)); /* the first record is written */
    assert_string_equal(w->device.running->label, "ota_0");
    sim_flash_copy(&w->golden, &w->sim);
}

static void copy_rig_close(copy_rig_t *w)
{
    otter_device_deinit(&w->device);
    sim_flash_free(&w->sim);
    sim_flash_free(&w->golden);
}

int copy_rig_set_up(void **state)
{
    load_images();
    copy_rig_t *w = malloc(sizeof(*w));
    copy_rig_open(w);
    *state = w;
    return 0;
}

int copy_rig_tear_down(void **state)
{
    copy_rig_close(*state);
    free(*state);
    free_images();
    return 0;
}

/* ---- copies ---- */

void fill_copy_cases(copy_case_t cases[CASE_COUNT])
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

esp_err_t copy_rig_update(copy_rig_t *w, const copy_case_t *c)
{
    esp_ota_handle_t handle;
    esp_err_t err = ota_begin(&w->device, copy_rig_find(w, c->staging), OTA_WITH_SEQUENTIAL_WRITES, &handle);
    if (err != ESP_OK) {
        return err;
    }
    err = ota_set_final_partition(&w->device, handle, copy_rig_find(w, c->final), true);
    for (uint32_t at = 0; at < c->len && err == ESP_OK; at += 1000) {
        err = ota_write(&w->device, handle, c->bytes + at, c->len - at < 1000 ? c->len - at : 1000);
    }
    if (err != ESP_OK) {
        otter_ignore(ota_abort(&w->device, handle));
        return err;
    }
    return ota_end(&w->device, handle);
}

bool final_is_new(const copy_rig_t *w, const copy_case_t *c)
{
    const otter_partition_entry_t *final = copy_place_of(c->final);
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

bool final_is_old(const copy_rig_t *w, const copy_case_t *c)
{
    const otter_partition_entry_t *final = copy_place_of(c->final);
    return memcmp(w->sim.bytes + final->offset, w->golden.bytes + final->offset, final->size) == 0;
}

bool same_as_golden(const copy_rig_t *w, const char *label)
{
    const otter_partition_entry_t *p = copy_place_of(label);
    return memcmp(w->sim.bytes + p->offset, w->golden.bytes + p->offset, p->size) == 0;
}

bool others_are_untouched(const copy_rig_t *w, const copy_case_t *c)
{
    const otter_partition_entry_t *staging = copy_place_of(c->staging), *final = copy_place_of(c->final);
    for (uint32_t at = 0; at < FLASH_SIZE; at += SECTOR) {
        bool may_differ = rig_inside(at, SECTOR, staging->offset, staging->size) ||
                          rig_inside(at, SECTOR, final->offset, final->size);
        if (!may_differ && memcmp(w->sim.bytes + at, w->golden.bytes + at, SECTOR) != 0) {
            return false;
        }
    }
    return true;
}
