/* A device for the tests of staged copies: every kind of partition on small simulator flash, and what is copied there. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/bytes.h"
#include "boot/copy_journal.h"
#include "flash/partition_list.h"
#include "otter/partition_table.h"
#include "ota/switch.h"
#include "ota/update.h"
#include "support/ota_rig.h"

#define FLASH_SIZE 0x80000u
#define SECTOR     0x1000u
#define PAYLOAD    0x2345u /* bytes of data: not whole sectors */

/* ---- the device ---- */

#define LAYOUT_COUNT 14u
extern const otter_partition_entry_t copy_layout[LAYOUT_COUNT];

typedef struct {
    uint8_t *bytes;
    uint32_t len;
} copy_file_t;
extern copy_file_t app_old, app_new, bootloader_old, bootloader_new;
extern uint8_t data_new[PAYLOAD], table_old[OTTER_PARTITION_TABLE_LEN], table_new[OTTER_PARTITION_TABLE_LEN];

typedef struct {
    sim_flash_t sim, golden;
    otter_device_t device;
    otter_chip_t chip;
    otter_device_config_t config;
    bool stable_reads;
} copy_rig_t;

void copy_rig_start(copy_rig_t *w);

bool copy_rig_boot(copy_rig_t *w);

const esp_partition_t *copy_rig_find(const copy_rig_t *w, const char *label);

const otter_partition_entry_t *copy_place_of(const char *label);

void copy_rig_put(copy_rig_t *w, const char *label, const void *bytes, uint32_t len);

int copy_rig_set_up(void **state);

int copy_rig_tear_down(void **state);

/* ---- copies ---- */

typedef struct {
    const char *name, *staging, *final;
    const uint8_t *bytes;
    uint32_t len;
} copy_case_t;

#define CASE_COUNT 9
void fill_copy_cases(copy_case_t cases[CASE_COUNT]);

esp_err_t copy_rig_update(copy_rig_t *w, const copy_case_t *c);

/** Final holds the new bytes and nothing behind them. */
bool final_is_new(const copy_rig_t *w, const copy_case_t *c);

bool final_is_old(const copy_rig_t *w, const copy_case_t *c);

bool same_as_golden(const copy_rig_t *w, const char *label);

/** Nothing but staging and final differs from what was there before. */
bool others_are_untouched(const copy_rig_t *w, const copy_case_t *c);
