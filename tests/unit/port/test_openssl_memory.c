/* Memory that ends inside OpenSSL is told as that, and never as a bad signature, another key or a broken certificate. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "esp_crt_bundle.h"
#include "linux/image_key.h"
#include "linux/signing_key.h"
#include "linux/tls_trust.h"
#include "otter/crypto.h"
#include "otter/encrypted_image.h"
#include "otter/signature.h"
#include "support/long_run.h"

#define AT_BLOCK    4096u /* in the signed images */
#define FILE_MAX    65536u
#define STEP_MAX    150u /* allocations that fail in CI, about; of more a sample does */
#define STEP_DAY    30u
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* ---- memory that ends ---- */

static struct {
    unsigned long count; /* of allocations */
    unsigned long fails; /* the number of the first that fails; 0: none */
    bool for_good;       /* and all after it */
} memory;

static bool may(void)
{
    memory.count++;
    return memory.fails == 0 ||
           (memory.for_good ? memory.count < memory.fails : memory.count != memory.fails);
}

static void *take(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return may() ? malloc(size) : NULL;
}

static void *take_more(void *old, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return may() ? realloc(old, size) : NULL;
}

static void give_back(void *old, const char *file, int line)
{
    (void)file, (void)line;
    free(old);
}

/* ---- what is asked ---- */

typedef struct {
    uint8_t bytes[FILE_MAX];
    size_t len;
} file_t;

static void load(const char *name, file_t *file)
{
    char path[512];
    snprintf(path, sizeof(path), TEST_VECTORS "/%s", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    file->len = fread(file->bytes, 1, FILE_MAX, f);
    fclose(f);
}

static file_t one;     /* that a question is about */
static char path[512]; /* of it */
static otter_image_key_t *rsa, *p256;

static void take_file(const char *name)
{
    load(name, &one);
    snprintf(path, sizeof(path), TEST_VECTORS "/%s", name);
}

static void take_block(const char *name)
{
    take_file(name);
    memmove(one.bytes, one.bytes + AT_BLOCK, OTTER_SIGNATURE_BLOCK);
}

static esp_err_t ask_signature(otter_fault_t *fault)
{
    otter_signature_block_t block;
    esp_err_t err = otter_signature_block_read(one.bytes, &block, fault);
    return err == ESP_OK ? otter_signature_block_verify(one.bytes, &block, block.hash, fault) : err;
}

static esp_err_t ask_header(const otter_image_key_t *key, otter_fault_t *fault)
{
    uint8_t aes[OTTER_AES_256_LEN];
    otter_encrypted_header_t header;
    assert_true(otter_encrypted_header_read(one.bytes, &header));
    return otter_encrypted_key(key, &header, aes, fault);
}

static esp_err_t ask_rsa(otter_fault_t *fault)
{
    return ask_header(rsa, fault);
}

static esp_err_t ask_p256(otter_fault_t *fault)
{
    return ask_header(p256, fault);
}

/** A whole image, and its tag. */
static esp_err_t ask_decryption(otter_fault_t *fault)
{
    static uint8_t out[FILE_MAX];
    otter_decryption_t d = {.key = p256};
    esp_err_t err = ESP_OK;
    for (size_t at = 0; at < one.len && err == ESP_OK;) {
        otter_decryption_flow_t flow = {
            .in = one.bytes + at, .len = one.len - at, .out = out, .room = sizeof(out)};
        err = otter_decryption_feed(&d, &flow, fault);
        at += flow.used;
    }
    err = err == ESP_OK ? otter_decryption_check(&d, fault) : err;
    otter_decryption_restart(&d);
    return err;
}

static esp_err_t code_of(const void *made, const otter_fault_t *fault)
{
    return made != NULL ? ESP_OK : fault->code;
}

static esp_err_t ask_text(otter_fault_t *fault)
{
    otter_image_key_t *key = otter_image_key_new(one.bytes, one.len, fault);
    esp_err_t err = code_of(key, fault);
    otter_image_key_free(key);
    return err;
}

static esp_err_t ask_hmac(otter_fault_t *fault)
{
    otter_image_key_t *key = otter_image_key_of_hmac(one.bytes, fault);
    esp_err_t err = code_of(key, fault);
    otter_image_key_free(key);
    return err;
}

static esp_err_t ask_named(otter_fault_t *fault)
{
    otter_image_key_t *key = image_key_load(path, NULL, fault);
    esp_err_t err = code_of(key, fault);
    otter_image_key_free(key);
    return err;
}

static esp_err_t ask_seal(otter_fault_t *fault)
{
    uint8_t area[OTTER_RSA_3072_LEN], aes[OTTER_AES_256_LEN];
    return image_key_seal(path, NULL, area, aes, fault) ? ESP_OK : fault->code;
}

static esp_err_t ask_public(otter_fault_t *fault)
{
    uint8_t *der = NULL;
    size_t len = otter_image_key_public(rsa, &der);
    (void)fault;
    free(der);
    return len != 0 ? ESP_OK : ESP_ERR_NO_MEM;
}

/** A key that signs, its digest and its public part. */
static esp_err_t ask_signing(otter_fault_t *fault)
{
    static const uint8_t hash[OTTER_SHA384_LEN];
    uint8_t block[OTTER_SIGNATURE_BLOCK], digest[OTTER_KEY_DIGEST_LEN];
    size_t len;
    signing_key_t *key = signing_key_load(path, true, NULL, fault);
    char *pem = key != NULL ? signing_key_pem(key, true, NULL, &len, fault) : NULL;
    bool ok =
        pem != NULL && signing_key_digest(key, digest, fault) && signing_make_block(key, hash, block, fault);
    free(pem);
    signing_key_free(key);
    return ok ? ESP_OK : fault->code;
}

static esp_err_t ask_certificates(otter_fault_t *fault)
{
    X509_STORE *store = tls_trust_parse((const char *)one.bytes, one.len, fault);
    X509_STORE_free(store);
    return fault->code;
}

static esp_err_t ask_bundle(otter_fault_t *fault)
{
    (void)fault;
    return esp_crt_bundle_set(one.bytes, one.len);
}

/* ---- what else it is about ---- */

static X509 *certificate(EVP_PKEY *key)
{
    X509 *made = X509_new();
    assert_true(made != NULL && X509_set_pubkey(made, key) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(made), 0) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(made), 3600) != NULL &&
                X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                                           (const uint8_t *)"here", -1, -1, 0) == 1 &&
                X509_set_issuer_name(made, X509_get_subject_name(made)) == 1 &&
                X509_sign(made, key, EVP_sha256()) > 0);
    return made;
}

