/* SHA-256 for ESP-IDF's image verifier: mbedTLS, which is in the program anyway. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "bootloader_sha.h"

#include <stdbool.h>
#include <stdlib.h>

#if __has_include("mbedtls/sha256.h") /* until ESP-IDF 5.5; in 6.0 there are PSA's names alone */
#include "mbedtls/sha256.h"

typedef mbedtls_sha256_context sha_t;

static bool sha_begin(sha_t *sha)
{
    mbedtls_sha256_init(sha);
    return mbedtls_sha256_starts(sha, 0) == 0;
}

static bool sha_add(sha_t *sha, const void *data, size_t len)
{
    return mbedtls_sha256_update(sha, data, len) == 0;
}

static bool sha_end(sha_t *sha, uint8_t digest[32])
{
    bool done = digest == NULL || mbedtls_sha256_finish(sha, digest) == 0;
    mbedtls_sha256_free(sha);
    return done;
}
#else
#include "psa/crypto.h"

typedef psa_hash_operation_t sha_t;

static bool sha_begin(sha_t *sha)
{
    *sha = psa_hash_operation_init();
    return psa_crypto_init() == PSA_SUCCESS && psa_hash_setup(sha, PSA_ALG_SHA_256) == PSA_SUCCESS;
}

static bool sha_add(sha_t *sha, const void *data, size_t len)
{
    return psa_hash_update(sha, data, len) == PSA_SUCCESS;
}

static bool sha_end(sha_t *sha, uint8_t digest[32])
{
    size_t len;
    return (digest != NULL ? psa_hash_finish(sha, digest, 32, &len) : psa_hash_abort(sha)) == PSA_SUCCESS;
}
#endif

bootloader_sha256_handle_t bootloader_sha256_start(void)
{
    sha_t *sha = malloc(sizeof(*sha));
    if (sha != NULL && !sha_begin(sha)) {
        abort();
    }
    return sha;
}

void bootloader_sha256_data(bootloader_sha256_handle_t handle, const void *data, size_t data_len)
{
    if (!sha_add(handle, data, data_len)) {
        abort();
    }
}

void bootloader_sha256_finish(bootloader_sha256_handle_t handle, uint8_t *digest)
{
    if (!sha_end(handle, digest)) {
        abort();
    }
    free(handle);
}
