/* What the contexts of all digests consist of here. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Zeros are one that has not begun; ..._free() gives back what it holds, and is harmless on zeros and twice. */
typedef struct {
    void *state; /* OpenSSL's */
} mbedtls_otter_digest_t;

#define MBEDTLS_ERR_ERROR_CORRUPTION_DETECTED                                                                \
    (-0x006E) /* OpenSSL has no memory, or does not know the digest */

#ifdef __cplusplus
}
#endif
