/* Key files of flash encryption. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/flash_key.h"

#include <stdlib.h>
#include <string.h>

#include "host/named_file.h"
#include "otter/crypto.h"

#define FILE_MAX 65536u /* bytes that are looked at to say what else it is */

esp_err_t flash_key_load(const char *path, flash_key_t *key, otter_fault_t *fault)
{
    size_t len;
    uint8_t *bytes = input_load(path, INPUT_OR_PIPE, FILE_MAX, &len, fault);
    if (bytes == NULL) {
        otter_fault_add(fault, ": ");
        return otter_fault_add(fault, path);
    }
    esp_err_t err = ESP_OK;
    if (len == 16 || len == 24 || len == 32 || len == OTTER_FLASH_KEY_MAX) {
        memcpy(key->bytes, bytes, len);
        key->len = len;
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
