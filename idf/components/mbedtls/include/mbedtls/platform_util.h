/* Forgetting of secrets, which a compiler does not leave out. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

static inline void mbedtls_platform_zeroize(void *buf, size_t len)
{
    for (volatile unsigned char *at = (volatile unsigned char *)buf; len > 0; at++, len--) {
        *at = 0;
    }
}
