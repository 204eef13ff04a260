/* mbedTLS's SHA-512 and SHA-384, by OpenSSL. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mbedtls/otter_digest.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MBEDTLS_ERR_SHA512_BAD_INPUT_DATA (-0x0075)

typedef mbedtls_otter_digest_t mbedtls_sha512_context;

void mbedtls_sha512_init(mbedtls_sha512_context *ctx);
void mbedtls_sha512_free(mbedtls_sha512_context *ctx);

/** @param dst  initialised */
void mbedtls_sha512_clone(mbedtls_sha512_context *dst, const mbedtls_sha512_context *src);

/** Each @return 0, MBEDTLS_ERR_SHA512_BAD_INPUT_DATA (is384 is neither 0 nor 1), MBEDTLS_ERR_ERROR_CORRUPTION_DETECTED */
int mbedtls_sha512_starts(mbedtls_sha512_context *ctx, int is384);
int mbedtls_sha512_update(mbedtls_sha512_context *ctx, const unsigned char *input, size_t ilen);
int mbedtls_sha512_finish(mbedtls_sha512_context *ctx, unsigned char *output);
int mbedtls_sha512(const unsigned char *input, size_t ilen, unsigned char *output, int is384);

/* Their names in ESP-IDF 4. */
#define mbedtls_sha512_starts_ret mbedtls_sha512_starts
#define mbedtls_sha512_update_ret mbedtls_sha512_update
#define mbedtls_sha512_finish_ret mbedtls_sha512_finish
#define mbedtls_sha512_ret        mbedtls_sha512

#ifdef __cplusplus
}
#endif
