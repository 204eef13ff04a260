/* SHA-1, SHA-2 and MD5 under mbedTLS's names: one implementation, and a set of names for each. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "digests.h"

#include <string.h>

#include "mbedtls/md5.h"
#include "mbedtls/sha1.h"
#include "mbedtls/sha256.h"
#include "mbedtls/sha512.h"

int digest_starts(mbedtls_otter_digest_t *ctx, const EVP_MD *kind)
{
    if (ctx->state == NULL) {
        ctx->state = EVP_MD_CTX_new();
    }
    return ctx->state != NULL && EVP_DigestInit_ex(ctx->state, kind, NULL) == 1
               ? 0
               : MBEDTLS_ERR_ERROR_CORRUPTION_DETECTED;
}

int digest_update(mbedtls_otter_digest_t *ctx, const void *input, size_t len)
{
    return ctx->state != NULL && EVP_DigestUpdate(ctx->state, input, len) == 1
               ? 0
               : MBEDTLS_ERR_ERROR_CORRUPTION_DETECTED;
}

int digest_finish(mbedtls_otter_digest_t *ctx, unsigned char *output)
{
    return ctx->state != NULL && EVP_DigestFinal_ex(ctx->state, output, NULL) == 1
               ? 0
               : MBEDTLS_ERR_ERROR_CORRUPTION_DETECTED;
}

int digest_of(const EVP_MD *kind, const void *input, size_t len, unsigned char *output)
{
    return EVP_Digest(input, len, output, NULL, kind, NULL) == 1 ? 0 : MBEDTLS_ERR_ERROR_CORRUPTION_DETECTED;
}

void digest_free(mbedtls_otter_digest_t *ctx)
{
    if (ctx != NULL) {
        EVP_MD_CTX_free(ctx->state);
        ctx->state = NULL;
    }
}

int digest_clone(mbedtls_otter_digest_t *dst, const mbedtls_otter_digest_t *src)
{
    digest_free(dst);
    if (src->state == NULL) {
        return 0;
    }
    dst->state = EVP_MD_CTX_new();
    return dst->state != NULL && EVP_MD_CTX_copy_ex(dst->state, src->state) == 1
               ? 0
               : MBEDTLS_ERR_ERROR_CORRUPTION_DETECTED;
}

/* What all digests have alike. */
#define DIGEST(name)                                                                                         \
    void mbedtls_##name##_init(mbedtls_##name##_context *ctx)                                                \
    {                                                                                                        \
        memset(ctx, 0, sizeof(*ctx));                                                                        \
    }                                                                                                        \
    void mbedtls_##name##_free(mbedtls_##name##_context *ctx)                                                \
    {                                                                                                        \
        digest_free(ctx);                                                                                    \
    }                                                                                                        \
    void mbedtls_##name##_clone(mbedtls_##name##_context *dst, const mbedtls_##name##_context *src)          \
    {                                                                                                        \
        (void)digest_clone(dst, src);                                                                        \
    }                                                                                                        \
    int mbedtls_##name##_update(mbedtls_##name##_context *ctx, const unsigned char *input, size_t ilen)      \
    {                                                                                                        \
        return digest_update(ctx, input, ilen);                                                              \
    }                                                                                                        \
    int mbedtls_##name##_finish(mbedtls_##name##_context *ctx, unsigned char *output)                        \
    {                                                                                                        \
        return digest_finish(ctx, output);                                                                   \
    }

#define ONE_LENGTH(name)                                                                                     \
    DIGEST(name)                                                                                             \
    int mbedtls_##name##_starts(mbedtls_##name##_context *ctx)                                               \
    {                                                                                                        \
        return digest_starts(ctx, EVP_##name());                                                             \
    }                                                                                                        \
    int mbedtls_##name(const unsigned char *input, size_t ilen, unsigned char *output)                       \
    {                                                                                                        \
        return digest_of(EVP_##name(), input, ilen, output);                                                 \
    }

ONE_LENGTH(md5)
ONE_LENGTH(sha1)
DIGEST(sha256)
DIGEST(sha512)

/** A flag chooses the shorter one of two. @return NULL: it is neither 0 nor 1 */
static const EVP_MD *choose(int is_shorter, const EVP_MD *shorter, const EVP_MD *longer)
{
    return is_shorter == 1 ? shorter : is_shorter == 0 ? longer : NULL;
}

int mbedtls_sha256_starts(mbedtls_sha256_context *ctx, int is224)
{
    const EVP_MD *kind = choose(is224, EVP_sha224(), EVP_sha256());
    return kind != NULL ? digest_starts(ctx, kind) : MBEDTLS_ERR_SHA256_BAD_INPUT_DATA;
}

int mbedtls_sha256(const unsigned char *input, size_t ilen, unsigned char *output, int is224)
{
    const EVP_MD *kind = choose(is224, EVP_sha224(), EVP_sha256());
    return kind != NULL ? digest_of(kind, input, ilen, output) : MBEDTLS_ERR_SHA256_BAD_INPUT_DATA;
}

int mbedtls_sha512_starts(mbedtls_sha512_context *ctx, int is384)
{
    const EVP_MD *kind = choose(is384, EVP_sha384(), EVP_sha512());
    return kind != NULL ? digest_starts(ctx, kind) : MBEDTLS_ERR_SHA512_BAD_INPUT_DATA;
}

int mbedtls_sha512(const unsigned char *input, size_t ilen, unsigned char *output, int is384)
{
    const EVP_MD *kind = choose(is384, EVP_sha384(), EVP_sha512());
    return kind != NULL ? digest_of(kind, input, ilen, output) : MBEDTLS_ERR_SHA512_BAD_INPUT_DATA;
}
