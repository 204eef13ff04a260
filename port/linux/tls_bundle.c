/* A certificate bundle of the program's own, in place of the machine's CA store. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/tls_bundle.h"

#include <pthread.h>
#include <stdbool.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "otter/build_options.h"
#include "otter/bytes.h"
#include "esp_crt_bundle.h"
#include "esp_log.h"
#include "linux/openssl_answer.h"
#include "linux/openssl_start.h"
#include "linux/tls_trust.h"

/*
 * ESP-IDF's bundle is a list of CAs, an entry each: the lengths of its name and of its key, two bytes each, then both as DER.
 * To 5.3 a count of two bytes stands before the first entry, and numbers have their high byte first. From 5.4 on they have their
 * low byte first, and there is a table of the entries' offsets, four bytes each: the first offset is the table's length, and
 * each of the others is where the entry before it ends.
 *
 * There is no certificate in it, so one is made around each name and key: a trust anchor is believed for what it names, its
 * own signature is never looked at.
 */
#define COUNT_LEN  2u
#define OFFSET_LEN 4u
#define ENTRY_LEN  4u

static const char TAG[] = "esp-x509-crt-bundle";

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static X509_STORE *own_bundle;

typedef struct {
    const uint8_t *bytes;
    size_t size;
    unsigned good, broken; /* entries; one that cannot be read does not spoil the others */
    unsigned first_broken; /* 1-based */
    bool no_memory;
} bundle_t;

