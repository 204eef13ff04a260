/* The crypto seam for encrypted images, on OpenSSL 3: apart from the digests, so that only who reads such images links it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "linux/image_key.h"
#include "linux/openssl_answer.h"
#include "linux/openssl_start.h"
#include "otter/crypto.h"

#define UNCOMPRESSED 4 /* before the coordinates of a point */
#define POINT_SIZE   (2 * OTTER_P256_LEN)

/* An otter_image_key_t is an EVP_PKEY, an otter_gcm_t an EVP_CIPHER_CTX. */

static EVP_PKEY *inside(const otter_image_key_t *key)
{
    return (EVP_PKEY *)(uintptr_t)key;
}

/* ---- AES-256-GCM ---- */

otter_gcm_t *otter_gcm_new(const uint8_t key[OTTER_AES_256_LEN], const uint8_t nonce[OTTER_GCM_LEN],
                           bool encrypts)
{
    EVP_CIPHER_CTX *gcm = EVP_CIPHER_CTX_new();
    openssl_start();
    if (gcm == NULL || EVP_CipherInit_ex(gcm, EVP_aes_256_gcm(), NULL, NULL, NULL, encrypts) != 1 ||
        EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_SET_IVLEN, (int)OTTER_GCM_LEN, NULL) != 1 ||
        EVP_CipherInit_ex(gcm, NULL, NULL, key, nonce, encrypts) != 1) {
        EVP_CIPHER_CTX_free(gcm);
        return NULL;
    }
    return (otter_gcm_t *)gcm;
}

bool otter_gcm_update(otter_gcm_t *gcm, const void *in, size_t len, void *out)
{
    const uint8_t *from = in;
    uint8_t *to = out;
    for (int n, made; len > 0; from += n, to += n, len -= (size_t)n) {
        n = len < INT_MAX ? (int)len : INT_MAX;
        if (EVP_CipherUpdate((EVP_CIPHER_CTX *)gcm, to, &made, from, n) != 1) {
            return false;
        }
    }
    return true;
}

bool otter_gcm_tag(otter_gcm_t *gcm, uint8_t tag[OTTER_GCM_LEN])
{
    uint8_t nothing[OTTER_GCM_LEN];
    int made;
    return EVP_CipherFinal_ex((EVP_CIPHER_CTX *)gcm, nothing, &made) == 1 &&
           EVP_CIPHER_CTX_ctrl((EVP_CIPHER_CTX *)gcm, EVP_CTRL_AEAD_GET_TAG, (int)OTTER_GCM_LEN, tag) == 1;
}

bool otter_gcm_check(otter_gcm_t *gcm, const uint8_t tag[OTTER_GCM_LEN])
{
    uint8_t copy[OTTER_GCM_LEN], nothing[OTTER_GCM_LEN];
    int made;
    memcpy(copy, tag, sizeof(copy));
    bool good =
        EVP_CIPHER_CTX_ctrl((EVP_CIPHER_CTX *)gcm, EVP_CTRL_AEAD_SET_TAG, (int)OTTER_GCM_LEN, copy) == 1 &&
        EVP_CipherFinal_ex((EVP_CIPHER_CTX *)gcm, nothing, &made) == 1;
    ERR_clear_error();
    return good;
}

void otter_gcm_free(otter_gcm_t *gcm)
{
    EVP_CIPHER_CTX_free((EVP_CIPHER_CTX *)gcm); /* wipes */
}

/* ---- private keys ---- */

static esp_err_t said(openssl_question_t *ask, const void *question)
{
    esp_err_t err = openssl_ask(ask, question);
    ERR_clear_error();
    return err;
}

static bool is_suitable(const void *evp_pkey)
{
    const EVP_PKEY *key = evp_pkey;
    char group[32];
    return (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
            EVP_PKEY_get_bits(key) == 8 * (int)OTTER_RSA_3072_LEN) ||
           (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
            EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
            strcmp(group, "prime256v1") == 0);
}

bool image_key_suits(const void *evp_pkey, otter_fault_t *fault)
{
    esp_err_t err = said(is_suitable, evp_pkey);
    if (err == ESP_ERR_NO_MEM) {
        (void)otter_fault(fault, err, "out of memory");
    } else if (err != ESP_OK) {
        const EVP_PKEY *key = evp_pkey;
        const char *type = EVP_PKEY_get0_type_name(key);
        char group[32] = "";
        (void)EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
        (void)otter_fault(
            fault, ESP_ERR_NOT_SUPPORTED,
            "this is a key of type %s with %d bits%s%s; images are encrypted for RSA of 3072 bits "
            "or a key on P-256",
            type != NULL ? type : "?", EVP_PKEY_get_bits(key), group[0] != '\0' ? " on " : "", group);
    }
    return err == ESP_OK;
}

