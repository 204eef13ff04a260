/* CA certificates become OpenSSL stores. */
#include "linux/tls_trust.h"

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "esp_tls.h"

static pthread_mutex_t global_mutex = PTHREAD_MUTEX_INITIALIZER;
static X509_STORE *global_store;

static int add(X509_STORE *store, X509 *certificate)
{
    int ok = X509_STORE_add_cert(store, certificate);
    X509_free(certificate);
    return ok;
}

/* Whatever stands between certificates is a comment, as in CA files everywhere; a broken one is an error. */
static int add_pem(X509_STORE *store, const char *data, size_t len)
{
    BIO *bio = BIO_new_mem_buf(data, (int)len);
    if (bio == NULL) {
        return 0;
    }
    int count = 0;
    X509 *certificate;
    while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        if (!add(store, certificate)) {
            break;
        }
        count++;
    }
    bool at_end = certificate == NULL && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    BIO_free(bio);
    return at_end && count > 0;
}

static int add_der(X509_STORE *store, const char *data, size_t len)
{
    const unsigned char *p = (const unsigned char *)data;
    X509 *certificate = d2i_X509(NULL, &p, (long)len);
    ERR_clear_error();
    if (certificate == NULL) {
        return 0;
    }
    bool whole = p == (const unsigned char *)data + len;
    return add(store, certificate) && whole;
}

X509_STORE *tls_trust_parse(const char *data, size_t len)
{
    if (len == 0) {
        len = strlen(data);
    }
    size_t text_len = len;
    while (text_len > 0 && data[text_len - 1] == '\0') {
        text_len--; /* ESP-IDF's embedded texts count their terminator */
    }
    X509_STORE *store = len <= INT_MAX ? X509_STORE_new() : NULL;
    if (store == NULL) {
        return NULL;
    }
    bool is_der = len > 1 && (unsigned char)data[0] == 0x30; /* SEQUENCE; no PEM text begins with "0" */
    if (is_der ? !add_der(store, data, len) : !add_pem(store, data, text_len)) {
        X509_STORE_free(store);
        return NULL;
    }
    /* As on a device, what was given is trusted as it is: an intermediate CA or the server's own certificate too. */
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    return store;
}

X509_STORE *tls_trust_system(void)
{
    X509_STORE *store = X509_STORE_new();
    if (store != NULL && X509_STORE_set_default_paths(store) != 1) {
        X509_STORE_free(store);
        store = NULL;
    }
    ERR_clear_error();
    return store;
}

X509_STORE *tls_trust_global(void)
{
    pthread_mutex_lock(&global_mutex);
    X509_STORE *store = global_store;
    if (store != NULL) {
        X509_STORE_up_ref(store);
    }
    pthread_mutex_unlock(&global_mutex);
    return store;
}

static void set_global(X509_STORE *store)
{
    pthread_mutex_lock(&global_mutex);
    X509_STORE *old = global_store;
    global_store = store;
    pthread_mutex_unlock(&global_mutex);
    X509_STORE_free(old);
}

esp_err_t esp_tls_set_global_ca_store(const unsigned char *cacert_pem_buf,
                                      const unsigned int cacert_pem_bytes)
{
    if (cacert_pem_buf == NULL || cacert_pem_bytes == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    X509_STORE *store = tls_trust_parse((const char *)cacert_pem_buf, cacert_pem_bytes);
    if (store == NULL) {
        return ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED;
    }
    set_global(store);
    return ESP_OK;
}

void esp_tls_free_global_ca_store(void)
{
    set_global(NULL);
}
