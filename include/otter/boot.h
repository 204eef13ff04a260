/* The second-stage bootloader: decide, record, verify, load. Its users are `otter run` and the bare-metal board. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_err.h"
#include "otter/device.h"
#include "otter/image.h"
#include "otter/promise.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One candidate that the bootloader looked at and passed over. */
typedef struct {
    char label[17];
    otter_fault_t fault; /* "checksum 0x14 does not match 0x15" */
} otter_boot_tried_t;

#define OTTER_BOOT_TRIED_MAX 18 /* factory, sixteen slots, test */

typedef struct {
    const esp_partition_t *partition; /* what boots; NULL: nothing does */
    char reason[OTTER_WHY_MAX]; /* in words: "otadata copy 1 is active (seq 2, VALID) and selects ota_1" */
    otter_boot_tried_t tried[OTTER_BOOT_TRIED_MAX];
    uint32_t tried_count;
    /** What boots: its entry address is in `header`, what to load in `segments`. */
    otter_image_info_t image;
    int otadata_copy;              /* the copy of otadata that decided; -1: none did */
    uint32_t otadata_state[2];     /* of both copies, as this boot leaves it; 0 without otadata */
    uint32_t otadata_off;          /* in flash; 0: there is none */
    uint8_t records_before[2][32]; /* as the step found them, for otter_boot_take_back() */
} otter_boot_result_t;

/** What the boot step may do to flash. */
typedef enum {
    OTTER_BOOT_COMMIT,  /* a real boot: state changes are written, in ESP-IDF's order */
    OTTER_BOOT_DRY_RUN, /* what would happen: no write, no eFuse; for `otter flash info` and `otter update` */
    /* the same if images are whole whose heads are right: costs next to nothing, and nothing may be written that rests on it */
    OTTER_BOOT_GUESS
} otter_boot_mode_t;

/** How far the first boot of a device with flash encryption is. */
typedef struct {
    bool begun;             /* false: flash is plain still */
    uint32_t done, sectors; /* that are encrypted, and that will be; zeros before it has begun */
} otter_first_boot_t;

/**
 * Asks for the device's first boot with flash encryption; nothing is written. While it has begun, partitions are plain or
 * encrypted or both: nobody but the boot step can use them, which goes on where a power cut has stopped it.
 * @return ESP_OK; ESP_ERR_NOT_FOUND (no cipher waits for its flash: it is behind it, or never comes), ESP_ERR_NOT_SUPPORTED
 *         (`first_encryption` of the configuration is NULL), ESP_ERR_INVALID_STATE (it was begun with another key),
 *         ESP_ERR_NO_MEM, ESP_ERR_FLASH_OP_*; the reason in device->fault
 */
OTTER_MUST_CHECK esp_err_t otter_boot_look_at_first(otter_device_t *device, otter_first_boot_t *state);

/**
 * Finish the copies from staging partitions that a power cut left unfinished (esp_ota_set_final_partition with copy), also
 * that of the partition table itself; journals that are damaged, outdated or forged are cleared and not followed. The boot
 * step begins with this; whoever uses a device's partitions without booting it calls it first. Reads 68 bytes of each OTA
 * slot where there is nothing to finish. Reloads the device's partition list if nothing runs and no update is open.
 * @return ESP_OK, or ESP_ERR_FLASH_OP_* / ESP_ERR_NO_MEM: a copy could not be finished now, the next call tries again;
 *         ESP_ERR_NOT_SUPPORTED: there is one, and `copies` of the configuration is NULL; the reason in device->fault
 */
OTTER_MUST_CHECK esp_err_t otter_boot_finish_copies(otter_device_t *device);

/**
 * The whole boot step on the device's flash (FORMATS.md section 7): table, otadata, rollback, candidates in
 * fallback order, each verified with the loader's checks; logs as ESP-IDF's bootloader does (COMMIT only). On success
 * in COMMIT mode the device's `running` is set.
 * @param result  always written
 * @return ESP_OK               result->partition boots
 *         ESP_ERR_NOT_FOUND    no candidate verifies: the chip would reset for ever
 *         ESP_ERR_INVALID_STATE / ESP_ERR_INVALID_SIZE  the partition table or otadata partition is unusable
 *         ESP_ERR_NOT_SUPPORTED, ESP_ERR_INVALID_ARG  this cannot be the flash of a device, as otter_device_init said
 *         ESP_ERR_NOT_SUPPORTED  also: there is an unfinished copy, and `copies` of the configuration is NULL
 *         ESP_ERR_FLASH_OP_*   the flash failed
 *         what otter_boot_look_at_first() says, and why flash cannot be encrypted; ESP_ERR_INVALID_STATE of a dry run: it is
 *         encrypted in part
 */
OTTER_MUST_CHECK esp_err_t otter_boot(otter_device_t *device, otter_boot_mode_t mode,
                                      otter_boot_result_t *result);

/**
 * Take back what a boot step in COMMIT mode wrote into otadata, because its image could not be started and that was not the
 * image's fault: no trial has begun, or ended. To be called before anything else changes the flash. A secure version that
 * was burned stays: it is that of a confirmed image. Also after a step that failed, for want of memory for example.
 * @return ESP_OK, ESP_ERR_FLASH_OP_*
 */
OTTER_MUST_CHECK esp_err_t otter_boot_take_back(otter_device_t *device, const otter_boot_result_t *result);

#ifdef __cplusplus
}
#endif
