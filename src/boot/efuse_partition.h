/* The secure version in a partition that stands for eFuses, made so that a power cut loses nothing (FORMATS.md section 11). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/device.h"
#include "otter/promise.h"

/** What `otter_emulated_efuses` is: the code that only programs which name it have. */
struct otter_emulated_efuses {
    /**
     * @return ESP_OK, ESP_ERR_NOT_FOUND (no such partition), ESP_ERR_NOT_SUPPORTED (a chip without a known layout),
     *         ESP_ERR_INVALID_SIZE (the partition is too small), ESP_ERR_FLASH_OP_*
     */
    esp_err_t (*read_version)(const otter_device_t *device, uint32_t *version);
    /** Durably. @param version  above the present one, within the chip's field. @return as above */
    esp_err_t (*burn_version)(const otter_device_t *device, uint32_t version);
    /** Finishes a burn that a cut left half done. */
    esp_err_t (*settle)(const otter_device_t *device);
};
