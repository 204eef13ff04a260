/* The crypto seam on OpenSSL 3: EVP digests, which use the processor's SHA instructions. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/crypto.h"

#include <pthread.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "linux/openssl_start.h"

struct otter_sha256 {
    EVP_MD_CTX *context;
    bool used; /* since it was made or reset */
};

/* What OpenSSL would look up anew for each digest. Kept until the program ends; NULL where it has none. */
static EVP_MD *sha256, *md5;
static pthread_once_t looked_up = PTHREAD_ONCE_INIT;

static void look_up(void)
{
    openssl_start();
    sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    md5 = EVP_MD_fetch(NULL, "MD5", NULL);
}

otter_sha256_t *otter_sha256_new(void)
{
    (void)pthread_once(&looked_up, look_up);
    otter_sha256_t *sha = malloc(sizeof(*sha));
    if (sha == NULL) {
        return NULL;
    }
    sha->context = EVP_MD_CTX_new();
    if (sha->context == NULL || EVP_DigestInit_ex(sha->context, sha256, NULL) != 1) {
        otter_sha256_free(sha);
        return NULL;
    }
    sha->used = false;
    return sha;
}

bool otter_sha256_reset(otter_sha256_t *sha)
{
    /* OpenSSL takes memory anew for this, so it is done only where there is something to forget. */
    if (sha->used && EVP_DigestInit_ex(sha->context, NULL, NULL) != 1) {
        return false;
    }
    sha->used = false;
    return true;
}

/** The calls below only fail for reasons that cannot occur here: they take no memory. */
void otter_sha256_update(otter_sha256_t *sha, const void *data, size_t len)
{
    sha->used = true;
    EVP_DigestUpdate(sha->context, data, len);
}

void otter_sha256_finish(otter_sha256_t *sha, uint8_t digest[OTTER_SHA256_LEN])
{
    sha->used = true;
    EVP_DigestFinal_ex(sha->context, digest, NULL);
}

bool otter_sha256_peek(const otter_sha256_t *sha, uint8_t digest[OTTER_SHA256_LEN])
{
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    bool ok = copy != NULL && EVP_MD_CTX_copy_ex(copy, sha->context) == 1 &&
              EVP_DigestFinal_ex(copy, digest, NULL) == 1;
    EVP_MD_CTX_free(copy);
    return ok;
}

void otter_sha256_free(otter_sha256_t *sha)
{
    if (sha != NULL) {
        EVP_MD_CTX_free(sha->context);
        free(sha);
    }
}

esp_err_t otter_md5(const void *data, size_t len, uint8_t digest[OTTER_MD5_LEN])
{
    (void)pthread_once(&looked_up, look_up);
    return EVP_Digest(data, len, digest, NULL, md5, NULL) == 1 ? ESP_OK : ESP_ERR_NO_MEM;
}
