/* mbedTLS's codes as text: by their numbers, which OpenSSL, on which all stands here, does not name. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#ifndef MBEDTLS_ERR_ERROR_CORRUPTION_DETECTED
#define MBEDTLS_ERR_ERROR_CORRUPTION_DETECTED (-0x006E)
#endif
#define MBEDTLS_ERR_ERROR_GENERIC_ERROR (-0x0001)

/** As mbedTLS says it of a code that it does not know. @param buflen  0: nothing is written */
static inline void mbedtls_strerror(int errnum, char *buffer, size_t buflen)
{
    if (buflen > 0) {
        (void)snprintf(buffer, buflen, "UNKNOWN ERROR CODE (%04X)",
                       errnum < 0 ? 0u - (unsigned)errnum : (unsigned)errnum);
    }
}
