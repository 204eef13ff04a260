/* Base64 as mbedTLS takes it: strict in letters and padding, and blind to ends of lines. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mbedtls/base64.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int mbedtls_base64_encode(unsigned char *dst, size_t dlen, size_t *olen, const unsigned char *src,
                          size_t slen)
{
    *olen = 0;
    if (slen == 0) {
        return 0;
    }
    const size_t groups = slen / 3 + (slen % 3 != 0);
    if (groups > (SIZE_MAX - 1) / 4 || dst == NULL || dlen < groups * 4 + 1) {
        *olen = groups > (SIZE_MAX - 1) / 4 ? SIZE_MAX : groups * 4 + 1;
        return MBEDTLS_ERR_BASE64_BUFFER_TOO_SMALL;
    }
    unsigned char *out = dst;
    for (size_t i = 0; i < slen; i += 3) {
        const size_t have = slen - i < 3 ? slen - i : 3;
        const uint32_t bits =
            (uint32_t)src[i] << 16 | (have > 1 ? (uint32_t)src[i + 1] << 8 : 0) | (have > 2 ? src[i + 2] : 0);
        *out++ = (unsigned char)letters[bits >> 18];
        *out++ = (unsigned char)letters[bits >> 12 & 63];
        *out++ = have > 1 ? (unsigned char)letters[bits >> 6 & 63] : '=';
        *out++ = have > 2 ? (unsigned char)letters[bits & 63] : '=';
    }
    *out = '\0';
    *olen = (size_t)(out - dst);
    return 0;
}

/** The next character that counts. @param at  behind it, then. @return -1: none is left; -2: a blank inside of a line */
static int next(const unsigned char *src, size_t len, size_t *at)
{
    bool blank = false;
    for (; *at < len; (*at)++) {
        const unsigned char c = src[*at];
        const bool line_ends = c == '\n' || (c == '\r' && *at + 1 < len && src[*at + 1] == '\n');
        if (c == ' ') {
            blank = true;
        } else if (line_ends) {
            blank = false;
        } else {
            (*at)++;
            return blank ? -2 : c;
        }
    }
    return -1;
}

/** Checks the text. @return 0, MBEDTLS_ERR_BASE64_INVALID_CHARACTER. @param count  letters, without the padding */
static int check(const unsigned char *src, size_t len, size_t *count)
{
    size_t at = 0, equals = 0;
    int c;
    *count = 0;
    while ((c = next(src, len, &at)) != -1) {
        if (c == '=') {
            equals++;
        } else if (c < 0 || equals > 0 || c > 127 || strchr(letters, c) == NULL || c == '\0') {
            return MBEDTLS_ERR_BASE64_INVALID_CHARACTER;
        } else {
            (*count)++;
        }
    }
    return equals <= 2 && (*count + equals) % 4 == 0 ? 0 : MBEDTLS_ERR_BASE64_INVALID_CHARACTER;
}

int mbedtls_base64_decode(unsigned char *dst, size_t dlen, size_t *olen, const unsigned char *src,
                          size_t slen)
{
    size_t count, at = 0, have = 0, written = 0;
    *olen = 0;
    if (check(src, slen, &count) != 0) {
        return MBEDTLS_ERR_BASE64_INVALID_CHARACTER;
    }
    *olen = count / 4 * 3 + (count % 4 * 6) / 8;
    if (*olen > 0 && (dst == NULL || dlen < *olen)) {
        return MBEDTLS_ERR_BASE64_BUFFER_TOO_SMALL;
    }
    uint32_t bits = 0;
    while (written < *olen) {
        bits = bits << 6 | (uint32_t)(strchr(letters, next(src, slen, &at)) - letters);
        have += 6;
        if (have >= 8) {
            have -= 8;
            dst[written++] = (unsigned char)(bits >> have);
        }
    }
    return 0;
}
