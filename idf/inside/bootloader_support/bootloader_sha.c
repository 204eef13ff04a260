/* SHA-256 for ESP-IDF's image verifier: mbedTLS, which is in the program anyway. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "bootloader_sha.h"

#include <stdlib.h>

#include "mbedtls/sha256.h"

bootloader_sha256_handle_t bootloader_sha256_start(void)
{
    mbedtls_sha256_context *sha = malloc(sizeof(*sha));
    if (sha != NULL) {
        mbedtls_sha256_init(sha);
        if (mbedtls_sha256_starts(sha, 0) != 0) {
            abort();
        }
    }
    return sha;
}

void bootloader_sha256_data(bootloader_sha256_handle_t handle, const void *data, size_t data_len)
{
    if (mbedtls_sha256_update(handle, data, data_len) != 0) {
        abort();
    }
}

void bootloader_sha256_finish(bootloader_sha256_handle_t handle, uint8_t *digest)
{
    if (digest != NULL && mbedtls_sha256_finish(handle, digest) != 0) {
        abort();
    }
    mbedtls_sha256_free(handle);
    free(handle);
}
