/* A running digest of OpenSSL's behind a context of mbedTLS's. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <openssl/evp.h>

#include "mbedtls/otter_digest.h"

/** Each @return 0, MBEDTLS_ERR_ERROR_CORRUPTION_DETECTED. What has finished may go on as what starts. */
int digest_starts(mbedtls_otter_digest_t *ctx, const EVP_MD *kind);
int digest_update(mbedtls_otter_digest_t *ctx, const void *input, size_t len);
int digest_finish(mbedtls_otter_digest_t *ctx, unsigned char *output);

/** The digest of some bytes. */
int digest_of(const EVP_MD *kind, const void *input, size_t len, unsigned char *output);

void digest_free(mbedtls_otter_digest_t *ctx);

/** What `src` has seen, `dst` has seen too. Without memory it has not begun. @return as above */
int digest_clone(mbedtls_otter_digest_t *dst, const mbedtls_otter_digest_t *src);
