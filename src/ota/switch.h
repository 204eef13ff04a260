/* What boots next, and the verdict on what runs: the otadata calls of ESP-IDF on a device that the caller names. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_ota_ops.h"
#include "otter/device.h"
#include "otter/promise.h"

/*
 * Each function is ESP-IDF's of the same name with the device in front: arguments, order of checks and codes are those
 * documented in include/esp_ota_ops.h, whose functions (src/idf/esp_ota_ops.c) only add the current device. Where several
 * tasks use one device, whoever calls one holds OTTER_LOCK_UPDATES.
 */
OTTER_MUST_CHECK esp_err_t ota_set_boot_partition(otter_device_t *device, const esp_partition_t *partition);
const esp_partition_t *ota_get_boot_partition(otter_device_t *device);
const esp_partition_t *ota_get_next_update_partition(otter_device_t *device,
                                                     const esp_partition_t *start_from);
OTTER_MUST_CHECK esp_err_t ota_get_partition_description(otter_device_t *device,
                                                         const esp_partition_t *partition,
                                                         esp_app_desc_t *app_desc);
OTTER_MUST_CHECK esp_err_t ota_get_bootloader_description(otter_device_t *device,
                                                          const esp_partition_t *partition,
                                                          esp_bootloader_desc_t *desc);
OTTER_MUST_CHECK esp_err_t ota_get_state_partition(otter_device_t *device, const esp_partition_t *partition,
                                                   esp_ota_img_states_t *ota_state);
const esp_partition_t *ota_get_last_invalid_partition(otter_device_t *device);
uint8_t ota_get_app_partition_count(otter_device_t *device);
bool ota_check_rollback_is_possible(otter_device_t *device);
OTTER_MUST_CHECK esp_err_t ota_mark_app_valid_cancel_rollback(otter_device_t *device);
OTTER_MUST_CHECK esp_err_t ota_mark_app_invalid_rollback(otter_device_t *device);
OTTER_MUST_CHECK esp_err_t ota_erase_last_boot_app_partition(otter_device_t *device);
OTTER_MUST_CHECK esp_err_t ota_invalidate_inactive_ota_data_slot(otter_device_t *device);

/* ---- for the update session ---- */

/** An application partition with an ota_n subtype. NULL is none. */
bool ota_is_slot(const esp_partition_t *partition);

/** True for the partition that runs. */
bool ota_is_running(const otter_device_t *device, const esp_partition_t *partition);

/**
 * With rollback: refuses to overwrite the fallback (docs/DESIGN.md, "Words") while it may be needed.
 * @param partition  of type app, to be overwritten
 * @return ESP_OK, ESP_ERR_OTA_ROLLBACK_INVALID_STATE (the running application is on trial; its verdict is lost; the slot is
 *         what the selected one falls back to), ESP_ERR_FLASH_OP_* (whoever cannot read the records does not know)
 */
OTTER_MUST_CHECK esp_err_t ota_check_fallback(otter_device_t *device, const esp_partition_t *partition,
                                              otter_fault_t *fault);

/**
 * The slot is about to be overwritten: a record that would boot it is erased, so that after a power cut in the middle the image
 * that runs now boots again, not half of another one. Writes nothing in the ordinary case, where the active record selects
 * what runs.
 * @return ESP_OK, ESP_ERR_FLASH_OP_*
 */
OTTER_MUST_CHECK esp_err_t ota_release_slot(otter_device_t *device, const esp_partition_t *partition);

/** Why the last ota_end or ota_set_boot_partition of this device said VALIDATE_FAILED; "" if none did. */
const char *ota_last_reason(const otter_device_t *device);
