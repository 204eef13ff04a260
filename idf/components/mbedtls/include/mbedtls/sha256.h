/* mbedTLS's SHA-256 and SHA-224, by OpenSSL. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mbedtls/otter_digest.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MBEDTLS_ERR_SHA256_BAD_INPUT_DATA (-0x0074)

typedef mbedtls_otter_digest_t mbedtls_sha256_context;

void mbedtls_sha256_init(mbedtls_sha256_context *ctx);
void mbedtls_sha256_free(mbedtls_sha256_context *ctx);

/** @param dst  initialised */
void mbedtls_sha256_clone(mbedtls_sha256_context *dst, const mbedtls_sha256_context *src);

/** Each @return 0, MBEDTLS_ERR_SHA256_BAD_INPUT_DATA (is224 is neither 0 nor 1), MBEDTLS_ERR_ERROR_CORRUPTION_DETECTED */
int mbedtls_sha256_starts(mbedtls_sha256_context *ctx, int is224);
int mbedtls_sha256_update(mbedtls_sha256_context *ctx, const unsigned char *input, size_t ilen);
int mbedtls_sha256_finish(mbedtls_sha256_context *ctx, unsigned char *output);
int mbedtls_sha256(const unsigned char *input, size_t ilen, unsigned char *output, int is224);

/* Their names in ESP-IDF 4. */
#define mbedtls_sha256_starts_ret mbedtls_sha256_starts
#define mbedtls_sha256_update_ret mbedtls_sha256_update
#define mbedtls_sha256_finish_ret mbedtls_sha256_finish
#define mbedtls_sha256_ret        mbedtls_sha256

#ifdef __cplusplus
}
#endif
