/* Keys of flash encryption in files, and which cipher a flash was encrypted by. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/chip.h"
#include "otter/fault.h"
#include "otter/flash_encryption.h"
#include "otter/promise.h"

/** A key as espsecure's files have it. To be wiped (flash_key_wipe()). */
typedef struct {
    uint8_t bytes[OTTER_FLASH_KEY_MAX];
    size_t len; /* 16, 24, 32 or 64; 0: there is none */
} flash_key_t;

/**
 * Reads the file of a key: its bytes, and nothing else.
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
