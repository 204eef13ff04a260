/* The eFuse seam: what a device can only ever say more of: its anti-rollback version, and whose images it runs. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/trust.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A digest of secure boot. */
typedef struct {
    bool present; /* it is burned */
    bool revoked;
    uint8_t digest[OTTER_KEY_DIGEST_LEN]; /* ESP32-C2 has only the first 16 bytes; zeros behind them */
} otter_efuse_key_t;

/** Any function may be NULL: the device has no such eFuses. */
typedef struct {
    void *dev;
    /** The device's secure version: 0 to the chip's field width. */
    esp_err_t (*read_secure_version)(void *dev, uint32_t *version);
    /** Durably raise it to `version`, which is above the present one and within the field. */
    esp_err_t (*burn_secure_version)(void *dev, uint32_t version);
    /** Digest `index`, below OTTER_TRUSTED_KEYS. */
    esp_err_t (*read_key_digest)(void *dev, uint32_t index, otter_efuse_key_t *key);
    /** Durably revoke it. */
    esp_err_t (*revoke_key_digest)(void *dev, uint32_t index);
} otter_efuse_t;

#ifdef __cplusplus
}
#endif
