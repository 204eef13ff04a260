/* The cipher of tests. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test_cipher.h"

#include <stdlib.h>

#include "otter/flash_encryption.h"

const otter_flash_cipher_t *test_cipher(void)
{
    static uint8_t buffer[4096];
    static otter_flash_cipher_t cipher = {.crypt = otter_flash_crypt, .buffer = {buffer, sizeof(buffer)}};
    static otter_flash_crypt_t *crypt;
    if (crypt == NULL) {
        uint8_t key[32];
        for (unsigned i = 0; i < sizeof(key); i++) {
            key[i] = (uint8_t)(7 * i + 1);
        }
        if (otter_flash_crypt_open(OTTER_FLASH_CIPHER_XTS_128, key, sizeof(key), 0, &crypt, NULL) != ESP_OK) {
            abort();
        }
        cipher.ctx = crypt;
    }
    return &cipher;
}

void test_cipher_apply(uint8_t *flash, bool decrypt, uint32_t off, uint32_t len)
{
    const otter_flash_cipher_t *cipher = test_cipher();
    if (!cipher->crypt(cipher->ctx, decrypt, off, flash + off, len)) {
        abort();
    }
}