static void take_certificates(const char *form)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *made = certificate(key);
    uint8_t *at = one.bytes;
    if (strcmp(form, "PEM") == 0) {
        BIO *text = BIO_new(BIO_s_mem());
        assert_true(PEM_write_bio_X509(text, made) == 1 && PEM_write_bio_X509(text, made) == 1);
        one.len = (size_t)BIO_read(text, one.bytes, FILE_MAX);
        BIO_free(text);
    } else if (strcmp(form, "DER") == 0) {
        one.len = (size_t)i2d_X509(made, &at);
    } else {
        const int name_len = i2d_X509_NAME(X509_get_subject_name(made), NULL),
                  key_len = i2d_PUBKEY(key, NULL);
        const uint8_t head[] = {
            0, 1, 0, (uint8_t)name_len, 0, (uint8_t)key_len}; /* one entry, and its lengths */
        memcpy(at, head, sizeof(head));
        at += sizeof(head);
        assert_int_equal(i2d_X509_NAME(X509_get_subject_name(made), &at), name_len);
        assert_int_equal(i2d_PUBKEY(key, &at), key_len);
        one.len = (size_t)(at - one.bytes);
    }
    X509_free(made);
    EVP_PKEY_free(key);
}

static void take_spoiled_certificate(const char *form)
{
    take_certificates(form);
    one.bytes[one.len / 2] = (uint8_t)~one.bytes[one.len / 2]; /* a byte that Base64 has not */
}

/** A header whose point is on no curve, or whose box has been opened by nobody. */
static void take_spoiled_header(const char *name)
{
    take_file(name);
    one.bytes[10] ^= 1;
}

/* ---- the questions ---- */

