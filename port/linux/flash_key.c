/* Keys of flash encryption, and the cipher of a flash. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/flash_key.h"

#include <stdlib.h>
#include <string.h>

#include "host/named_file.h"
#include "linux/no_core_dump.h"
#include "otter/crypto.h"

#define BUFFER_SIZE 65536u /* what is encrypted at once before it is programmed */
#define FILE_MAX    65536u /* bytes that are looked at to say what else it is */
#define SHORT_KEY   16u    /* bytes, of an ESP32-C2, of which SHA-256 makes 32 */

esp_err_t flash_key_load(const char *path, flash_key_t *key, otter_fault_t *fault)
{
    size_t len;
    no_core_dump();
    uint8_t *bytes = input_load(path, INPUT_OR_PIPE, FILE_MAX, &len, fault);
    if (bytes == NULL) {
        otter_fault_add(fault, ": ");
        return otter_fault_add(fault, path);
    }
    esp_err_t err = ESP_OK;
    if (len == 16 || len == 24 || len == 32 || len == OTTER_FLASH_KEY_MAX) {
        memcpy(key->bytes, bytes, len);
        key->len = len;
        key->config = OTTER_FLASH_CRYPT_CONFIG_ALL;
    } else if (strstr((const char *)bytes, "-----BEGIN") != NULL) {
        err = otter_fault(
            fault, ESP_ERR_INVALID_SIZE,
            "%s is a PEM file, as keys that sign are; one of flash encryption is 32 or 64 bytes", path);
    } else {
        err = otter_fault(fault, ESP_ERR_INVALID_SIZE,
                          "%s has %zu bytes; a key of flash encryption has 32 (ESP32, XTS-AES-128), 64 "
                          "(XTS-AES-256), 24 (ESP32, 3/4 coding) or 16 (ESP32-C2)",
                          path, len);
    }
    otter_wipe(bytes, len);
    free(bytes);
    return err;
}

void flash_key_wipe(flash_key_t *key)
{
    otter_wipe(key, sizeof(*key));
}

flash_ciphers_t flash_key_ciphers(const flash_key_t *key, const otter_chip_facts_t *chip)
{
    const uint16_t ids[] = {chip != NULL ? chip->id : OTTER_CHIP_LINUX, 0 /* the ESP32 */};
    flash_ciphers_t found = {.count = 0};
    for (unsigned i = 0; i < (chip != NULL ? 1 : 2); i++) {
        otter_flash_cipher_kind_t kind = otter_flash_cipher_for(ids[i], key->len);
        if (kind != OTTER_FLASH_CIPHER_NONE) {
            found.kinds[found.count++] = kind;
        }
    }
    return found;
}

static void copy_reversed(uint8_t *to, const uint8_t *from, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        to[i] = from[len - 1 - i];
    }
}

/** Where in a key file the bytes of a block with this purpose are; -1: it is for something else. */
static int place_of(otter_efuse_purpose_t purpose)
{
    return purpose == OTTER_PURPOSE_XTS_AES_256_KEY_2 ? (int)OTTER_EFUSE_BLOCK_LEN
           : purpose == OTTER_PURPOSE_XTS_AES_128_KEY || purpose == OTTER_PURPOSE_XTS_AES_256_KEY_1 ||
                   purpose == OTTER_PURPOSE_XTS_AES_128_DERIVED
               ? 0
               : -1;
}

/** Its blocks have places instead of purposes. */
static bool is_esp32(const efuse_file_t *efuse)
{
    return efuse->has_chip && efuse->chip.id == 0;
}

uint8_t flash_key_config(const efuse_file_t *efuse)
{
    return efuse->has_crypt_config ? (uint8_t)efuse->crypt_config : OTTER_FLASH_CRYPT_CONFIG_ALL;
}

bool flash_key_from_efuses(const efuse_file_t *efuse, flash_key_t *key)
{
    key->config = flash_key_config(efuse);
    if (is_esp32(efuse)) {
        copy_reversed(key->bytes, efuse->blocks[0].key, OTTER_EFUSE_BLOCK_LEN);
        key->len = OTTER_EFUSE_BLOCK_LEN;
        return efuse->blocks[0].present;
    }
    bool first = false, second = false, two = false, derived = false;
    for (uint32_t i = 0; i < OTTER_EFUSE_BLOCKS; i++) {
        const otter_efuse_block_t *block = &efuse->blocks[i];
        const int place = block->present ? place_of(block->purpose) : -1;
        if (place >= 0) {
            derived = block->purpose == OTTER_PURPOSE_XTS_AES_128_DERIVED;
            copy_reversed(key->bytes + place, block->key, derived ? SHORT_KEY : OTTER_EFUSE_BLOCK_LEN);
            first |= place == 0;
            second |= place != 0;
            two |= block->purpose == OTTER_PURPOSE_XTS_AES_256_KEY_1 ||
                   block->purpose == OTTER_PURPOSE_XTS_AES_256_KEY_2;
        }
    }
    key->len = two ? 2 * OTTER_EFUSE_BLOCK_LEN : derived ? SHORT_KEY : OTTER_EFUSE_BLOCK_LEN;
    return first && second == two;
}

