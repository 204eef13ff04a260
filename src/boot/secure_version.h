/* Anti-rollback: the device's lowest acceptable secure version, which only grows (FORMATS.md section 8). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/device.h"
#include "otter/promise.h"

/**
 * The device's version; 0 on a device without eFuses.
 * @return ESP_OK or the eFuse port's error; of emulated eFuses as boot/efuse_partition.h says
 */
OTTER_MUST_CHECK esp_err_t secure_version_read(const otter_device_t *device, uint32_t *version);

/** Where it is kept in flash, a burn that a power cut left half done is finished. @return as above */
OTTER_MUST_CHECK esp_err_t secure_version_settle(const otter_device_t *device);

/**
 * Raise the device's version to `version`.
 * @return ESP_OK                 raised, or equal already
 *         ESP_FAIL               the device's version is higher
 *         ESP_ERR_INVALID_ARG    more than the chip's eFuse field can hold
 *         ESP_ERR_NOT_SUPPORTED  the device has no eFuses to burn
 */
OTTER_MUST_CHECK esp_err_t secure_version_raise(const otter_device_t *device, uint32_t version);

/**
 * The secure version in the descriptor of the application at `offset` in flash.
 * @param size  bytes of its partition
 * @return ESP_OK, ESP_ERR_NOT_FOUND (no descriptor), ESP_ERR_INVALID_SIZE (no room for one), ESP_ERR_FLASH_OP_*
 */
OTTER_MUST_CHECK esp_err_t secure_version_of_app(otter_flash_t *flash, uint32_t offset, uint32_t size,
                                                 uint32_t *version);
