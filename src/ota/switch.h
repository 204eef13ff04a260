/* What the update session asks of otadata, beside the calls of otter/ota_ops.h, which are in switch.c as well. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/ota_ops.h"
#include "otter/promise.h"

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
