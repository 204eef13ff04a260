/* Keys and signatures through OpenSSL 3. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/signing_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "otter/bytes.h"
#include "linux/named_key.h"
#include "linux/openssl_answer.h"
#include "linux/openssl_start.h"
#include "otter/signature.h"

#define SALT_LEN      32
#define SIGNATURE_MAX 512
#define MONTGOMERY    6144 /* R of the hardware: 2 to this power, modulo n */

struct signing_key {
    EVP_PKEY *key;
    EVP_PKEY *public; /* the public part, where `key` is an engine's, which tells less */
    otter_signature_scheme_t scheme;
};

static const struct kind {
    const char *group; /* of its curve; NULL: RSA */
    int number_len;    /* bytes of a coordinate; of a modulus */
} kinds[] = {
    [OTTER_SIGNED_RSA_3072] = {NULL, (int)OTTER_RSA_3072_LEN},
    [OTTER_SIGNED_ECDSA_P192] = {"prime192v1", 24},
    [OTTER_SIGNED_ECDSA_P256] = {"prime256v1", 32},
    [OTTER_SIGNED_ECDSA_P384] = {"secp384r1", 48},
};

static bool refuse_by_openssl(esp_err_t err, otter_fault_t *fault, const char *what)
{
    char text[160] = "";
    unsigned long error = ERR_peek_last_error();
    if (error != 0) {
        ERR_error_string_n(error, text, sizeof(text));
    }
    ERR_clear_error();
    if (err == ESP_ERR_NO_MEM) {
        (void)otter_fault(fault, err, "out of memory");
    } else {
        (void)otter_fault(fault, err, "%s%s%s", what, text[0] != '\0' ? ": " : "", text);
    }
    return false;
}

/** What OpenSSL can do, or why not. */
static bool must(openssl_question_t *ask, const void *question, otter_fault_t *fault, const char *what)
{
    esp_err_t err = openssl_ask(ask, question);
    return err == ESP_OK || refuse_by_openssl(err, fault, what);
}

void signing_wipe(void *secret, size_t len)
{
    OPENSSL_cleanse(secret, len);
}

/* ---- loading ---- */

static otter_signature_scheme_t scheme_of(EVP_PKEY *key)
{
    char group[32];
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) == 8 * (int)OTTER_RSA_3072_LEN) {
        return OTTER_SIGNED_RSA_3072;
    }
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC ||
        EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1) {
        return OTTER_SIGNED_NOT;
    }
    for (otter_signature_scheme_t i = OTTER_SIGNED_ECDSA_P192; i <= OTTER_SIGNED_ECDSA_P384; i++) {
        if (strcmp(group, kinds[i].group) == 0) {
            return i;
        }
    }
    return OTTER_SIGNED_NOT;
}

/** "an RSA key with 2048 bits", "an EC key on secp521r1". */
static void describe(EVP_PKEY *key, char *text, size_t size)
{
    char group[32] = "an unknown curve";
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
        (void)EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
        snprintf(text, size, "an EC key on %s", group);
    } else {
        const char *type = EVP_PKEY_get0_type_name(key);
        snprintf(text, size, "a key of type %s with %d bits", type != NULL ? type : "?",
                 EVP_PKEY_get_bits(key));
    }
}

/** A key of OpenSSL's own, with a count of its own. */
static EVP_PKEY *public_part(EVP_PKEY *key)
{
    unsigned char *der = NULL;
    if (EVP_PKEY_get0_provider(key) != NULL) {
        return EVP_PKEY_up_ref(key) == 1 ? key : NULL;
    }
    int len = i2d_PUBKEY(key, &der);
    const unsigned char *p = der;
    EVP_PKEY *public = len > 0 ? d2i_PUBKEY(NULL, &p, len) : NULL;
    OPENSSL_free(der);
    return public;
}

/** Finds out which kind a key is. */
static bool examine(const void *question)
{
    signing_key_t *wrapped = *(signing_key_t *const *)question;
    EVP_PKEY_free(wrapped->public);
    wrapped->public = public_part(wrapped->key);
    wrapped->scheme = wrapped->public != NULL ? scheme_of(wrapped->public) : OTTER_SIGNED_NOT;
    return wrapped->scheme != OTTER_SIGNED_NOT;
}

