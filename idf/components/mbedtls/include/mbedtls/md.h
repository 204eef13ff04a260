/* mbedTLS's digests by their kind, and HMAC, by OpenSSL. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mbedtls/otter_digest.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MBEDTLS_ERR_MD_FEATURE_UNAVAILABLE (-0x5080)
#define MBEDTLS_ERR_MD_BAD_INPUT_DATA      (-0x5100)
#define MBEDTLS_ERR_MD_ALLOC_FAILED        (-0x5180)

#define MBEDTLS_MD_MAX_SIZE       64
#define MBEDTLS_MD_MAX_BLOCK_SIZE 128

typedef enum {
    MBEDTLS_MD_NONE,
    MBEDTLS_MD_MD5,
    MBEDTLS_MD_SHA1,
    MBEDTLS_MD_SHA224,
    MBEDTLS_MD_SHA256,
    MBEDTLS_MD_SHA384,
    MBEDTLS_MD_SHA512,
} mbedtls_md_type_t;

typedef struct mbedtls_md_info_t mbedtls_md_info_t;

typedef struct mbedtls_md_context_t {
    const mbedtls_md_info_t *md_info;
    mbedtls_otter_digest_t digest;
    unsigned char *hmac_key; /* of an HMAC: a block, as the outer digest wants it */
} mbedtls_md_context_t;

/** @return NULL: nothing here makes that digest */
const mbedtls_md_info_t *mbedtls_md_info_from_type(mbedtls_md_type_t type);
const mbedtls_md_info_t *mbedtls_md_info_from_string(const char *name);
mbedtls_md_type_t mbedtls_md_get_type(const mbedtls_md_info_t *info);
const char *mbedtls_md_get_name(const mbedtls_md_info_t *info);

/** Bytes of the digest; 0: `info` is NULL */
unsigned char mbedtls_md_get_size(const mbedtls_md_info_t *info);

void mbedtls_md_init(mbedtls_md_context_t *ctx);
void mbedtls_md_free(mbedtls_md_context_t *ctx);

/** @param hmac  not 0: for HMAC, too. @return 0, MBEDTLS_ERR_MD_BAD_INPUT_DATA (NULL), MBEDTLS_ERR_MD_ALLOC_FAILED */
int mbedtls_md_setup(mbedtls_md_context_t *ctx, const mbedtls_md_info_t *info, int hmac);

/** Each @return 0, MBEDTLS_ERR_MD_BAD_INPUT_DATA (not set up for that), MBEDTLS_ERR_ERROR_CORRUPTION_DETECTED */
int mbedtls_md_starts(mbedtls_md_context_t *ctx);
int mbedtls_md_update(mbedtls_md_context_t *ctx, const unsigned char *input, size_t ilen);
int mbedtls_md_finish(mbedtls_md_context_t *ctx, unsigned char *output);
int mbedtls_md_clone(mbedtls_md_context_t *dst, const mbedtls_md_context_t *src);
int mbedtls_md(const mbedtls_md_info_t *info, const unsigned char *input, size_t ilen, unsigned char *output);

int mbedtls_md_hmac_starts(mbedtls_md_context_t *ctx, const unsigned char *key, size_t keylen);
int mbedtls_md_hmac_update(mbedtls_md_context_t *ctx, const unsigned char *input, size_t ilen);
int mbedtls_md_hmac_finish(mbedtls_md_context_t *ctx, unsigned char *output);

/** The same key again. */
int mbedtls_md_hmac_reset(mbedtls_md_context_t *ctx);
int mbedtls_md_hmac(const mbedtls_md_info_t *info, const unsigned char *key, size_t keylen,
                    const unsigned char *input, size_t ilen, unsigned char *output);

#ifdef __cplusplus
}
#endif
