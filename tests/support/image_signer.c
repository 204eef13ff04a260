/* Signs with the recorded keys by the numbers themselves: RSA-PSS with a salt that is no chance, so that trials replay. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/image_signer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "linux/signing_key.h"
#include "otter/signature.h"

enum { RSA_LEN = 384, HASH = 32, DB = RSA_LEN - HASH - 1 };

static void must(bool done, const char *what)
{
    if (!done) {
        fprintf(stderr, "image_signer: %s\n", what);
        exit(2);
    }
}

static void sha256(const void *bytes, size_t len, uint8_t out[HASH])
{
    must(EVP_Digest(bytes, len, out, NULL, EVP_sha256(), NULL) == 1, "out of memory");
}

/** EMSA-PSS (RFC 8017, 9.1.1) of 3071 bits; the hash itself is the salt. */
static void encode_pss(const uint8_t hash[HASH], uint8_t em[RSA_LEN])
{
    uint8_t message[8 + 2 * HASH] = {0}, seed[HASH + 4] = {0}, mask[HASH];
    memcpy(message + 8, hash, HASH);
    memcpy(message + 8 + HASH, hash, HASH);
    memset(em, 0, DB);
    em[DB - HASH - 1] = 1;
    memcpy(em + DB - HASH, hash, HASH);
    sha256(message, sizeof(message), em + DB);
    memcpy(seed, em + DB, HASH);
    for (int i = 0; i < DB; i++) {
        if (i % HASH == 0) {
            seed[HASH + 3] = (uint8_t)(i / HASH);
            sha256(seed, sizeof(seed), mask);
        }
        em[i] ^= mask[i % HASH];
    }
    em[0] &= 0x7F;
    em[RSA_LEN - 1] = 0xBC;
}

static EVP_PKEY *private_key(const char *path)
{
    FILE *file = fopen(path, "r");
    EVP_PKEY *key = file != NULL ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    must(key != NULL, path);
    fclose(file);
    return key;
}

static void sign(const char *path, const uint8_t hash[HASH], uint8_t signature[RSA_LEN])
{
    uint8_t em[RSA_LEN];
    size_t len = RSA_LEN;
    EVP_PKEY *key = private_key(path);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    encode_pss(hash, em);
    must(context != NULL && EVP_PKEY_sign_init(context) == 1 &&
             EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1 &&
             EVP_PKEY_sign(context, signature, &len, em, sizeof(em)) == 1 && len == RSA_LEN,
         "cannot sign");
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
}

static signing_key_t *load(char letter, char path[512])
{
    otter_fault_t fault = {0};
    snprintf(path, 512, TEST_VECTORS "/signed/keys/rsa_%c.pem", letter);
    signing_key_t *key = signing_key_load(path, false, NULL, &fault);
    must(key != NULL, path);
    return key;
}

void image_key_digest(char key, uint8_t digest[OTTER_KEY_DIGEST_LEN])
{
    static uint8_t known[3][OTTER_KEY_DIGEST_LEN]; /* devices ask at each boot */
    static bool is_known[3];
    const size_t at = (size_t)(key - 'a');
    must(at < 3, "no such key");
    if (!is_known[at]) {
        char path[512];
        signing_key_t *loaded = load(key, path);
        must(signing_key_digest(loaded, known[at], NULL), path);
        signing_key_free(loaded);
        is_known[at] = true;
    }
    memcpy(digest, known[at], OTTER_KEY_DIGEST_LEN);
}

void image_sign_hash(const uint8_t hash[HASH], const char *keys, uint8_t *sector)
{
    uint8_t signature[RSA_LEN];
    for (uint32_t i = 0; keys[i] != '\0'; i++) {
        char path[512];
        signing_key_t *key = load(keys[i], path);
        sign(path, hash, signature);
        must(signing_take_block(key, hash, signature, sizeof(signature), sector + i * OTTER_SIGNATURE_BLOCK,
                                NULL),
             "the signature is not taken");
        signing_key_free(key);
    }
}

uint32_t image_sign(uint8_t *image, uint32_t len, const char *keys)
{
    const uint32_t all = IMAGE_SIGNED_MAX(len), sector = all - OTTER_SIGNATURE_SECTOR;
    uint8_t hash[HASH];
    memset(image + len, 0xFF, all - len);
    sha256(image, sector, hash);
    image_sign_hash(hash, keys, image + sector);
    return all;
}
