/* What ESP-TLS lends of its cryptography: SHA-1 and base64, for the handshake of a web socket and for Basic authentication. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "mbedtls/base64.h"
#include "mbedtls/sha1.h"

#ifdef __cplusplus
extern "C" {
#endif

/** @param output  20 bytes. @return 0, or mbedTLS's code */
static inline int esp_crypto_sha1(const unsigned char *input, size_t ilen, unsigned char output[20])
{
    return mbedtls_sha1(input, ilen, output);
}

/** mbedtls_base64_encode(), with its codes. */
static inline int esp_crypto_base64_encode(unsigned char *dst, size_t dlen, size_t *olen,
                                           const unsigned char *src, size_t slen)
{
    return mbedtls_base64_encode(dst, dlen, olen, src, slen);
}

#ifdef __cplusplus
}
#endif
