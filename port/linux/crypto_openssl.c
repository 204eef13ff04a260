/* The crypto seam on OpenSSL 3: digests and AES by EVP, which uses what the processor has for them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/crypto.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "linux/openssl_start.h"

/* What OpenSSL would look up anew for each digest. Kept until the program ends; NULL where it has none. */
static EVP_MD *sha256, *sha1, *md5;
static pthread_once_t looked_up = PTHREAD_ONCE_INIT;

static void look_up(void)
{
    openssl_start();
    sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    md5 = EVP_MD_fetch(NULL, "MD5", NULL);
}

static bool begin(otter_digest_t *digest, const EVP_MD *kind)
{
    EVP_MD_CTX *context = digest->elsewhere.object;
    if (context != NULL && !digest->elsewhere.used && EVP_MD_CTX_get0_md(context) == kind) {
        return true; /* OpenSSL takes memory anew for a beginning, so there is none where nothing is to be forgotten */
    }
    if (context == NULL) {
        context = EVP_MD_CTX_new();
        digest->elsewhere.object = context;
    }
    digest->elsewhere.used = context == NULL || EVP_DigestInit_ex(context, kind, NULL) != 1;
    return !digest->elsewhere.used;
}

bool otter_sha256_begin(otter_digest_t *digest)
{
    (void)pthread_once(&looked_up, look_up);
    return begin(digest, sha256);
}

bool otter_sha1_begin(otter_digest_t *digest)
{
    (void)pthread_once(&looked_up, look_up);
    return begin(digest, sha1);
}

bool otter_md5_begin(otter_digest_t *digest)
{
    (void)pthread_once(&looked_up, look_up);
    return begin(digest, md5);
}

/* The calls below only fail for reasons that cannot occur here: they take no memory. */

void otter_digest_update(otter_digest_t *digest, const void *data, size_t len)
{
    digest->elsewhere.used = true;
    EVP_DigestUpdate(digest->elsewhere.object, data, len);
}

void otter_digest_finish(otter_digest_t *digest, uint8_t *bytes)
{
    digest->elsewhere.used = true;
    EVP_DigestFinal_ex(digest->elsewhere.object, bytes, NULL);
}

bool otter_digest_peek(const otter_digest_t *digest, uint8_t *bytes)
{
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    bool ok = copy != NULL && EVP_MD_CTX_copy_ex(copy, digest->elsewhere.object) == 1 &&
              EVP_DigestFinal_ex(copy, bytes, NULL) == 1;
    EVP_MD_CTX_free(copy);
    return ok;
}

void otter_digest_end(otter_digest_t *digest)
{
    EVP_MD_CTX_free(digest->elsewhere.object);
    *digest = (otter_digest_t){0};
}

#define AES_BLOCK 16u /* bytes */

struct otter_aes {
    EVP_CIPHER_CTX *context;
};

otter_aes_t *otter_aes_new(const uint8_t *key, size_t key_len, bool decrypt)
{
    openssl_start();
    otter_aes_t *aes = malloc(sizeof(*aes));
    if (aes == NULL) {
        return NULL;
    }
    aes->context = EVP_CIPHER_CTX_new();
    const EVP_CIPHER *cipher = key_len == 32 ? EVP_aes_256_ecb() : EVP_aes_128_ecb();
    if (aes->context == NULL || EVP_CipherInit_ex(aes->context, cipher, NULL, key, NULL, !decrypt) != 1 ||
        EVP_CIPHER_CTX_set_padding(aes->context, 0) != 1) {
        otter_aes_free(aes);
        return NULL;
    }
    return aes;
}

bool otter_aes_set_key(otter_aes_t *aes, const uint8_t *key)
{
    return EVP_CipherInit_ex(aes->context, NULL, NULL, key, NULL, -1) == 1;
}

bool otter_aes_blocks(otter_aes_t *aes, uint8_t *data, size_t len)
{
    int done;
    return len <= INT_MAX && EVP_CipherUpdate(aes->context, data, &done, data, (int)len) == 1;
}

/** Turns each block round and masks it (`in`: on its way into AES), or masks it and turns it round. */
static void turn(uint8_t *data, const uint8_t *masks, size_t len, bool in)
{
    for (size_t at = 0; at < len; at += AES_BLOCK) {
        uint64_t block[2], mask[2];
        memcpy(block, data + at, sizeof(block));
        memcpy(mask, masks + at, sizeof(mask));
        const uint64_t low = in ? block[0] : block[0] ^ mask[0], high = in ? block[1] : block[1] ^ mask[1];
        block[0] = __builtin_bswap64(high) ^ (in ? mask[0] : 0);
        block[1] = __builtin_bswap64(low) ^ (in ? mask[1] : 0);
        memcpy(data + at, block, sizeof(block));
    }
}

bool otter_aes_turned(otter_aes_t *aes, uint8_t *data, const uint8_t *masks, size_t len)
{
    turn(data, masks, len, true);
    bool ok = otter_aes_blocks(aes, data, len);
    turn(data, masks, len, false);
    return ok;
}

void otter_aes_free(otter_aes_t *aes)
{
    if (aes != NULL) {
        EVP_CIPHER_CTX_free(aes->context); /* wipes the key */
        free(aes);
    }
}

void otter_wipe(void *data, size_t len)
{
    OPENSSL_cleanse(data, len);
}
