/* Whose images a device takes: the keys of its configuration, its eFuses or its running app. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/device.h"
#include "otter/promise.h"

typedef enum {
    TRUST_TO_BOOT,   /* as the bootloader: without secure boot it takes any app */
    TRUST_TO_UPDATE, /* as the application */
} trust_use_t;

/**
 * For the rules of one image.
 * @param bootloader  the image is a second-stage bootloader, which the V1 scheme signs in another way
 * @return trust that takes no image, and says why, where it cannot be found out
 */
otter_trust_t device_trust(const otter_device_t *device, trust_use_t use, bool bootloader);

/** What is good by one of them is good by the other. */
bool trust_is_same(const otter_trust_t *a, const otter_trust_t *b);

/**
 * The digest that updates without secure boot are measured by.
 * @return ESP_OK, ESP_ERR_NOT_FOUND (nothing runs, or it is not signed by the device's scheme), ESP_ERR_NO_MEM,
 *         ESP_ERR_FLASH_OP_*
 */
OTTER_MUST_CHECK esp_err_t trust_of_running_app(const otter_device_t *device,
                                                uint8_t digest[OTTER_KEY_DIGEST_LEN]);
