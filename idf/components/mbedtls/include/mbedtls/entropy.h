/* mbedTLS's source of random bytes, which is the device's own. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "esp_random.h"

typedef struct {
    int unused; /* there is no state */
} mbedtls_entropy_context;

static inline void mbedtls_entropy_init(mbedtls_entropy_context *ctx)
{
    ctx->unused = 0;
}

static inline void mbedtls_entropy_free(mbedtls_entropy_context *ctx)
{
    (void)ctx;
}

/** @return 0 */
static inline int mbedtls_entropy_func(void *data, unsigned char *output, size_t len)
{
    (void)data;
    esp_fill_random(output, len);
    return 0;
}
