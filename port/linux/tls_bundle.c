/* A certificate bundle of the program's own, in place of the machine's CA store. */
#include "linux/tls_bundle.h"

#include <pthread.h>
#include <stdbool.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "esp_crt_bundle.h"
#include "linux/tls_trust.h"

/*
 * ESP-IDF's bundle: a count, then for each CA the lengths of its name and of its key, then both as DER. Numbers are two bytes,
 * high byte first. There is no certificate in it, so one is made around each name and key: a trust anchor is believed
 * for what it names, its own signature is never looked at.
 */
#define COUNT_LEN 2u
#define ENTRY_LEN 4u

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static X509_STORE *bundle;

static size_t be16_at(const uint8_t *p)
{
    return (size_t)p[0] << 8 | p[1];
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

static bool add_entry(X509_STORE *store, EVP_PKEY *signer, const uint8_t *der, size_t name_len,
                      size_t key_len)
{
    const uint8_t *name_at = der, *key_at = der + name_len;
    X509_NAME *name = d2i_X509_NAME(NULL, &name_at, (long)name_len);
    EVP_PKEY *key = d2i_PUBKEY(NULL, &key_at, (long)key_len);
    bool ok = name != NULL && key != NULL && name_at == der + name_len &&
              key_at == der + name_len + key_len && add_anchor(store, name, key, signer);
    X509_NAME_free(name);
    EVP_PKEY_free(key);
    return ok;
}

static bool add_entries(X509_STORE *store, EVP_PKEY *signer, const uint8_t *data, size_t size)
{
    if (size < COUNT_LEN || be16_at(data) == 0) {
        return false;
    }
    size_t left = size - COUNT_LEN;
    const uint8_t *p = data + COUNT_LEN;
    for (size_t count = be16_at(data); count > 0; count--) {
        if (left < ENTRY_LEN) {
            return false;
        }
        size_t name_len = be16_at(p), key_len = be16_at(p + 2);
        p += ENTRY_LEN;
        left -= ENTRY_LEN;
        if (name_len > left || key_len > left - name_len || !add_entry(store, signer, p, name_len, key_len)) {
            return false;
        }
        p += name_len + key_len;
        left -= name_len + key_len;
    }
    return true;
}

static X509_STORE *parse_names_and_keys(const uint8_t *data, size_t size)
{
    X509_STORE *store = X509_STORE_new();
    EVP_PKEY *signer = EVP_EC_gen("P-256"); /* what it signs is never verified */
    bool ok = store != NULL && signer != NULL && add_entries(store, signer, data, size);
    EVP_PKEY_free(signer);
    ERR_clear_error();
    if (!ok) {
        X509_STORE_free(store);
        return NULL;
    }
    return store;
}

static void replace_bundle(X509_STORE *store)
{
    pthread_mutex_lock(&mutex);
    X509_STORE *old = bundle;
    bundle = store;
    pthread_mutex_unlock(&mutex);
    X509_STORE_free(old);
}

esp_err_t esp_crt_bundle_set(const uint8_t *x509_bundle, size_t bundle_size)
{
    if (x509_bundle == NULL || bundle_size == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    X509_STORE *store = tls_trust_parse((const char *)x509_bundle, bundle_size);
    if (store == NULL) {
        store = parse_names_and_keys(x509_bundle, bundle_size);
    }
    if (store == NULL) {
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

X509_STORE *tls_bundle_store(void)
{
    pthread_mutex_lock(&mutex);
    X509_STORE *store = bundle;
    if (store != NULL) {
        X509_STORE_up_ref(store);
    }
    pthread_mutex_unlock(&mutex);
    return store;
}
