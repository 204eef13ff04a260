/* The crypto seam for signatures, on OpenSSL 3: apart from the digests, so that only who checks signatures links it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "linux/openssl_answer.h"
#include "otter/bytes.h"
#include "otter/crypto.h"

#define SALT_LEN     32
#define UNCOMPRESSED 4 /* before the coordinates of a point */

/* ---- SHA-384 ---- */

otter_sha384_t *otter_sha384_new(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context != NULL && EVP_DigestInit_ex(context, EVP_sha384(), NULL) != 1) {
        EVP_MD_CTX_free(context);
        context = NULL;
    }
    return (otter_sha384_t *)context;
}

void otter_sha384_update(otter_sha384_t *sha, const void *data, size_t len)
{
    EVP_DigestUpdate((EVP_MD_CTX *)sha, data, len);
}

void otter_sha384_finish(otter_sha384_t *sha, uint8_t digest[OTTER_SHA384_LEN])
{
    EVP_DigestFinal_ex((EVP_MD_CTX *)sha, digest, NULL);
}

void otter_sha384_free(otter_sha384_t *sha)
{
    EVP_MD_CTX_free((EVP_MD_CTX *)sha);
}

/* ---- public keys ---- */

/** A public key of these parameters, which are freed. @return NULL: they are none, or no memory */
static EVP_PKEY *key_of(const char *type, OSSL_PARAM_BLD *builder)
{
    OSSL_PARAM *params = builder != NULL ? OSSL_PARAM_BLD_to_param(builder) : NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;
    if (params == NULL || context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

/** What is asked: of RSA, or of a curve. */
typedef struct {
    const uint8_t *modulus;
    uint32_t exponent;
    otter_curve_t curve;
    const uint8_t *point, *signature, *digest;
    size_t digest_len;
} question_t;

static esp_err_t said(openssl_question_t *verify, const question_t *question)
{
    esp_err_t err = openssl_ask(verify, question);
    ERR_clear_error();
    return err;
}

/* ---- RSA ---- */

static EVP_PKEY *rsa_key(const uint8_t *modulus, uint32_t exponent)
{
    if (modulus[0] % 2 == 0 || exponent == 0) {
        return NULL; /* no key; and what OpenSSL says of 0 is that there is no memory */
    }
    BIGNUM *n = BN_lebin2bn(modulus, (int)OTTER_RSA_3072_LEN, NULL), *e = BN_new();
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (n != NULL && e != NULL && builder != NULL && BN_set_word(e, exponent) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        key = key_of("RSA", builder);
    } else {
        OSSL_PARAM_BLD_free(builder);
    }
    BN_free(n);
    BN_free(e);
    return key;
}

static bool verify_rsa(const void *question)
{
    const question_t *q = question;
    uint8_t big_endian[OTTER_RSA_3072_LEN];
    bytes_reverse(big_endian, q->signature, sizeof(big_endian));
    EVP_PKEY *key = rsa_key(q->modulus, q->exponent);
    EVP_PKEY_CTX *context = key != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
    bool good = context != NULL && EVP_PKEY_verify_init(context) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(context, SALT_LEN) == 1 &&
                EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
                EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1 &&
                EVP_PKEY_verify(context, big_endian, sizeof(big_endian), q->digest, OTTER_SHA256_LEN) == 1;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    return good;
}

esp_err_t otter_rsa_pss_verify(const uint8_t *modulus, uint32_t exponent, const uint8_t *signature,
                               const uint8_t digest[OTTER_SHA256_LEN])
{
    return said(
        verify_rsa,
        &(question_t){.modulus = modulus, .exponent = exponent, .signature = signature, .digest = digest});
}

/* ---- ECDSA ---- */

static const struct {
    const char *name;
    size_t len; /* bytes of a number */
} curves[] = {
    [OTTER_CURVE_P192] = {"P-192", 24},
    [OTTER_CURVE_P256] = {"P-256", 32},
    [OTTER_CURVE_P384] = {"P-384", 48},
};

static EVP_PKEY *ec_key(otter_curve_t curve, const uint8_t *point)
{
    const size_t len = curves[curve].len;
    uint8_t octets[1 + 2 * OTTER_CURVE_MAX] = {UNCOMPRESSED};
    bytes_reverse(octets + 1, point, len);
    bytes_reverse(octets + 1 + len, point + len, len);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (builder == NULL ||
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curves[curve].name, 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, octets, 1 + 2 * len) != 1) {
        OSSL_PARAM_BLD_free(builder);
        return NULL;
    }
    return key_of("EC", builder);
}

/** r and s as OpenSSL takes them. @return bytes of *der, which the caller frees; 0: no memory */
static size_t der_of(const uint8_t *signature, size_t len, uint8_t **der)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_lebin2bn(signature, (int)len, NULL), *s = BN_lebin2bn(signature + len, (int)len, NULL);
    if (pair == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(pair, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(pair);
        return 0;
    }
    int n = i2d_ECDSA_SIG(pair, der);
    ECDSA_SIG_free(pair);
    return n > 0 ? (size_t)n : 0;
}

static bool verify_ecdsa(const void *question)
{
    const question_t *q = question;
    uint8_t *der = NULL;
    size_t der_len = der_of(q->signature, curves[q->curve].len, &der);
    EVP_PKEY *key = der_len != 0 ? ec_key(q->curve, q->point) : NULL;
    EVP_PKEY_CTX *context = key != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
    bool good = context != NULL && EVP_PKEY_verify_init(context) == 1 &&
                EVP_PKEY_verify(context, der, der_len, q->digest, q->digest_len) == 1;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    OPENSSL_free(der);
    return good;
}

esp_err_t otter_ecdsa_verify(otter_curve_t curve, const uint8_t *point, const uint8_t *signature,
                             const uint8_t *digest, size_t digest_len)
{
    return said(verify_ecdsa, &(question_t){.curve = curve,
                                            .point = point,
                                            .signature = signature,
                                            .digest = digest,
                                            .digest_len = digest_len});
}