static uint16_t be16_get(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static bool set_life(X509 *anchor)
{
    return ASN1_TIME_set_string(X509_getm_notBefore(anchor), "19700101000000Z") == 1 &&
           ASN1_TIME_set_string(X509_getm_notAfter(anchor), "99991231235959Z") == 1;
}

static bool set_ca(X509 *anchor)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
    bool ok = extension != NULL && X509_add_ext(anchor, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static bool add_anchor(X509_STORE *store, X509_NAME *name, EVP_PKEY *key, EVP_PKEY *signer)
{
    X509 *anchor = X509_new();
    bool ok = anchor != NULL && X509_set_version(anchor, X509_VERSION_3) == 1 &&
              ASN1_INTEGER_set(X509_get_serialNumber(anchor), 1) == 1 &&
              X509_set_subject_name(anchor, name) == 1 && X509_set_issuer_name(anchor, name) == 1 &&
              X509_set_pubkey(anchor, key) == 1 && set_life(anchor) && set_ca(anchor) &&
              X509_sign(anchor, signer, EVP_sha256()) > 0 && X509_STORE_add_cert(store, anchor) == 1;
    X509_free(anchor);
    return ok;
}

typedef struct {
    X509_STORE *store;
    EVP_PKEY *signer;
    const uint8_t *der;
    size_t name_len, key_len;
} entry_t;

static bool add_entry(const void *question)
{
    const entry_t *e = question;
    const uint8_t *name_at = e->der, *key_at = e->der + e->name_len;
    X509_NAME *name = d2i_X509_NAME(NULL, &name_at, (long)e->name_len);
    EVP_PKEY *key = d2i_PUBKEY(NULL, &key_at, (long)e->key_len);
    bool ok = name != NULL && key != NULL && name_at == e->der + e->name_len &&
              key_at == e->der + e->name_len + e->key_len && add_anchor(e->store, name, key, e->signer);
    X509_NAME_free(name);
    EVP_PKEY_free(key);
    return ok;
}

/** The entry at *at, which moves behind it. */
static bool take_entry(X509_STORE *store, EVP_PKEY *signer, bundle_t *data, size_t *at,
                       uint16_t (*number)(const uint8_t *))
{
    if (*at > data->size || data->size - *at < ENTRY_LEN) {
        return false;
    }
    const uint8_t *entry = data->bytes + *at;
    size_t name_len = number(entry), key_len = number(entry + 2);
    size_t left = data->size - *at - ENTRY_LEN;
    if (name_len > left || key_len > left - name_len) {
        return false;
    }
    switch (openssl_ask(add_entry, &(entry_t){store, signer, entry + ENTRY_LEN, name_len, key_len})) {
    case ESP_OK:
        data->good++;
        break;
    case ESP_ERR_NO_MEM:
        data->no_memory = true;
        return false;
    default:
        data->first_broken = data->broken++ == 0 ? data->good + 1 : data->first_broken;
    }
    *at += ENTRY_LEN + name_len + key_len;
    return true;
}

static bool add_counted(X509_STORE *store, EVP_PKEY *signer, bundle_t *data)
{
    size_t at = COUNT_LEN, left = data->size >= COUNT_LEN ? be16_get(data->bytes) : 0;
    bool ok = left > 0;
    for (; ok && left > 0; left--) {
        ok = take_entry(store, signer, data, &at, be16_get);
    }
    return ok;
}

static bool add_listed(X509_STORE *store, EVP_PKEY *signer, bundle_t *data)
{
    size_t table_len = data->size >= OFFSET_LEN ? le32_get(data->bytes) : 0;
    bool ok = table_len > 0 && table_len % OFFSET_LEN == 0 && table_len < data->size;
    size_t at = table_len;
    for (size_t i = 0; ok && i < table_len; i += OFFSET_LEN) {
        ok = le32_get(data->bytes + i) == at && take_entry(store, signer, data, &at, le16_get);
    }
    return ok;
}

typedef bool (*layout_t)(X509_STORE *store, EVP_PKEY *signer, bundle_t *data);

/** @return NULL: this is no such bundle, or *err is ESP_ERR_NO_MEM */
static X509_STORE *parse_names_and_keys(const uint8_t *bytes, size_t size, layout_t layout, esp_err_t *err)
{
    bundle_t data = {.bytes = bytes, .size = size};
    openssl_start();
    X509_STORE *store = X509_STORE_new();
    EVP_PKEY *signer = EVP_EC_gen("P-256"); /* what it signs is never verified */
    data.no_memory = store == NULL || signer == NULL;
    bool ok = !data.no_memory && layout(store, signer, &data) && data.good > 0;
    EVP_PKEY_free(signer);
    *err = data.no_memory ? ESP_ERR_NO_MEM : ESP_OK;
    ERR_clear_error();
    if (ok && data.broken > 0) {
        ESP_LOGW(TAG, "entry %u of the bundle cannot be read (%u of %u)", data.first_broken, data.broken,
                 data.good + data.broken);
    }
    if (!ok) {
        X509_STORE_free(store);
        return NULL;
    }
    return store;
}

static void replace_bundle(X509_STORE *store)
{
    pthread_mutex_lock(&mutex);
    X509_STORE *old = own_bundle;
    own_bundle = store;
    pthread_mutex_unlock(&mutex);
    X509_STORE_free(old);
}

esp_err_t esp_crt_bundle_set(const uint8_t *x509_bundle, size_t bundle_size)
{
    if (x509_bundle == NULL || bundle_size == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    otter_fault_t fault = {0};
    X509_STORE *store = parse_names_and_keys(x509_bundle, bundle_size, add_listed, &fault.code);
    if (store == NULL && fault.code == ESP_OK) {
        store = parse_names_and_keys(x509_bundle, bundle_size, add_counted, &fault.code);
    }
    if (store == NULL && fault.code == ESP_OK) {
        store = tls_trust_parse((const char *)x509_bundle, bundle_size, &fault);
    }
    if (store == NULL && fault.code == ESP_ERR_NO_MEM) {
        ESP_LOGE(TAG, "out of memory for the bundle");
        return ESP_ERR_NO_MEM;
    }
    if (store == NULL) {
        ESP_LOGE(TAG, "no bundle of ESP-IDF; and as certificates: %s", fault.why);
        return ESP_ERR_INVALID_ARG;
    }
    replace_bundle(store);
    return ESP_OK;
}

void esp_crt_bundle_detach(void *conf)
{
    (void)conf;
    replace_bundle(NULL);
}

/** The certificates of the program's build options, beside the machine's own unless these are not wanted. */
static X509_STORE *bundle_of_options(void)
{
    otter_fault_t fault;
    X509_STORE *own = tls_trust_parse(otter_build_options.bundle_certificates, 0, &fault);
    X509_STORE *store = otter_build_options.bundle_without_default ? own : tls_trust_system();
    if (own == NULL) {
        ESP_LOGE(TAG, "CONFIG_MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE: %s", fault.why);
    }
    if (own == NULL || store == NULL || store == own) {
        return store != NULL ? store : own;
    }
    const STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(own);
    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509 *certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
        if (certificate != NULL && X509_STORE_add_cert(store, certificate) != 1) {
            ESP_LOGE(TAG, "out of memory: a certificate of the project is left out");
        }
    }
    X509_STORE_free(own);
    return store;
}

X509_STORE *tls_bundle_store(void)
{
    pthread_mutex_lock(&mutex);
    if (own_bundle == NULL && otter_build_options.bundle_certificates != NULL) {
        own_bundle = bundle_of_options();
    }
    X509_STORE *store = own_bundle;
    if (store != NULL) {
        X509_STORE_up_ref(store);
    }
    pthread_mutex_unlock(&mutex);
    return store;
}
