/* Flash encryption: the ciphers of Espressif's chips, and the hook by which a flash has one. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/fault.h"
#include "otter/flash.h"
#include "otter/promise.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The ciphers (FORMATS.md section 14). */
typedef enum {
    OTTER_FLASH_CIPHER_NONE,
    OTTER_FLASH_CIPHER_ESP32, /* the ESP32's own: AES-256, whose key each 32 bytes change by their address */
    OTTER_FLASH_CIPHER_XTS_128, /* XTS-AES-128, all other chips */
    OTTER_FLASH_CIPHER_XTS_256, /* XTS-AES-256, some of them */
} otter_flash_cipher_kind_t;

#define OTTER_FLASH_KEY_MAX 64u /* bytes of the longest key */
#define OTTER_FLASH_CRYPT_CONFIG_ALL                                                                         \
    0xFu /* what ESP-IDF burns into FLASH_CRYPT_CONFIG: all of the key changes */

/** "the ESP32's cipher", "XTS-AES-128", "XTS-AES-256", "none". @return a constant */
const char *otter_flash_cipher_name(otter_flash_cipher_kind_t kind);

/**
 * The cipher that a chip has for a key.
 * @param chip_id  esp_chip_id_t; chip linux has XTS-AES, and so has any chip but the ESP32
 * @param key_len  bytes, as espsecure writes key files: 24 or 32 of the ESP32; 32 of all others, 64 of some (ESP32-S2, S3,
 *                 C5, H4, P4), 16 of the ESP32-C2; any of these of chip linux and of chips that are not known
 * @return OTTER_FLASH_CIPHER_NONE: the chip has no key of this length
 */
otter_flash_cipher_kind_t otter_flash_cipher_for(uint16_t chip_id, size_t key_len);

/** A cipher with its key, in blocks of the heap; it may be used by one task at a time. */
typedef struct otter_flash_crypt otter_flash_crypt_t;

/**
 * @param key      `key_len` bytes: ESP32 24 (3/4 coding) or 32, XTS-AES-128 16 or 32, XTS-AES-256 64; not kept
 * @param config   FLASH_CRYPT_CONFIG, 0 to 15: which quarters of the key the address changes; only of the ESP32
 * @return ESP_OK, ESP_ERR_INVALID_SIZE (a key of another length; the reason in `fault`), ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t otter_flash_crypt_open(otter_flash_cipher_kind_t kind, const uint8_t *key,
                                                  size_t key_len, uint8_t config, otter_flash_crypt_t **crypt,
                                                  otter_fault_t *fault);

/** Wipes the key. NULL is fine. */
void otter_flash_crypt_close(otter_flash_crypt_t *crypt);

/**
 * Encrypt or decrypt in place; of the form that otter_flash_cipher_t asks for.
 * @param crypt    an otter_flash_crypt_t
 * @param address  of the first byte in flash, a multiple of 16
 * @param len      bytes, a multiple of 16
 * @return false: out of memory; what `data` holds is unknown then
 */
OTTER_MUST_CHECK bool otter_flash_crypt(void *crypt, bool decrypt, uint32_t address, uint8_t *data,
                                        uint32_t len);

#ifdef __cplusplus
}
#endif
