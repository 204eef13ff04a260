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

#define OTTER_EFUSE_BLOCKS    6u  /* for keys: BLOCK_KEY0 to BLOCK_KEY5 */
#define OTTER_EFUSE_BLOCK_LEN 32u /* bytes of one */

/** What a key block is for; the numbers are ESP-IDF's (esp_efuse_purpose_t). */
typedef enum {
    OTTER_PURPOSE_USER = 0,
    OTTER_PURPOSE_XTS_AES_256_KEY_1 = 2, /* of flash encryption; the key of 256 bits is in two blocks */
    OTTER_PURPOSE_XTS_AES_256_KEY_2 = 3,
    OTTER_PURPOSE_XTS_AES_128_KEY = 4,
    OTTER_PURPOSE_HMAC_UP =
        8, /* of the HMAC that software may ask for: what encrypted images are derived from */
    OTTER_PURPOSE_SECURE_BOOT_DIGEST0 = 9, /* and the two behind it */
    /* no number of ESP-IDF's: the first half of an ESP32-C2's one block, where XTS_KEY_LENGTH_256 is 0 */
    OTTER_PURPOSE_XTS_AES_128_DERIVED = 32,
} otter_efuse_purpose_t;

/** A key block. */
typedef struct {
    bool present;                  /* it is burned */
    otter_efuse_purpose_t purpose; /* one without a name above is possible */
    uint8_t key[OTTER_EFUSE_BLOCK_LEN];
} otter_efuse_block_t;

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
    /**
     * Key block `index`, below OTTER_EFUSE_BLOCKS, for what is hardware on a chip: nobody shows a key, or gives it on.
     */
    esp_err_t (*read_key_block)(void *dev, uint32_t index, otter_efuse_block_t *block);
    /** SPI_BOOT_CRYPT_CNT, of an ESP32 FLASH_CRYPT_CNT: flash is encrypted where an odd number of its bits is set. */
    esp_err_t (*read_crypt_count)(void *dev, uint32_t *bits);
    /** Durably set its lowest bit that is not set, or, of a device in release mode, all: flash is encrypted now. */
    esp_err_t (*burn_crypt_count)(void *dev);
} otter_efuse_t;

#ifdef __cplusplus
}
#endif
