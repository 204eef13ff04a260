/* mbedTLS's SHA-1, by OpenSSL. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mbedtls/otter_digest.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef mbedtls_otter_digest_t mbedtls_sha1_context;

void mbedtls_sha1_init(mbedtls_sha1_context *ctx);
void mbedtls_sha1_free(mbedtls_sha1_context *ctx);

/** @param dst  initialised */
void mbedtls_sha1_clone(mbedtls_sha1_context *dst, const mbedtls_sha1_context *src);

/** Each @return 0, MBEDTLS_ERR_ERROR_CORRUPTION_DETECTED */
int mbedtls_sha1_starts(mbedtls_sha1_context *ctx);
int mbedtls_sha1_update(mbedtls_sha1_context *ctx, const unsigned char *input, size_t ilen);
int mbedtls_sha1_finish(mbedtls_sha1_context *ctx, unsigned char output[20]);
int mbedtls_sha1(const unsigned char *input, size_t ilen, unsigned char output[20]);

/* Their names in ESP-IDF 4. */
#define mbedtls_sha1_starts_ret mbedtls_sha1_starts
#define mbedtls_sha1_update_ret mbedtls_sha1_update
#define mbedtls_sha1_finish_ret mbedtls_sha1_finish
#define mbedtls_sha1_ret        mbedtls_sha1

#ifdef __cplusplus
}
#endif
