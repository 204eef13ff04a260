/* The first boot of a device with flash encryption: plain flash is encrypted in place, and no power cut loses anything of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/boot.h"
#include "otter/device.h"
#include "otter/promise.h"

/** What `otter_first_encryption` is: the code that only programs which name it have. The device's flash has a waiting cipher. */
struct otter_first_encryption {
    /**
     * How far it is; nothing is written.
     * @return ESP_OK, ESP_ERR_INVALID_STATE (by another key than was begun with), ESP_ERR_NO_MEM, ESP_ERR_FLASH_OP_*; the
     *         reason in device->fault
     */
    esp_err_t (*look)(otter_device_t *device, otter_first_boot_t *state);
    /**
     * Begin it, or go on where a power cut has stopped it, to its end: the flash has its cipher then, and the eFuses say so.
     * @return as above, and what says that it cannot be begun, with nothing changed: ESP_ERR_NOT_SUPPORTED (no such eFuses, or
     *         flash that is programmed once), ESP_ERR_INVALID_SIZE (no room for the journal), ESP_ERR_INVALID_STATE (a table
     *         that is none, partitions that share sectors, a broken bootloader)
     */
    esp_err_t (*run)(otter_device_t *device);
};
