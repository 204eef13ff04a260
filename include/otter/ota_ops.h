/* What boots next, and the verdict on what runs: ESP-IDF's otadata calls on a device that the caller names. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_ota_ops.h"
#include "otter/device.h"
#include "otter/fault.h"
#include "otter/promise.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Each function is ESP-IDF's esp_ota_... of the same name with the device in front: arguments, order of checks and codes are
 * those documented in esp_ota_ops.h, whose functions only add the current device. `fault` says why one failed; NULL: nobody
 * asks. Nothing is taken from the heap. Partitions are the device's own entries, and live as long as its list.
 *
 * What runs is device->running: the boot step sets it (otter/boot.h), and whoever stands in for one, such as a tool that looks at
 * the flash of a device, sets it to what a dry run says.
 *
 * Tasks: as in otter/update.h, one at a time; where several use a device, each holds OTTER_LOCK_UPDATES around a call.
 */

/** Boot `partition` from the next restart on: verified, then selected; on trial, if the device has rollback. */
OTTER_MUST_CHECK esp_err_t otter_ota_set_boot_partition(otter_device_t *device,
                                                        const esp_partition_t *partition,
                                                        otter_fault_t *fault);

/** What is selected, or boots where nothing is; NULL where nothing can boot. */
const esp_partition_t *otter_ota_get_boot_partition(otter_device_t *device);

/** The slot behind `start_from` (NULL: behind what runs), which the next update goes to. NULL: there is none. */
const esp_partition_t *otter_ota_get_next_update_partition(otter_device_t *device,
                                                           const esp_partition_t *start_from);

/** What a slot's record says of it: ESP_OTA_IMG_NEW, _PENDING_VERIFY, _VALID, _INVALID, _ABORTED, _UNDEFINED. */
OTTER_MUST_CHECK esp_err_t otter_ota_get_state_partition(otter_device_t *device,
                                                         const esp_partition_t *partition,
                                                         esp_ota_img_states_t *ota_state);

/** Confirm: the trial of what runs is over, it is what later images fall back to. */
OTTER_MUST_CHECK esp_err_t otter_ota_mark_app_valid_cancel_rollback(otter_device_t *device,
                                                                    otter_fault_t *fault);

/** Reject: what runs does not boot again, the next boot falls back. Does not restart: that is the caller's. */
OTTER_MUST_CHECK esp_err_t otter_ota_mark_app_invalid_rollback(otter_device_t *device, otter_fault_t *fault);

/** There is something to fall back to. Verifies it. */
bool otter_ota_check_rollback_is_possible(otter_device_t *device);

/** The slot whose image was rejected or failed its trial last; NULL: there is none, or it holds no whole image. */
const esp_partition_t *otter_ota_get_last_invalid_partition(otter_device_t *device);

/** An application partition with an ota_n subtype. NULL is none. */
bool otter_ota_is_slot(const esp_partition_t *partition);

/** One of the two records of otadata, as it is in flash (FORMATS.md section 4). */
typedef struct {
    bool erased;    /* there is none; what follows tells nothing */
    bool whole;     /* the CRC is that of the number; else it is torn or damaged */
    bool counts;    /* whole, and its state lets the slot boot: the one with the higher number decides */
    uint32_t seq;   /* selects `slot` */
    uint32_t state; /* esp_ota_img_states_t, or any other value */
    uint32_t crc, seq_crc; /* as stored; of the number */
    uint32_t slot;         /* as in ota_0, ota_1; 0 where the table has none */
} otter_ota_record_t;

/**
 * @param records  of copy 0 and 1
 * @param active   the copy that decides, -1: none does
 * @return ESP_OK, ESP_ERR_NOT_FOUND (no otadata partition), ESP_ERR_INVALID_SIZE (it is too small), ESP_ERR_INVALID_ARG (it is
 *         beyond the flash), ESP_ERR_FLASH_OP_*
 */
OTTER_MUST_CHECK esp_err_t otter_ota_read_records(otter_device_t *device, otter_ota_record_t records[2],
                                                  int *active, otter_fault_t *fault);

/**
 * The lowest secure version that boots where anti-rollback is on; 0 on a device without eFuses.
 * @return ESP_OK; of emulated eFuses ESP_ERR_NOT_FOUND (no partition), ESP_ERR_INVALID_SIZE (it has no two sectors),
 *         ESP_ERR_NOT_SUPPORTED (not for this chip or flash), ESP_ERR_FLASH_OP_*; or the eFuse port's error
 */
OTTER_MUST_CHECK esp_err_t otter_ota_secure_version(const otter_device_t *device, uint32_t *version);

/** "NEW", "VALID", ... of an esp_ota_img_states_t; "unspecified" for a value without a name. */
const char *otter_ota_state_name(uint32_t state);

/** Slots of the table, 0 to 16. */
uint8_t otter_ota_get_app_partition_count(otter_device_t *device);

/** The descriptor of the app in a partition, which need not be whole. */
OTTER_MUST_CHECK esp_err_t otter_ota_get_partition_description(otter_device_t *device,
                                                               const esp_partition_t *partition,
                                                               esp_app_desc_t *app_desc);

/** The same of a bootloader. @param partition  NULL: where the chip starts */
OTTER_MUST_CHECK esp_err_t otter_ota_get_bootloader_description(otter_device_t *device,
                                                                const esp_partition_t *partition,
                                                                esp_bootloader_desc_t *desc);

/** Erases the slot that ran before what is selected now, with its record: there is no way back then. */
OTTER_MUST_CHECK esp_err_t otter_ota_erase_last_boot_app_partition(otter_device_t *device);

/**
 * A key of secure boot V2 is revoked for good. What runs must be confirmed, where there is rollback, and signed by another key
 * that is not revoked, and so must the bootloader: of a chip that is not Espressif's only if the key has signed it.
 * @param index  0 to 2
 * @return ESP_OK, also for one that is not there or revoked already; ESP_ERR_INVALID_ARG (index), ESP_FAIL (no secure boot V2,
 *         one of these conditions, the eFuses), ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t otter_ota_revoke_secure_boot_public_key(otter_device_t *device, uint32_t index,
                                                                   otter_fault_t *fault);

/** Erases the record alone. */
OTTER_MUST_CHECK esp_err_t otter_ota_invalidate_inactive_ota_data_slot(otter_device_t *device);

#ifdef __cplusplus
}
#endif
