/* mbedTLS's base64 (RFC 4648). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MBEDTLS_ERR_BASE64_BUFFER_TOO_SMALL  (-0x002A)
#define MBEDTLS_ERR_BASE64_INVALID_CHARACTER (-0x002C)

/**
 * Bytes to text, with a 0 behind it.
 * @param olen  receives the length without the 0; where `dlen` is too small (or `dst` NULL) the room that is needed, with it
 * @return 0, MBEDTLS_ERR_BASE64_BUFFER_TOO_SMALL
 */
int mbedtls_base64_encode(unsigned char *dst, size_t dlen, size_t *olen, const unsigned char *src,
                          size_t slen);

/**
 * Text to bytes. Ends of lines count for nothing, nor do blanks before them.
 * @param olen  receives the bytes, also where `dlen` is too small (or `dst` NULL)
 * @return 0, MBEDTLS_ERR_BASE64_BUFFER_TOO_SMALL, MBEDTLS_ERR_BASE64_INVALID_CHARACTER
 */
int mbedtls_base64_decode(unsigned char *dst, size_t dlen, size_t *olen, const unsigned char *src,
                          size_t slen);

#ifdef __cplusplus
}
#endif