static signing_key_t *wrap(EVP_PKEY *key, otter_fault_t *fault)
{
    signing_key_t *wrapped = calloc(1, sizeof(*wrapped));
    if (wrapped != NULL) {
        wrapped->key = key;
    } else {
        EVP_PKEY_free(key);
    }
    esp_err_t err = wrapped != NULL ? openssl_ask(examine, &wrapped) : ESP_ERR_NO_MEM;
    ERR_clear_error();
    if (err == ESP_OK) {
        return wrapped;
    }
    if (err == ESP_ERR_NO_MEM) {
        (void)otter_fault(fault, err, "out of memory");
    } else {
        char what[80];
        describe(wrapped->public != NULL ? wrapped->public : key, what, sizeof(what));
        (void)otter_fault(
            fault, ESP_ERR_NOT_SUPPORTED,
            "this is %s; images are signed with RSA of 3072 bits or ECDSA on P-256 or P-384 (verified on "
            "P-192, too)",
            what);
    }
    signing_key_free(wrapped);
    return NULL;
}

signing_key_t *signing_key_load(const char *name, bool private_part, const char *passphrase_file,
                                otter_fault_t *fault)
{
    EVP_PKEY *key = named_key_load(name, private_part, passphrase_file, fault);
    return key != NULL ? wrap(key, fault) : NULL;
}

void signing_key_free(signing_key_t *key)
{
    if (key != NULL) {
        EVP_PKEY_free(key->public);
        EVP_PKEY_free(key->key);
        free(key);
    }
}

signing_key_t *signing_key_new(otter_signature_scheme_t scheme, otter_fault_t *fault)
{
    const struct kind *kind = &kinds[scheme];
    EVP_PKEY *key = kind->group != NULL
                        ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind->group)
                        : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)8 * OTTER_RSA_3072_LEN);
    openssl_wipe_stack();
    if (key == NULL) {
        (void)refuse_by_openssl(openssl_refusal(), fault, "OpenSSL makes no key");
        return NULL;
    }
    return wrap(key, fault);
}

otter_signature_scheme_t signing_key_scheme(const signing_key_t *key)
{
    return key->scheme;
}

typedef struct {
    const signing_key_t *key;
    bool private_part;
    char *secret; /* NULL: it is not encrypted */
    int secret_len;
    char **text;
    size_t *len;
} pem_t;

static bool write_pem(const void *question)
{
    const pem_t *p = question;
    BIO *out = BIO_new(BIO_s_secmem());
    const EVP_CIPHER *cipher = p->secret != NULL ? EVP_aes_256_cbc() : NULL;
    bool ok =
        out != NULL && (p->private_part ? PEM_write_bio_PKCS8PrivateKey(out, p->key->key, cipher, p->secret,
                                                                        p->secret_len, NULL, NULL) == 1
                                        : PEM_write_bio_PUBKEY(out, p->key->public) == 1);
    char *bytes;
    long n = ok ? BIO_get_mem_data(out, &bytes) : 0;
    if (n > 0) {
        *p->text = strndup(bytes, (size_t)n);
        *p->len = (size_t)n;
    }
    BIO_free(out);
    return *p->text != NULL;
}

char *signing_key_pem(const signing_key_t *key, bool private_part, const char *passphrase_file, size_t *len,
                      otter_fault_t *fault)
{
    char secret[NAMED_KEY_PASSPHRASE_MAX];
    int secret_len =
        passphrase_file != NULL ? named_key_passphrase(passphrase_file, secret, sizeof(secret), fault) : 0;
    if (secret_len < 0) {
        return NULL;
    }
    pem_t pem = {.key = key, .private_part = private_part, .secret_len = secret_len, .len = len};
    char *text = NULL;
    pem.secret = passphrase_file != NULL ? secret : NULL;
    pem.text = &text;
    bool ok = must(write_pem, &pem, fault, "the key cannot be written as PEM");
    signing_wipe(secret, sizeof(secret));
    openssl_wipe_stack();
    return ok ? text : NULL;
}

/* ---- the public part, as a block has it ---- */

