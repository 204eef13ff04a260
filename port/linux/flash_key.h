/* Keys of flash encryption: in files and eFuses, and the cipher that a flash gets by one. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/chip.h"
#include "otter/fault.h"
#include "otter/flash_encryption.h"
#include "linux/efuse_file.h"
#include "otter/promise.h"

/** A key as espsecure's files have it. To be wiped (flash_key_wipe()). */
typedef struct {
    uint8_t bytes[OTTER_FLASH_KEY_MAX];
    size_t len;     /* 16, 24, 32 or 64; 0: there is none */
    uint8_t config; /* FLASH_CRYPT_CONFIG, of an ESP32 */
} flash_key_t;

/**
 * Reads the file of a key: its bytes, and nothing else. From then on no core dump of this process is written.
 * @return ESP_OK, ESP_ERR_INVALID_SIZE (no key has this length), ESP_FAIL (it cannot be read); the reason in `fault`
 */
OTTER_MUST_CHECK esp_err_t flash_key_load(const char *path, flash_key_t *key, otter_fault_t *fault);

void flash_key_wipe(flash_key_t *key);

/** Ciphers that a key may be for. */
typedef struct {
    otter_flash_cipher_kind_t kinds[2];
    unsigned count; /* 0: the chip has no such key */
} flash_ciphers_t;

/** @param chip  NULL: any */
flash_ciphers_t flash_key_ciphers(const flash_key_t *key, const otter_chip_facts_t *chip);

/**
 * The key that eFuses hold, in the order of key files: blocks have it back to front. An ESP32's is in its first block, of others
 * the purposes tell.
 * @return false: they hold none
 */
OTTER_MUST_CHECK bool flash_key_from_efuses(const efuse_file_t *efuse, flash_key_t *key);

/** The FLASH_CRYPT_CONFIG of eFuses; where they do not say it, 15, as ESP-IDF burns it. */
uint8_t flash_key_config(const efuse_file_t *efuse);

/** True if eFuses say that flash is encrypted: an odd number of bits of the counter is set. */
bool flash_key_is_wanted(const efuse_file_t *efuse);

/** All bits of the chip's counter, as release mode burns them. */
uint32_t flash_key_final_count(const efuse_file_t *efuse);

/** True if all bits of the counter are set: flash encryption cannot be switched off any more. */
bool flash_key_is_final(const efuse_file_t *efuse);

/**
 * Burns a key into free blocks, in memory: of an ESP32 32 or 24 bytes into the first one, of others 16, 32 or 64 for XTS-AES.
 * @return false: too few blocks are free
 */
OTTER_MUST_CHECK bool flash_key_to_efuses(const flash_key_t *key, efuse_file_t *efuse);

/** The cipher of one flash, which points to it. */
typedef struct {
    otter_flash_cipher_kind_t kind; /* OTTER_FLASH_CIPHER_NONE: there is none */
    otter_flash_cipher_t hook;
    otter_flash_crypt_t *crypt; /* owned, as is the hook's buffer */
} flash_cipher_t;

/**
 * Gives the flash a cipher. From then on no core dump of this process is written.
 * @return ESP_OK, and what otter_flash_crypt_open() returns
 */
OTTER_MUST_CHECK esp_err_t flash_cipher_open(flash_cipher_t *cipher, otter_flash_t *flash,
                                             const flash_key_t *key, otter_flash_cipher_kind_t kind,
                                             otter_fault_t *fault);

/** Takes it from the flash, and wipes the key; harmless on zeros. */
void flash_cipher_close(flash_cipher_t *cipher, otter_flash_t *flash);
