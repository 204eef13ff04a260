/* CA certificates become OpenSSL stores. */
#include "linux/tls_trust.h"

#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "esp_log.h"
#include "esp_tls.h"

static pthread_mutex_t global_mutex = PTHREAD_MUTEX_INITIALIZER;
static X509_STORE *global_store;

/* What is read, and where it is: an error names the certificate that causes it. */
typedef struct {
    const char *data;
    size_t len;
    unsigned count; /* of certificates read */
    char *why;
    size_t why_size;
} source_t;

static bool explain(const source_t *source, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool explain(const source_t *source, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(source->why, source->why_size, format, args);
    va_end(args);
    return false;
}

static bool add(X509_STORE *store, X509 *certificate, source_t *source)
{
    bool ok = X509_STORE_add_cert(store, certificate) == 1;
    X509_free(certificate);
    source->count += ok;
    return ok || explain(source, "out of memory for CA certificates");
}

/* OpenSSL looks at a key when it first needs it: here is where it can still be said which one is broken. */
static X509 *with_its_key(X509 *certificate)
{
    if (certificate != NULL && X509_get0_pubkey(certificate) == NULL) {
        X509_free(certificate);
        return NULL;
    }
    return certificate;
}

/* --- PEM --- */

static bool begins(const char *line, const char *end, const char *with)
{
    size_t len = strlen(with);
    return (size_t)(end - line) >= len && memcmp(line, with, len) == 0;
}

/*
 * Walks the "-----" lines. @return the 1-based line on which the first block behind `at` begins, or, with `stray`, on which
 * one ends that never began: OpenSSL would pass over it as a comment; 0: there is none
 */
static unsigned find_line(const source_t *source, size_t at, bool stray)
{
    const char *end = source->data + source->len, *line = source->data, *next;
    bool open = false;
    for (unsigned number = 1; line < end; number++, line = next) {
        const char *feed = memchr(line, '\n', (size_t)(end - line));
        next = feed != NULL ? feed + 1 : end;
        if (begins(line, next, "-----BEGIN ")) {
            if (!stray && line >= source->data + at) {
                return number;
            }
            open = true;
        } else if (begins(line, next, "-----END ")) {
            if (stray && !open) {
                return number;
            }
            open = false;
        }
    }
    return 0;
}

/* One block. True: added, or something else than a certificate. */
static bool add_block(X509_STORE *store, source_t *source, const char *name, const uint8_t *der, long len)
{
    bool with_trust = strcmp(name, PEM_STRING_X509_TRUSTED) == 0;
    if (!with_trust && strcmp(name, PEM_STRING_X509) != 0 && strcmp(name, PEM_STRING_X509_OLD) != 0) {
        return true;
    }
    X509 *certificate = with_its_key(with_trust ? d2i_X509_AUX(NULL, &der, len) : d2i_X509(NULL, &der, len));
    return certificate != NULL && add(store, certificate, source);
}

/* Whatever stands between certificates is a comment, as in CA files everywhere; a broken one is an error. */
static bool add_blocks(X509_STORE *store, source_t *source, BIO *bio)
{
    bool ok = true;
    size_t at = 0;
    while (ok) {
        char *name = NULL, *header = NULL;
        uint8_t *der = NULL;
        long len = 0;
        ERR_clear_error();
        if (PEM_read_bio(bio, &name, &header, &der, &len) == 1) {
            ok = add_block(store, source, name, der, len);
        } else if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) {
            return true; /* that was all */
        } else {
            ok = false;
        }
        at = ok ? source->len - (size_t)BIO_pending(bio) : at;
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(der);
    }
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    return explain(source, "certificate %u of the CA given (line %u) cannot be read: %s", source->count + 1,
                   find_line(source, at, false), reason != NULL ? reason : "no certificate");
}

static bool add_pem(X509_STORE *store, source_t *source)
{
    BIO *bio = BIO_new_mem_buf(source->data, (int)source->len);
    bool ok =
        bio != NULL ? add_blocks(store, source, bio) : explain(source, "out of memory for CA certificates");
    BIO_free(bio);
    if (!ok) {
        return false;
    }
    unsigned stray = find_line(source, 0, true);
    if (stray != 0) {
        return explain(source, "a certificate of the CA given that ends on line %u lacks its BEGIN line",
                       stray);
    }
    return source->count > 0 || explain(source, "the CA given is not a PEM or DER certificate");
}

/* --- DER --- */

/* A SEQUENCE as long as a certificate; no text begins with these two. */
static bool is_der(const source_t *source)
{
    return source->len > 1 && (unsigned char)source->data[0] == 0x30 &&
           ((unsigned char)source->data[1] & 0x80) != 0;
}

/* One certificate, or several behind each other; a terminator that an embedded file brings along does no harm. */
static bool add_der(X509_STORE *store, source_t *source)
{
    size_t at = 0;
    do {
        const unsigned char *p = (const unsigned char *)source->data + at;
        X509 *certificate = with_its_key(d2i_X509(NULL, &p, (long)(source->len - at)));
        if (certificate == NULL) {
            return explain(source, "certificate %u of the CA given (DER, byte %zu) cannot be read",
                           source->count + 1, at);
        }
        at = (size_t)((const char *)p - source->data);
        if (!add(store, certificate, source)) {
            return false;
        }
    } while (at < source->len && source->data[at] != '\0');
    return true;
}

static bool add_certificates(X509_STORE *store, source_t *source, bool terminated)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    if (is_der(source)) {
        return terminated ? explain(source, "a CA certificate in DER form needs its length (cert_len)")
                          : add_der(store, source);
    }
    if (begins(source->data, source->data + source->len, byte_order_mark)) {
        source->data += strlen(byte_order_mark); /* OpenSSL would pass over the line that it begins */
        source->len -= strlen(byte_order_mark);
    }
    while (source->len > 0 && source->data[source->len - 1] == '\0') {
        source->len--; /* ESP-IDF's embedded texts count their terminator */
    }
    return add_pem(store, source);
}

X509_STORE *tls_trust_parse(const char *data, size_t len, char *why, size_t why_size)
{
    source_t source = {.data = data, .len = len != 0 ? len : strlen(data), .why = why, .why_size = why_size};
    X509_STORE *store = source.len <= INT_MAX ? X509_STORE_new() : NULL;
    if (store == NULL) {
        (void)explain(&source, "out of memory for CA certificates");
        return NULL;
    }
    bool ok = add_certificates(store, &source, len == 0);
    ERR_clear_error();
    if (!ok) {
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
    char why[160];
    X509_STORE *store = tls_trust_parse((const char *)cacert_pem_buf, cacert_pem_bytes, why, sizeof(why));
    if (store == NULL) {
        ESP_LOGE("esp-tls", "%s", why);
        return ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED;
    }
    set_global(store);
    return ESP_OK;
}

void esp_tls_free_global_ca_store(void)
{
    set_global(NULL);
}