static bool put_rsa(const signing_key_t *key, uint8_t *to)
{
    const int len = (int)OTTER_RSA_3072_LEN;
    BIGNUM *n = NULL, *e = NULL, *r = BN_new(), *inverse = BN_new(), *word = BN_new();
    BN_CTX *context = BN_CTX_new();
    bool ok = r != NULL && inverse != NULL && word != NULL && context != NULL &&
              EVP_PKEY_get_bn_param(key->public, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
              EVP_PKEY_get_bn_param(key->public, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_num_bits(e) <= 32 &&
              BN_set_bit(r, MONTGOMERY) == 1 && BN_mod(r, r, n, context) == 1 && BN_set_bit(word, 32) == 1 &&
              BN_mod_inverse(inverse, n, word, context) != NULL;
    if (ok) {
        ok = BN_bn2lebinpad(n, to + OTTER_RSA_KEY_N, len) == len &&
             BN_bn2lebinpad(r, to + OTTER_RSA_KEY_R, len) == len;
        le32_put(to + OTTER_RSA_KEY_E, (uint32_t)BN_get_word(e));
        le32_put(to + OTTER_RSA_KEY_MDASH, 0u - (uint32_t)BN_get_word(inverse));
    }
    BN_CTX_free(context);
    BN_free(n);
    BN_free(e);
    BN_free(r);
    BN_free(inverse);
    BN_free(word);
    return ok;
}

/** X, then Y. @param little  little endian; else big endian */
static bool put_point(const signing_key_t *key, bool little, uint8_t *to)
{
    const int len = kinds[key->scheme].number_len;
    int (*put)(const BIGNUM *, unsigned char *, int) = little ? BN_bn2lebinpad : BN_bn2binpad;
    BIGNUM *x = NULL, *y = NULL;
    bool ok = EVP_PKEY_get_bn_param(key->public, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
              EVP_PKEY_get_bn_param(key->public, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1 &&
              put(x, to, len) == len && put(y, to + len, len) == len;
    BN_free(x);
    BN_free(y);
    return ok;
}

typedef struct {
    const signing_key_t *key;
    bool little; /* of a point */
    uint8_t *to;
} public_t;

static bool put_public(const void *question)
{
    const public_t *p = question;
    return p->key->scheme == OTTER_SIGNED_RSA_3072 ? put_rsa(p->key, p->to)
                                                   : put_point(p->key, p->little, p->to);
}

static bool must_put(const signing_key_t *key, bool little, uint8_t *to, otter_fault_t *fault)
{
    return must(put_public, &(public_t){key, little, to}, fault, "the public key cannot be read");
}

/** A block without its hash, signature and CRC. */
static bool begin_block(const signing_key_t *key, uint8_t *block, otter_fault_t *fault)
{
    const otter_signature_layout_t *at = otter_signature_layout(key->scheme);
    uint8_t *to = block + at->key;
    memset(block, 0, OTTER_SIGNATURE_BLOCK);
    block[0] = OTTER_SIGNATURE_MAGIC;
    block[1] = at->version;
    block[2] = at->hash_kind;
    to[0] = at->curve;
    return must_put(key, true, at->curve == 0 ? to : to + 1, fault);
}

bool signing_key_digest(const signing_key_t *key, uint8_t digest[OTTER_KEY_DIGEST_LEN], otter_fault_t *fault)
{
    const otter_signature_layout_t *at = otter_signature_layout(key->scheme);
    uint8_t block[OTTER_SIGNATURE_BLOCK];
    return begin_block(key, block, fault) && (EVP_Digest(block + at->key, (size_t)at->signature - at->key,
                                                         digest, NULL, EVP_sha256(), NULL) == 1 ||
                                              refuse_by_openssl(openssl_refusal(), fault, "SHA-256"));
}

bool signing_key_v1(const signing_key_t *key, uint8_t point[OTTER_V1_KEY_LEN], otter_fault_t *fault)
{
    if (key->scheme != OTTER_SIGNED_ECDSA_P256) {
        (void)otter_fault(fault, ESP_ERR_NOT_SUPPORTED,
                          "this is a key for %s; ESP32's first scheme needs P-256",
                          otter_signature_scheme_name(key->scheme));
        return false;
    }
    return must_put(key, false, point, fault);
}

/* ---- signatures ---- */

typedef struct {
    const signing_key_t *key;
    const uint8_t *hash;
    size_t hash_len;
    uint8_t *out;
    size_t *len;
} signing_t;

static bool sign_hash(const void *question)
{
    const signing_t *q = question;
    EVP_PKEY *key = openssl_key_to_ask(q->key->key);
    EVP_PKEY_CTX *context = key != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
    bool rsa = q->key->scheme == OTTER_SIGNED_RSA_3072;
    *q->len = SIGNATURE_MAX;
    bool ok = context != NULL && EVP_PKEY_sign_init(context) == 1 &&
              (!rsa || (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
                        EVP_PKEY_CTX_set_rsa_pss_saltlen(context, SALT_LEN) == 1 &&
                        EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1)) &&
              EVP_PKEY_CTX_set_signature_md(context, q->hash_len == OTTER_SHA384_LEN ? EVP_sha384()
                                                                                     : EVP_sha256()) == 1 &&
              EVP_PKEY_sign(context, q->out, q->len, q->hash, q->hash_len) == 1;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    return ok;
}

static size_t sign(const signing_key_t *key, const uint8_t *hash, size_t hash_len, uint8_t out[SIGNATURE_MAX],
                   otter_fault_t *fault)
{
    size_t len;
    const signing_t question = {key, hash, hash_len, out, &len};
    bool in_card = EVP_PKEY_get0_provider(key->key) == NULL; /* which may ask its owner each time */
    bool ok = in_card ? sign_hash(&question) ||
                            refuse_by_openssl(openssl_refusal(), fault, "the card does not sign")
                      : must(sign_hash, &question, fault, "OpenSSL does not sign");
    openssl_wipe_stack();
    return ok ? len : 0;
}

/** r, then s, of a signature that is DER, or these two already. @return false: it is neither */
static bool numbers_of(const uint8_t *signature, size_t len, int number_len, bool little, uint8_t *to)
{
    int (*put)(const BIGNUM *, unsigned char *, int) = little ? BN_bn2lebinpad : BN_bn2binpad;
    const unsigned char *p = signature;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &p, (long)len);
    if (pair != NULL && p == signature + len) {
        bool ok = put(ECDSA_SIG_get0_r(pair), to, number_len) == number_len &&
                  put(ECDSA_SIG_get0_s(pair), to + number_len, number_len) == number_len;
        ECDSA_SIG_free(pair);
        return ok;
    }
    ECDSA_SIG_free(pair);
    if (len != 2 * (size_t)number_len) {
        return false;
    }
    memcpy(to, signature, len);
    if (little) {
        bytes_reverse(to, signature, (size_t)number_len);
        bytes_reverse(to + number_len, signature + number_len, (size_t)number_len);
    }
    return true;
}

bool signing_take_block(const signing_key_t *key, const uint8_t *hash, const uint8_t *signature, size_t len,
                        uint8_t *block, otter_fault_t *fault)
{
    const struct kind *kind = &kinds[key->scheme];
    if (!begin_block(key, block, fault)) {
        return false;
    }
    memcpy(block + OTTER_SIGNATURE_AT_HASH, hash, otter_signature_hash_len(key->scheme));
    uint8_t *to = block + otter_signature_layout(key->scheme)->signature;
    bool ok;
    if (kind->group == NULL) {
        ok = len == OTTER_RSA_3072_LEN;
        if (ok) {
            bytes_reverse(to, signature, len);
        }
    } else {
        ok = numbers_of(signature, len, kind->number_len, true, to);
    }
    if (!ok) {
        (void)otter_fault(fault, ESP_ERR_INVALID_ARG, "%zu bytes are no signature of %s", len,
                          otter_signature_scheme_name(key->scheme));
        return false;
    }
    le32_put(block + OTTER_SIGNATURE_AT_CRC, crc32_le(0, block, OTTER_SIGNATURE_AT_CRC));
    otter_signature_block_t read;
    return otter_signature_block_read(block, &read, fault) == ESP_OK &&
           otter_signature_block_verify(block, &read, hash, fault) == ESP_OK;
}

bool signing_make_block(const signing_key_t *key, const uint8_t *hash, uint8_t *block, otter_fault_t *fault)
{
    uint8_t signature[SIGNATURE_MAX];
    size_t len = sign(key, hash, otter_signature_hash_len(key->scheme), signature, fault);
    return len != 0 && signing_take_block(key, hash, signature, len, block, fault);
}

bool signing_make_v1(const signing_key_t *key, const uint8_t digest[32], uint8_t *signature,
                     otter_fault_t *fault)
{
    uint8_t point[OTTER_V1_KEY_LEN], der[SIGNATURE_MAX];
    if (!signing_key_v1(key, point, fault)) {
        return false;
    }
    size_t len = sign(key, digest, OTTER_SHA256_LEN, der, fault);
    if (len == 0) {
        return false;
    }
    memset(signature, 0, OTTER_SIGNATURE_V1_SIZE);
    (void)numbers_of(der, len, 32, false, signature + 4);
    return otter_signature_v1_verify(signature, point, digest, fault) == ESP_OK;
}
