/* HMAC is a digest around a digest (RFC 2104): the key fills a block, and each of the two begins with it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mbedtls/md.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "digests.h"

struct mbedtls_md_info_t {
    const char *name;
    mbedtls_md_type_t type;
    unsigned char size, block;
    const EVP_MD *(*kind)(void);
};

static const mbedtls_md_info_t kinds[] = {
    {"MD5", MBEDTLS_MD_MD5, 16, 64, EVP_md5},           {"SHA1", MBEDTLS_MD_SHA1, 20, 64, EVP_sha1},
    {"SHA224", MBEDTLS_MD_SHA224, 28, 64, EVP_sha224},  {"SHA256", MBEDTLS_MD_SHA256, 32, 64, EVP_sha256},
    {"SHA384", MBEDTLS_MD_SHA384, 48, 128, EVP_sha384}, {"SHA512", MBEDTLS_MD_SHA512, 64, 128, EVP_sha512},
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

const mbedtls_md_info_t *mbedtls_md_info_from_type(mbedtls_md_type_t type)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (kinds[i].type == type) {
            return &kinds[i];
        }
    }
    return NULL;
}

const mbedtls_md_info_t *mbedtls_md_info_from_string(const char *name)
{
    for (size_t i = 0; name != NULL && i < KIND_COUNT; i++) {
        if (strcasecmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

mbedtls_md_type_t mbedtls_md_get_type(const mbedtls_md_info_t *info)
{
    return info != NULL ? info->type : MBEDTLS_MD_NONE;
}

const char *mbedtls_md_get_name(const mbedtls_md_info_t *info)
{
    return info != NULL ? info->name : NULL;
}

unsigned char mbedtls_md_get_size(const mbedtls_md_info_t *info)
{
    return info != NULL ? info->size : 0;
}

void mbedtls_md_init(mbedtls_md_context_t *ctx)
{
    memset(ctx, 0, sizeof(*ctx));
}

void mbedtls_md_free(mbedtls_md_context_t *ctx)
{
    if (ctx == NULL) {
        return;
    }
    digest_free(&ctx->digest);
    if (ctx->hmac_key != NULL) {
        explicit_bzero(ctx->hmac_key, MBEDTLS_MD_MAX_BLOCK_SIZE);
        free(ctx->hmac_key);
    }
    mbedtls_md_init(ctx);
}

int mbedtls_md_setup(mbedtls_md_context_t *ctx, const mbedtls_md_info_t *info, int hmac)
{
    if (ctx == NULL || info == NULL) {
        return MBEDTLS_ERR_MD_BAD_INPUT_DATA;
    }
    mbedtls_md_free(ctx);
    ctx->hmac_key = hmac != 0 ? calloc(1, MBEDTLS_MD_MAX_BLOCK_SIZE) : NULL;
    if (hmac != 0 && ctx->hmac_key == NULL) {
        return MBEDTLS_ERR_MD_ALLOC_FAILED;
    }
    ctx->md_info = info;
    return 0;
}

int mbedtls_md_starts(mbedtls_md_context_t *ctx)
{
    return ctx != NULL && ctx->md_info != NULL ? digest_starts(&ctx->digest, ctx->md_info->kind())
                                               : MBEDTLS_ERR_MD_BAD_INPUT_DATA;
}

int mbedtls_md_update(mbedtls_md_context_t *ctx, const unsigned char *input, size_t ilen)
{
    return ctx != NULL && ctx->md_info != NULL ? digest_update(&ctx->digest, input, ilen)
                                               : MBEDTLS_ERR_MD_BAD_INPUT_DATA;
}

int mbedtls_md_finish(mbedtls_md_context_t *ctx, unsigned char *output)
{
    return ctx != NULL && ctx->md_info != NULL ? digest_finish(&ctx->digest, output)
                                               : MBEDTLS_ERR_MD_BAD_INPUT_DATA;
}

int mbedtls_md_clone(mbedtls_md_context_t *dst, const mbedtls_md_context_t *src)
{
    if (dst == NULL || src == NULL || dst->md_info == NULL || dst->md_info != src->md_info) {
        return MBEDTLS_ERR_MD_BAD_INPUT_DATA;
    }
    return digest_clone(&dst->digest, &src->digest);
}

int mbedtls_md(const mbedtls_md_info_t *info, const unsigned char *input, size_t ilen, unsigned char *output)
{
    return info != NULL ? digest_of(info->kind(), input, ilen, output) : MBEDTLS_ERR_MD_BAD_INPUT_DATA;
}

/** Begins a digest with the key's block, each byte of it with `mask`. */
static int start_with_key(mbedtls_md_context_t *ctx, unsigned char mask)
{
    unsigned char block[MBEDTLS_MD_MAX_BLOCK_SIZE];
    for (size_t i = 0; i < ctx->md_info->block; i++) {
        block[i] = ctx->hmac_key[i] ^ mask;
    }
    int err = mbedtls_md_starts(ctx);
    err = err == 0 ? mbedtls_md_update(ctx, block, ctx->md_info->block) : err;
    explicit_bzero(block, sizeof(block));
    return err;
}

