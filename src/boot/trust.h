/* Whose images a device takes: the keys of its configuration, its eFuses or its running app. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/device.h"
#include "otter/promise.h"

/** Whom the application trusts with one image: otter_trust_to_boot() of updates. */
otter_trust_t trust_to_update(const otter_device_t *device, bool bootloader);

/** The same by another configuration than the device's. */
otter_trust_t trust_by(const otter_device_t *device, const otter_trust_config_t *config, bool bootloader);

/** With secure boot V2: whom the device would trust if only these keys of its eFuses were there. @param which  bit n: key n */
otter_trust_t trust_in_efuses(const otter_device_t *device, uint32_t which);

/** A digest of its eFuses; a device without them has none. @param index  below OTTER_TRUSTED_KEYS. @return as otter_efuse_t */
OTTER_MUST_CHECK esp_err_t trust_read_key(const otter_device_t *device, uint32_t index,
                                          otter_efuse_key_t *key);

/**
 * Where the signature sector of an image is, by its length: not whether a signature is in it.
 * @param offset, size    of its place in flash
 * @param sector          in flash
 * @return ESP_OK, ESP_ERR_NOT_FOUND (no image, or no room behind it), ESP_ERR_NO_MEM, what otter_flash_read() says
 */
OTTER_MUST_CHECK esp_err_t trust_find_sector(const otter_device_t *device, uint32_t offset, uint32_t size,
                                             uint32_t *sector);

/**
 * The image at a place of flash is signed (Secure Boot V2) by somebody whom `trust` names, whatever else it is.
 * @return as trust_find_sector() and signed_bytes_verify(); the reason in fault
 */
OTTER_MUST_CHECK esp_err_t trust_judge_image(const otter_device_t *device, uint32_t offset, uint32_t size,
                                             const otter_trust_t *trust, otter_fault_t *fault);

/** What is good by one of them is good by the other. */
bool trust_is_same(const otter_trust_t *a, const otter_trust_t *b);
