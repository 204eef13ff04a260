/* mbedTLS's generator of random bytes: each one is drawn from the device's own, and nothing is derived. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "mbedtls/entropy.h"

#define MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED (-0x0034)

typedef struct {
    int seeded;
} mbedtls_ctr_drbg_context;

static inline void mbedtls_ctr_drbg_init(mbedtls_ctr_drbg_context *ctx)
{
    ctx->seeded = 0;
}

static inline void mbedtls_ctr_drbg_free(mbedtls_ctr_drbg_context *ctx)
{
    ctx->seeded = 0;
}

/** `f_entropy` is not called. @return 0 */
static inline int mbedtls_ctr_drbg_seed(mbedtls_ctr_drbg_context *ctx,
                                        int (*f_entropy)(void *, unsigned char *, size_t), void *p_entropy,
                                        const unsigned char *custom, size_t len)
{
    (void)f_entropy, (void)p_entropy, (void)custom, (void)len;
    ctx->seeded = 1;
    return 0;
}

/** @return 0; MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED: mbedtls_ctr_drbg_seed() was not called */
static inline int mbedtls_ctr_drbg_random(void *p_rng, unsigned char *output, size_t output_len)
{
    const mbedtls_ctr_drbg_context *ctx = (const mbedtls_ctr_drbg_context *)p_rng;
    if (!ctx->seeded) {
        return MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
    }
    esp_fill_random(output, output_len);
    return 0;
}