static const struct question {
    const char *name;
    esp_err_t (*ask)(otter_fault_t *fault);
    void (*take)(const char *name);
    const char *about;
    esp_err_t right;
    /* Allocations that fail, at the end; 0: all. OpenSSL's stores, which find a key, crash without memory. */
    unsigned long last;
} questions[] = {
    {"RSA", ask_signature, take_block, "signed/rsa_a.bin", ESP_OK, 0},
    {"P-192", ask_signature, take_block, "signed/ec192_c2.bin", ESP_OK, 0},
    {"P-256", ask_signature, take_block, "signed/ec256_c2.bin", ESP_OK, 0},
    {"P-384", ask_signature, take_block, "signed/ec384_c5.bin", ESP_OK, 0},
    {"a bad signature of RSA", ask_signature, take_block, "signed/rsa_a_sig_bad.bin", ESP_ERR_IMAGE_INVALID,
     0},
    {"a bad signature on P-256", ask_signature, take_block, "signed/ec256_c2_sig_bad.bin",
     ESP_ERR_IMAGE_INVALID, 0},
    {"the key of an image, RSA", ask_rsa, take_file, "encimg/rsa_ok.bin", ESP_OK, 0},
    {"another key, RSA", ask_rsa, take_spoiled_header, "encimg/rsa_ok.bin", ESP_ERR_OTA_VALIDATE_FAILED, 0},
    {"the key of an image, ECIES", ask_p256, take_file, "encimg/ecies_ok.bin", ESP_OK, 0},
    {"another key, ECIES", ask_p256, take_spoiled_header, "encimg/ecies_ok.bin", ESP_ERR_OTA_VALIDATE_FAILED,
     0},
    {"an image", ask_decryption, take_file, "encimg/ecies_ok.bin", ESP_OK, 0},
    {"an image whose tag is another", ask_decryption, take_file, "encimg/ecies_bad_tag.bin",
     ESP_ERR_OTA_VALIDATE_FAILED, 0},
    {"a private key, RSA", ask_text, take_file, "encimg/keys/rsa_priv.pem", ESP_OK, 0},
    {"a private key on P-256", ask_text, take_file, "encimg/keys/ecies_device_priv.pem", ESP_OK, 0},
    {"a key on P-384", ask_text, take_file, "signed/keys/ec384.pem", ESP_ERR_NOT_SUPPORTED, 0},
    {"no private key", ask_text, take_file, "encimg/keys/rsa_pub.pem", ESP_ERR_INVALID_ARG, 0},
    {"the public part", ask_public, take_file, "encimg/rsa_ok.bin", ESP_OK, 0},
    {"an HMAC key", ask_hmac, take_file, "encimg/keys/ecies_hmac_key.bin", ESP_OK, 0},
    {"an HMAC key's file", ask_named, take_file, "encimg/keys/ecies_hmac_key.bin", ESP_OK, 0},
    {"sealing, RSA", ask_seal, take_file, "encimg/keys/rsa_pub.pem", ESP_OK, 150},
    {"sealing, ECIES", ask_seal, take_file, "encimg/keys/ecies_device_pub.pem", ESP_OK, 150},
    {"signing, RSA", ask_signing, take_file, "signed/keys/rsa_b.pem", ESP_OK, 150},
    {"signing, P-256", ask_signing, take_file, "signed/keys/ec256.pem", ESP_OK, 150},
    {"signing, P-384", ask_signing, take_file, "signed/keys/ec384.pem", ESP_OK, 150},
    {"certificates, PEM", ask_certificates, take_certificates, "PEM", ESP_OK, 0},
    {"a certificate, DER", ask_certificates, take_certificates, "DER", ESP_OK, 0},
    {"a broken certificate, PEM", ask_certificates, take_spoiled_certificate, "PEM",
     ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED, 0},
    {"a bundle", ask_bundle, take_certificates, "bundle", ESP_OK, 0},
};

/* ---- every allocation fails ---- */

/** Asks with this much memory. @return how many allocations it made */
static unsigned long ask_with(const struct question *q, unsigned long fails, bool for_good,
                              otter_fault_t *fault, esp_err_t *err)
{
    *fault = (otter_fault_t){0};
    memory.count = 0;
    memory.fails = fails;
    memory.for_good = for_good;
    *err = q->ask(fault);
    memory.fails = 0;
    ERR_clear_error();
    return memory.count;
}

static void check(const struct question *q)
{
    esp_err_t err;
    otter_fault_t fault;
    q->take(q->about);
    (void)ask_with(q, 0, false, &fault, &err); /* what OpenSSL makes once and keeps */
    const unsigned long all = ask_with(q, 0, false, &fault, &err);
    if (err != q->right || all < 5) {
        fail_msg("%s: %s (%s), %lu allocations", q->name, esp_err_to_name(err), fault.why, all);
    }
    const unsigned long first = q->last != 0 && q->last < all ? all - q->last : 1;
    const unsigned long some = full_run_wanted() ? STEP_MAX : STEP_DAY,
                        step = all - first < some ? 1 : (all - first) / some;
    for (unsigned long at = first; at <= all; at += step) {
        for (int for_good = 0; for_good < 2; for_good++) {
            (void)ask_with(q, at, for_good != 0, &fault, &err);
            if (err != q->right && err != ESP_ERR_NO_MEM) {
                fail_msg("%s: allocation %lu of %lu failed%s: %s (%s)", q->name, at, all,
                         for_good != 0 ? ", and all after it" : "", esp_err_to_name(err), fault.why);
            }
        }
    }
    (void)ask_with(q, 0, false, &fault, &err); /* nothing is left of it */
    assert_int_equal(err, q->right);
}

static void want_of_memory_is_no_answer(void **state)
{
    (void)state;
    otter_fault_t fault = {0};
    take_file("encimg/keys/rsa_priv.pem");
    rsa = otter_image_key_new(one.bytes, one.len, &fault);
    take_file("encimg/keys/ecies_device_priv.pem");
    p256 = otter_image_key_new(one.bytes, one.len, &fault);
    assert_true(rsa != NULL && p256 != NULL);
    for (size_t i = 0; i < COUNT(questions); i++) {
        check(&questions[i]);
    }
    esp_crt_bundle_detach(NULL);
    otter_image_key_free(rsa);
    otter_image_key_free(p256);
}

int main(void)
{
    if (CRYPTO_set_mem_functions(take, take_more, give_back) != 1) {
        return EXIT_FAILURE; /* OpenSSL has begun already */
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(want_of_memory_is_no_answer),
    };
    return cmocka_run_group_tests_name("openssl_memory", tests, NULL, NULL);
}