/** Nobody is asked for a passphrase here. */
static int no_passphrase(char *text, int size, int writing, void *context)
{
    (void)text;
    (void)size;
    (void)writing;
    *(bool *)context = true;
    return -1;
}

typedef struct {
    const void *text;
    size_t len;
    bool *asked; /* for a passphrase */
    EVP_PKEY **key;
} text_t;

static bool decode(const void *question)
{
    const text_t *t = question;
    const unsigned char *at = t->text;
    size_t left = t->len;
    OSSL_DECODER_CTX *decoder =
        OSSL_DECODER_CTX_new_for_pkey(t->key, NULL, NULL, NULL, OSSL_KEYMGMT_SELECT_KEYPAIR, NULL, NULL);
    bool good = decoder != NULL &&
                OSSL_DECODER_CTX_set_pem_password_cb(decoder, no_passphrase, t->asked) == 1 &&
                OSSL_DECODER_from_data(decoder, &at, &left) == 1 &&
                EVP_PKEY_get_bits(*t->key) > 0; /* it is known, which a yes without memory does not say */
    OSSL_DECODER_CTX_free(decoder);
    if (!good) {
        EVP_PKEY_free(*t->key);
        *t->key = NULL;
    }
    return good;
}

otter_image_key_t *otter_image_key_new(const void *text, size_t len, otter_fault_t *fault)
{
    EVP_PKEY *key = NULL;
    bool asked = false;
    openssl_start();
    esp_err_t err = said(decode, &(text_t){text, len, &asked, &key});
    if (err == ESP_ERR_NO_MEM) {
        (void)otter_fault(fault, err, "out of memory");
    } else if (err != ESP_OK) {
        (void)otter_fault(fault, ESP_ERR_INVALID_ARG, "these %zu bytes are no private key%s", len,
                          asked ? " without a passphrase" : ", PEM or DER");
    } else if (!image_key_suits(key, fault)) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return err == ESP_OK ? (otter_image_key_t *)key : NULL;
}

static EC_POINT *public_point(const EC_GROUP *group, const BIGNUM *number)
{
    EC_POINT *point = EC_POINT_new(group);
    if (point != NULL && EC_POINT_mul(group, point, number, NULL, NULL, NULL) != 1) {
        EC_POINT_free(point);
        point = NULL;
    }
    return point;
}

/** @param number  from 1 to n - 1 */
static EVP_PKEY *p256_key(const EC_GROUP *group, const BIGNUM *number)
{
    uint8_t octets[1 + POINT_SIZE];
    EC_POINT *point = public_point(group, number);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;
    if (point != NULL && builder != NULL && context != NULL &&
        EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, octets, sizeof(octets), NULL) ==
            sizeof(octets) &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, number) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, octets, sizeof(octets)) == 1 &&
        (params = OSSL_PARAM_BLD_to_param(builder)) != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) != 1) {
        key = NULL;
    }
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_BLD_free(builder);
    EC_POINT_free(point);
    return key;
}

otter_image_key_t *otter_image_key_of_number(const uint8_t number[OTTER_P256_LEN], otter_fault_t *fault)
{
    openssl_start();
    ERR_clear_error();
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    BIGNUM *n = BN_secure_new();
    EVP_PKEY *key = NULL;
    bool fits = group != NULL && n != NULL && BN_bin2bn(number, (int)OTTER_P256_LEN, n) != NULL;
    if (fits) {
        BN_set_flags(n, BN_FLG_CONSTTIME);
        fits = !BN_is_zero(n) && BN_cmp(n, EC_GROUP_get0_order(group)) < 0;
        key = fits ? p256_key(group, n) : NULL;
        if (!fits) {
            (void)otter_fault(fault, ESP_ERR_INVALID_ARG, "this number is no private key on P-256");
        }
    }
    if (key == NULL && (fits || group == NULL || n == NULL)) {
        (void)otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
    }
    BN_clear_free(n);
    EC_GROUP_free(group);
    ERR_clear_error();
    return (otter_image_key_t *)key;
}

bool otter_image_key_is_rsa(const otter_image_key_t *key)
{
    return EVP_PKEY_get_base_id(inside(key)) == EVP_PKEY_RSA;
}