uint32_t flash_key_final_count(const efuse_file_t *efuse)
{
    return is_esp32(efuse) ? 0x7Fu : 7u;
}

bool flash_key_is_final(const efuse_file_t *efuse)
{
    return efuse->crypt_count == flash_key_final_count(efuse);
}

/** As the chip reads it: 24 bytes (3/4 coding) stand for themselves and their last 8 of 16. */
static bool to_esp32(const flash_key_t *key, efuse_file_t *efuse)
{
    uint8_t whole[OTTER_EFUSE_BLOCK_LEN];
    otter_efuse_block_t *block = &efuse->blocks[0];
    if (block->present || key->len > sizeof(whole) || key->len < 24) {
        return false;
    }
    memcpy(whole, key->bytes, key->len);
    if (key->len == 24) {
        memcpy(whole + 24, key->bytes + 8, 8);
    }
    block->present = true;
    copy_reversed(block->key, whole, sizeof(whole));
    otter_wipe(whole, sizeof(whole));
    return true;
}

bool flash_key_to_efuses(const flash_key_t *key, efuse_file_t *efuse)
{
    if (is_esp32(efuse)) {
        return to_esp32(key, efuse);
    }
    const bool two = key->len == 2 * OTTER_EFUSE_BLOCK_LEN;
    const size_t part = key->len < OTTER_EFUSE_BLOCK_LEN ? key->len : OTTER_EFUSE_BLOCK_LEN;
    size_t done = 0;
    for (uint32_t i = 0; i < OTTER_EFUSE_BLOCKS && done < key->len; i++) {
        otter_efuse_block_t *block = &efuse->blocks[i];
        if (!block->present && block->purpose == OTTER_PURPOSE_USER) {
            block->present = true;
            block->purpose = part == SHORT_KEY ? OTTER_PURPOSE_XTS_AES_128_DERIVED
                             : !two            ? OTTER_PURPOSE_XTS_AES_128_KEY
                             : done == 0       ? OTTER_PURPOSE_XTS_AES_256_KEY_1
                                               : OTTER_PURPOSE_XTS_AES_256_KEY_2;
            copy_reversed(block->key, key->bytes + done, part);
            done += part;
        }
    }
    return done == key->len;
}

esp_err_t flash_cipher_open(flash_cipher_t *cipher, otter_flash_t *flash, const flash_key_t *key,
                            otter_flash_cipher_kind_t kind, otter_fault_t *fault)
{
    no_core_dump();
    *cipher = (flash_cipher_t){.kind = kind};
    esp_err_t err = otter_flash_crypt_open(kind, key->bytes, key->len, key->config, &cipher->crypt, fault);
    uint8_t *buffer = err == ESP_OK ? malloc(BUFFER_SIZE) : NULL;
    if (err == ESP_OK && buffer == NULL) {
        err = otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
    }
    cipher->hook = (otter_flash_cipher_t){
        .crypt = otter_flash_crypt, .ctx = cipher->crypt, .buffer = {buffer, BUFFER_SIZE}};
    if (err != ESP_OK) {
        flash_cipher_close(cipher, flash);
        return err;
    }
    flash->cipher = &cipher->hook;
    return ESP_OK;
}

void flash_cipher_close(flash_cipher_t *cipher, otter_flash_t *flash)
{
    otter_flash_crypt_close(cipher->crypt);
    if (cipher->hook.buffer.bytes != NULL) {
        otter_wipe(cipher->hook.buffer.bytes, cipher->hook.buffer.size);
        free(cipher->hook.buffer.bytes);
    }
    if (flash != NULL && flash->cipher == &cipher->hook) {
        flash->cipher = NULL;
    }
    if (flash != NULL && flash->waiting == &cipher->hook) {
        flash->waiting = NULL;
    }
    *cipher = (flash_cipher_t){0};
}

bool flash_key_is_wanted(const efuse_file_t *efuse)
{
    bool odd = false;
    for (uint32_t bits = efuse->crypt_count; bits != 0; bits >>= 1) {
        odd ^= (bits & 1) != 0;
    }
    return odd;
}
