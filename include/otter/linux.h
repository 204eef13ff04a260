/* The device that a flash file or block device holds, for programs of Linux. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/device.h"
#include "otter/fault.h"
#include "otter/promise.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Of a bootloader's build, which a flash does not tell. */
typedef enum {
    OTTER_LINUX_DEFAULT, /* on for chips "linux" and "device"; off for Espressif's, as ESP-IDF ships */
    OTTER_LINUX_ON,
    OTTER_LINUX_OFF,
} otter_linux_switch_t;

/** Zeros are a good default. Texts are not used after otter_linux_open(). */
typedef struct {
    bool read_only;   /* program and erase fail; the file is never changed */
    const char *chip; /* "esp32c3", "device", "linux", ...; NULL: found out, as `otter flash info` does */
    const char *efuse_path;        /* NULL: FILE.efuse, and none of a block device */
    uint32_t table_offset;         /* of the partition table, bytes; 0: 0x8000 */
    otter_linux_switch_t rollback; /* what is selected is on trial until it is confirmed */
    bool anti_rollback;            /* secure versions are kept, in the eFuse file */
    bool emulated_efuse;           /* in the partition of type data, subtype efuse, instead */
    bool allow_http;               /* updates over plain http:// */
} otter_linux_options_t;

/**
 * Open the device that `path` holds, and lock the file against other processes until it is closed. What runs is not known: see
 * otter_boot(), and otter/ota_ops.h. Nothing is written.
 * @param options  NULL: zeros
 * @param device   receives the device, on the heap; NULL on failure. Its flash is read through a buffer of 64 KiB
 * @param fault    says what is wrong and what to do; NULL: nobody asks
 * @return ESP_OK
 *         ESP_ERR_INVALID_ARG    NULL; no chip of that name
 *         ESP_ERR_NOT_FOUND      the file cannot be opened
 *         ESP_ERR_INVALID_STATE  another process has it open; anti-rollback, and no eFuses that are its own; its apps
 *                                are signed and its eFuse file, which may say who has to sign, is not there (but read-only)
 *         ESP_ERR_INVALID_SIZE   no flash has this size
 *         ESP_ERR_NO_MEM, and what reading the eFuse file says
 *         A partition table that is missing or broken is no error: device->partitions.status tells
 */
OTTER_MUST_CHECK esp_err_t otter_linux_open(const char *path, const otter_linux_options_t *options,
                                            otter_device_t **device, otter_fault_t *fault);

/** Writes what is pending, syncs, unlocks and frees. NULL is fine. @return ESP_OK, ESP_ERR_FLASH_OP_* of the sync */
OTTER_MUST_CHECK esp_err_t otter_linux_close(otter_device_t *device);

#ifdef __cplusplus
}
#endif
