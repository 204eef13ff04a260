/* Anti-rollback before an application comes into use: at the gate, before a copy, and when it is selected. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/device.h"
#include "otter/fault.h"
#include "otter/promise.h"

/**
 * May an application of this version come into use? One whose version can never be burned may not: it could be confirmed, and
 * older ones would stay acceptable.
 * @return ESP_OK, ESP_ERR_OTA_SMALL_SEC_VER (the device's is higher), ESP_ERR_INVALID_VERSION (higher than the chip can count),
 *         or what reading says; the reason in fault
 */
OTTER_MUST_CHECK esp_err_t ota_check_version(const otter_device_t *device, uint32_t version,
                                             otter_fault_t *fault);