static bool is_for_hmac(const mbedtls_md_context_t *ctx)
{
    return ctx != NULL && ctx->md_info != NULL && ctx->hmac_key != NULL;
}

int mbedtls_md_hmac_reset(mbedtls_md_context_t *ctx)
{
    return is_for_hmac(ctx) ? start_with_key(ctx, 0x36) : MBEDTLS_ERR_MD_BAD_INPUT_DATA;
}

int mbedtls_md_hmac_starts(mbedtls_md_context_t *ctx, const unsigned char *key, size_t keylen)
{
    if (!is_for_hmac(ctx)) {
        return MBEDTLS_ERR_MD_BAD_INPUT_DATA;
    }
    memset(ctx->hmac_key, 0, MBEDTLS_MD_MAX_BLOCK_SIZE);
    if (keylen > ctx->md_info->block) {
        int err = mbedtls_md(ctx->md_info, key, keylen, ctx->hmac_key);
        return err == 0 ? mbedtls_md_hmac_reset(ctx) : err;
    }
    if (keylen > 0) {
        memcpy(ctx->hmac_key, key, keylen);
    }
    return mbedtls_md_hmac_reset(ctx);
}

int mbedtls_md_hmac_update(mbedtls_md_context_t *ctx, const unsigned char *input, size_t ilen)
{
    return is_for_hmac(ctx) ? mbedtls_md_update(ctx, input, ilen) : MBEDTLS_ERR_MD_BAD_INPUT_DATA;
}

int mbedtls_md_hmac_finish(mbedtls_md_context_t *ctx, unsigned char *output)
{
    unsigned char inner[MBEDTLS_MD_MAX_SIZE];
    if (!is_for_hmac(ctx)) {
        return MBEDTLS_ERR_MD_BAD_INPUT_DATA;
    }
    int err = mbedtls_md_finish(ctx, inner);
    err = err == 0 ? start_with_key(ctx, 0x5C) : err;
    err = err == 0 ? mbedtls_md_update(ctx, inner, ctx->md_info->size) : err;
    return err == 0 ? mbedtls_md_finish(ctx, output) : err;
}

int mbedtls_md_hmac(const mbedtls_md_info_t *info, const unsigned char *key, size_t keylen,
                    const unsigned char *input, size_t ilen, unsigned char *output)
{
    mbedtls_md_context_t ctx;
    mbedtls_md_init(&ctx);
    int err = mbedtls_md_setup(&ctx, info, 1);
    err = err == 0 ? mbedtls_md_hmac_starts(&ctx, key, keylen) : err;
    err = err == 0 ? mbedtls_md_hmac_update(&ctx, input, ilen) : err;
    err = err == 0 ? mbedtls_md_hmac_finish(&ctx, output) : err;
    mbedtls_md_free(&ctx);
    return err;
}
