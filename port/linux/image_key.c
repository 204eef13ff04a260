/* Image keys by name, and sealing for them, through OpenSSL 3. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/image_key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "host/named_file.h"
#include "linux/named_key.h"
#include "linux/openssl_answer.h"
#include "otter/encrypted_image.h"

#define HMAC_KEY_LEN 32u
#define FILE_MAX     65536u
#define SHORTEST_KEY 91u /* bytes: a public key on P-256, DER */

/**
 * A key on P-256 where the file holds an HMAC key, which is told by its length alone.
 * @param len  bytes of the file; 0: there is none
 */
static otter_image_key_t *load_hmac_key(const char *name, size_t *len, otter_fault_t *fault)
{
    otter_fault_t nobody = {0};
    otter_image_key_t *key = NULL;
    *len = 0;
    uint8_t *bytes = input_load(name, INPUT_ORDINARY, FILE_MAX, len, &nobody);
    if (bytes != NULL) {
        key = *len == HMAC_KEY_LEN ? otter_image_key_of_hmac(bytes, fault) : NULL;
        otter_wipe(bytes, *len);
    }
    free(bytes);
    return key;
}

/** Any key that images are encrypted for. */
static EVP_PKEY *load(const char *name, bool private_part, const char *passphrase_file, otter_fault_t *fault)
{
    size_t len;
    EVP_PKEY *key = (EVP_PKEY *)load_hmac_key(name, &len, fault);
    if (key != NULL || len == HMAC_KEY_LEN) {
        return key;
    }
    key = named_key_load(name, private_part, passphrase_file, fault);
    if (key != NULL && !image_key_suits(key, fault)) {
        EVP_PKEY_free(key);
        return NULL;
    }
    if (key == NULL && len > 0 && len < SHORTEST_KEY) {
        (void)otter_fault(fault, ESP_ERR_INVALID_SIZE,
                          "it has %zu bytes: an HMAC key has %u, and any other key is PEM or DER", len,
                          HMAC_KEY_LEN);
    }
    return key;
}

otter_image_key_t *image_key_load(const char *name, const char *passphrase_file, otter_fault_t *fault)
{
    return (otter_image_key_t *)load(name, true, passphrase_file, fault);
}

/* ---- sealing ---- */

static bool seal_rsa(EVP_PKEY *key, const uint8_t *aes, uint8_t *area)
{
    size_t len = OTTER_RSA_3072_LEN;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool good = context != NULL && EVP_PKEY_encrypt_init(context) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
                EVP_PKEY_encrypt(context, area, &len, aes, OTTER_AES_256_LEN) == 1 &&
                len == OTTER_RSA_3072_LEN;
    EVP_PKEY_CTX_free(context);
    return good;
}

/** Uncompressed, without the byte that says so. */
static bool point_of(EVP_PKEY *key, uint8_t point[2 * OTTER_P256_LEN])
{
    uint8_t *octets = NULL;
    size_t len = EVP_PKEY_get1_encoded_public_key(key, &octets);
    bool good = len == 1 + 2 * OTTER_P256_LEN;
    if (good) {
        memcpy(point, octets + 1, 2 * OTTER_P256_LEN);
    }
    OPENSSL_free(octets);
    return good;
}

/** The AES key is what both sides can derive: from the sender's key, which is new for each image, and the device's. */
static bool seal_ecies(EVP_PKEY *key, uint8_t *aes, uint8_t *area)
{
    uint8_t point[2 * OTTER_P256_LEN];
    otter_encrypted_header_t header = {.key = area};
    EVP_PKEY *sender = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    otter_fault_t nobody = {0};
    memset(area, 0, OTTER_RSA_3072_LEN);
    bool good = sender != NULL && point_of(key, point) && point_of(sender, area) &&
                RAND_bytes(area + sizeof(point), 32) == 1;
    if (good) {
        uint8_t own[sizeof(point)];
        memcpy(own, area, sizeof(own));
        memcpy(area, point, sizeof(point)); /* derived from the sender's side: its key, the device's point */
        good = otter_encrypted_key((otter_image_key_t *)sender, &header, aes, &nobody) == ESP_OK;
        memcpy(area, own, sizeof(own));
    }
    EVP_PKEY_free(sender);
    return good;
}

typedef struct {
    EVP_PKEY *key;
    uint8_t *area, *aes;
} sealing_t;

static bool seal(const void *question)
{
    const sealing_t *s = question;
    return EVP_PKEY_get_base_id(s->key) == EVP_PKEY_RSA
               ? RAND_priv_bytes(s->aes, OTTER_AES_256_LEN) == 1 && seal_rsa(s->key, s->aes, s->area)
               : seal_ecies(s->key, s->aes, s->area);
}

bool image_key_seal(const char *name, const char *passphrase_file, uint8_t *area,
                    uint8_t aes[OTTER_AES_256_LEN], otter_fault_t *fault)
{
    EVP_PKEY *key = load(name, false, passphrase_file, fault);
    if (key == NULL) {
        return false;
    }
    esp_err_t err = openssl_ask(seal, &(sealing_t){key, area, aes});
    EVP_PKEY_free(key);
    ERR_clear_error();
    if (err != ESP_OK) {
        (void)otter_fault(fault, err,
                          err == ESP_FAIL ? "OpenSSL does not encrypt for this key" : "out of memory");
    }
    return err == ESP_OK;
}

bool image_key_random(uint8_t *bytes, int len)
{
    return RAND_bytes(bytes, len) == 1;
}
