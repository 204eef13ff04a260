/* A device for the boot and OTA tests: recorded tables, records and images on simulator flash, every operation traced. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#include "boot/otadata.h"
#include "otter/boot.h"
#include "otter/device.h"
#include "sim/sim_flash.h"

#define RIG_FLASH_SIZE   0x400000u
#define RIG_TABLE_OFFSET 0x8000u
#define RIG_OTADATA      0xD000u /* in all recorded tables */
#define RIG_OTADATA_SIZE 0x2000u
#define RIG_TRACE_MAX    64
#define RIG_CHIP_REV     300u

typedef struct {
    sim_flash_t sim;
    otter_flash_t flash; /* what the device sees: the simulator behind the trace */
    otter_flash_ops_t ops;
    otter_device_t device;
    uint32_t secure_version; /* the eFuses */
    otter_efuse_key_t keys[OTTER_TRUSTED_KEYS];
    char trace[RIG_TRACE_MAX][128];
    uint32_t trace_count;
    bool trace_tries; /* reads of an image's first bytes too */
    bool fenced;      /* programs and erases outside otadata and `fence_slot` fail the test */
    const esp_partition_t *fence_slot; /* NULL: otadata only */
    bool untraced;
} rig_t;

void rig_note(rig_t *rig, const char *format, ...) __attribute__((format(printf, 2, 3)));

void rig_hex(const uint8_t *bytes, uint32_t len, char *out);

esp_err_t rig_read(void *dev, uint32_t off, void *dst, uint32_t len);

bool rig_inside(uint32_t off, uint32_t len, uint32_t start, uint32_t size);

esp_err_t rig_program(void *dev, uint32_t off, const void *src, uint32_t len);

esp_err_t rig_erase(void *dev, uint32_t off, uint32_t len);

/** For tests that want to see the barriers: `rig->ops.sync = rig_sync`. */
esp_err_t rig_sync(void *dev);

uint8_t *rig_load(const char *folder, const char *name, uint32_t *len);

/** Puts a file of the vectors into the flash at `off`; the rest of what was there stays. */
uint32_t rig_place(rig_t *rig, uint32_t off, const char *folder, const char *name);

cJSON *rig_json(const char *folder, const char *name);

const char *rig_string(const cJSON *object, const char *key);

bool rig_bool(const cJSON *object, const char *key);

/** Blank flash with a recorded partition table ("two_ota_md5"). The chip is an ESP32 v3.0. */
void rig_open(rig_t *rig, const char *table, const otter_device_config_t *config);

void rig_close(rig_t *rig);

/** Forgets the trace. */
void rig_clear(rig_t *rig);

const esp_partition_t *rig_app(const rig_t *rig, int subtype);

/** A partition by the recordings' letter: f, t, or a slot number; also "factory", "test", "ota_1". */
const esp_partition_t *rig_named(const rig_t *rig, const char *name);

/** rig_open() without the trace; an application runs: factory, which holds a recorded image. */
void rig_open_running(rig_t *rig, const char *table, const otter_device_config_t *config);

/** Writes the record of a copy past the flash layer, as it was before a boot. */
void rig_put_record(rig_t *rig, uint32_t copy, uint32_t seq, uint32_t state);

otadata_entry_t rig_get_record(const rig_t *rig, uint32_t copy);

bool rig_is_erased(const rig_t *rig, uint32_t off, uint32_t len);

/** True if the record of copy `copy` in flash is these 32 bytes in hex. */
bool rig_entry_is(const rig_t *rig, uint32_t copy, const char *hex);