size_t otter_image_key_public(const otter_image_key_t *key, uint8_t **der)
{
    *der = NULL;
    int len = i2d_PUBKEY(inside(key), NULL);
    uint8_t *bytes = len > 0 ? malloc((size_t)len) : NULL;
    *der = bytes;
    return bytes != NULL && i2d_PUBKEY(inside(key), &bytes) == len ? (size_t)len : 0;
}

void otter_image_key_free(otter_image_key_t *key)
{
    EVP_PKEY_free((EVP_PKEY *)key);
}

/* ---- what they open ---- */

/** What is opened, and for what. */
typedef struct {
    const otter_image_key_t *key;
    const uint8_t *of; /* a box of RSA, or a point */
    uint8_t *out;
} opening_t;

static bool unwrap(const void *question)
{
    const opening_t *q = question;
    uint8_t plain[OTTER_RSA_3072_LEN];
    size_t len = sizeof(plain);
    EVP_PKEY *key = openssl_key_to_ask(inside(q->key));
    EVP_PKEY_CTX *context = key != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
    bool good = context != NULL && EVP_PKEY_decrypt_init(context) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
                EVP_PKEY_decrypt(context, plain, &len, q->of, OTTER_RSA_3072_LEN) == 1 &&
                len == OTTER_AES_256_LEN;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    if (good) {
        memcpy(q->out, plain, OTTER_AES_256_LEN);
    }
    otter_wipe(plain, sizeof(plain));
    return good;
}

esp_err_t otter_rsa_unwrap(const otter_image_key_t *key, const uint8_t *box, uint8_t aes[OTTER_AES_256_LEN])
{
    return said(unwrap, &(opening_t){key, box, aes});
}

/** A public key on P-256. @return NULL: the point is not on the curve, or no memory */
static EVP_PKEY *peer_of(const uint8_t point[POINT_SIZE])
{
    uint8_t octets[1 + POINT_SIZE] = {UNCOMPRESSED};
    char group[] = "prime256v1";
    memcpy(octets + 1, point, POINT_SIZE);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                           OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets, sizeof(octets)),
                           OSSL_PARAM_END};
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return key;
}

static bool agree(const void *question)
{
    const opening_t *q = question;
    size_t len = OTTER_P256_LEN;
    EVP_PKEY *peer = peer_of(q->of);
    EVP_PKEY_CTX *context = peer != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, inside(q->key), NULL) : NULL;
    bool good = context != NULL && EVP_PKEY_derive_init(context) == 1 &&
                EVP_PKEY_derive_set_peer(context, peer) == 1 && EVP_PKEY_derive(context, q->out, &len) == 1 &&
                len == OTTER_P256_LEN;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(peer);
    return good;
}

esp_err_t otter_p256_agree(const otter_image_key_t *key, const uint8_t point[POINT_SIZE],
                           uint8_t shared[OTTER_P256_LEN])
{
    return said(agree, &(opening_t){key, point, shared});
}

/* ---- derived keys ---- */

static OSSL_PARAM octets(const char *name, const void *bytes, size_t len)
{
    return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)bytes, len);
}

static bool derive(const char *kind, const OSSL_PARAM *params, uint8_t *out, size_t len)
{
    openssl_start();
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, kind, NULL);
    EVP_KDF_CTX *context = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
    bool good = context != NULL && EVP_KDF_derive(context, out, len, params) == 1;
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return good;
}

static char sha256[] = "SHA2-256";

bool otter_hkdf_sha256(const uint8_t secret[32], const uint8_t salt[32], const char *info, uint8_t out[32])
{
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, sha256, 0),
                                 octets(OSSL_KDF_PARAM_KEY, secret, 32),
                                 octets(OSSL_KDF_PARAM_SALT, salt, 32),
                                 octets(OSSL_KDF_PARAM_INFO, info, strlen(info)), OSSL_PARAM_END};
    return derive("HKDF", params, out, 32);
}

bool otter_pbkdf2_sha256(const uint8_t key[32], const uint8_t salt[32], unsigned iterations, uint8_t out[32])
{
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, sha256, 0),
                                 octets(OSSL_KDF_PARAM_PASSWORD, key, 32),
                                 octets(OSSL_KDF_PARAM_SALT, salt, 32),
                                 OSSL_PARAM_construct_uint(OSSL_KDF_PARAM_ITER, &iterations), OSSL_PARAM_END};
    return derive("PBKDF2", params, out, 32);
}
