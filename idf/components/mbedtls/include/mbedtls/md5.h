/* mbedTLS's MD5, by OpenSSL. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mbedtls/otter_digest.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef mbedtls_otter_digest_t mbedtls_md5_context;

void mbedtls_md5_init(mbedtls_md5_context *ctx);
void mbedtls_md5_free(mbedtls_md5_context *ctx);

/** @param dst  initialised */
void mbedtls_md5_clone(mbedtls_md5_context *dst, const mbedtls_md5_context *src);

/** Each @return 0, MBEDTLS_ERR_ERROR_CORRUPTION_DETECTED */
int mbedtls_md5_starts(mbedtls_md5_context *ctx);
int mbedtls_md5_update(mbedtls_md5_context *ctx, const unsigned char *input, size_t ilen);
int mbedtls_md5_finish(mbedtls_md5_context *ctx, unsigned char output[16]);
int mbedtls_md5(const unsigned char *input, size_t ilen, unsigned char output[16]);

/* Their names in ESP-IDF 4. */
#define mbedtls_md5_starts_ret mbedtls_md5_starts
#define mbedtls_md5_update_ret mbedtls_md5_update
#define mbedtls_md5_finish_ret mbedtls_md5_finish
#define mbedtls_md5_ret        mbedtls_md5

#ifdef __cplusplus
}
#endif
