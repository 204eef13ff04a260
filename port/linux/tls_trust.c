/* CA certificates become OpenSSL stores. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/tls_trust.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "esp_log.h"
#include "esp_tls.h"
#include "linux/openssl_answer.h"
#include "linux/openssl_start.h"

static pthread_mutex_t global_mutex = PTHREAD_MUTEX_INITIALIZER;
static X509_STORE *global_store;
static otter_fault_t global_unread; /* what of it cannot be read, ESP_OK: all could */

/* What is read. One certificate that is broken does not spoil the others, and is named. */
typedef struct {
    const char *data;
    size_t len;
    unsigned good, broken; /* certificates */
    X509_STORE *store;
    otter_fault_t *fault; /* of the first that is broken, or of all */
    bool no_memory;       /* so none of them is known to be broken */
} source_t;

static unsigned line_of(const source_t *source, size_t at)
{
    unsigned line = 1;
    for (size_t i = 0; i < at; i++) {
        line += source->data[i] == '\n';
    }
    return line;
}

/** The first of them; who has many has one fault. @param reason  NULL: what OpenSSL said */
static void name_broken(source_t *source, const char *form, size_t at, const char *reason)
{
    if (source->broken++ > 0) {
        return;
    }
    reason = reason != NULL ? reason : openssl_reason(ERR_peek_error());
    bool text = form[0] == '\0';
    otter_fault(source->fault, ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED,
                "certificate %u of the CA given (%s%s %zu) cannot be read: %s", source->good + 1, form,
                text ? "line" : "byte", text ? line_of(source, at) : at,
                reason != NULL ? reason : "no certificate");
}

/** Takes the certificate. OpenSSL looks at a key when it first needs it: here is where it can still be said which is broken. */
static bool add(source_t *source, X509 *certificate)
{
    bool ok = certificate != NULL && X509_get0_pubkey(certificate) != NULL &&
              X509_STORE_add_cert(source->store, certificate) == 1;
    X509_free(certificate);
    source->good += ok;
    return ok;
}

/* ---- PEM ---- */

static bool begins(const char *line, const char *end, const char *with)
{
    size_t len = strlen(with);
    return (size_t)(end - line) >= len && memcmp(line, with, len) == 0;
}

/** The first "-----" line at or behind `at`, which is where a line begins; the length where there is none. */
static size_t find_mark(const source_t *source, size_t at)
{
    const char *end = source->data + source->len, *line = source->data + at;
    while (line < end && !begins(line, end, "-----BEGIN ") && !begins(line, end, "-----END ")) {
        const char *feed = memchr(line, '\n', (size_t)(end - line));
        line = feed != NULL ? feed + 1 : end;
    }
    return (size_t)(line - source->data);
}

/** True: added, or something else than a certificate. */
static bool add_block(source_t *source, const char *name, const uint8_t *der, long len)
{
    bool with_trust = strcmp(name, PEM_STRING_X509_TRUSTED) == 0;
    if (!with_trust && strcmp(name, PEM_STRING_X509) != 0 && strcmp(name, PEM_STRING_X509_OLD) != 0) {
        return true;
    }
    return add(source, with_trust ? d2i_X509_AUX(NULL, &der, len) : d2i_X509(NULL, &der, len));
}

/** A certificate at this place, or from there on. */
typedef struct {
    source_t *source;
    size_t *at; /* goes behind it */
} place_t;

/** @return as openssl_ask(), but that all of the source is given up where there is no memory */
static bool is_taken(source_t *source, openssl_question_t *take, const place_t *place)
{
    esp_err_t err = openssl_ask(take, place);
    source->no_memory = source->no_memory || err == ESP_ERR_NO_MEM;
    return err == ESP_OK;
}

/** One block. @return false: it is broken */
static bool take_block(const void *question)
{
    const place_t *place = question;
    source_t *source = place->source;
    size_t *at = place->at;
    char *name = NULL, *header = NULL;
    uint8_t *der = NULL;
    long len = 0;
    BIO *bio = BIO_new_mem_buf(source->data + *at, (int)(source->len - *at));
    bool ok = bio != NULL && PEM_read_bio(bio, &name, &header, &der, &len) == 1 &&
              add_block(source, name, der, len);
    *at = ok ? source->len - (size_t)BIO_pending(bio) : *at;
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    BIO_free(bio);
    return ok;
}

static size_t next_line(const source_t *source, size_t at)
{
    const char *feed = memchr(source->data + at, '\n', source->len - at);
    return feed != NULL ? (size_t)(feed + 1 - source->data) : source->len;
}

/** The block at `at` runs into the next one, or to the end: OpenSSL might take both for one, and the second be lost. */
static bool lacks_end(const source_t *source, size_t at)
{
    const size_t next = find_mark(source, next_line(source, at));
    return !begins(source->data + next, source->data + source->len, "-----END ");
}

/**
 * Whatever stands between certificates is a comment, as in CA files everywhere. Where one is broken, the next begins at the next
 * BEGIN line; an END line without one shows a certificate that lost its beginning, which OpenSSL would take for a comment.
 */
static void add_pem(source_t *source)
{
    bool begun = false; /* a broken one, whose END line may follow */
    for (size_t at = 0; !source->no_memory && (at = find_mark(source, at)) < source->len;) {
        bool end = begins(source->data + at, source->data + source->len, "-----END ");
        bool cut = !end && lacks_end(source, at);
        if (!end && !cut && is_taken(source, take_block, &(place_t){source, &at})) {
            begun = false;
            continue;
        }
        if (!end) {
            name_broken(source, "", at, cut ? "it lacks its END line" : NULL);
        } else if (!begun && source->broken++ == 0) {
            otter_fault(source->fault, ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED,
                        "a certificate of the CA given that ends on line %u lacks its BEGIN line",
                        line_of(source, at));
        }
        begun = !end;
        at = next_line(source, at);
    }
}

/* ---- DER ---- */

/** A SEQUENCE as long as a certificate; no text begins with these two. */
static bool is_der(const source_t *source)
{
    return source->len > 1 && (unsigned char)source->data[0] == 0x30 &&
           ((unsigned char)source->data[1] & 0x80) != 0;
}

/** Bytes of the element at the beginning of so many; all of them where it has no end within. */
static size_t element_len(const unsigned char *der, size_t left)
{
    const unsigned char *body = der;
    long len;
    int tag, class;
    bool bad = (ASN1_get_object(&body, &len, &tag, &class, (long)left) & 0x80) != 0;
    return bad ? left : (size_t)(body - der) + (size_t)len;
}

static bool take_element(const void *question)
{
    const place_t *place = question;
    source_t *source = place->source;
    const unsigned char *der = (const unsigned char *)source->data + *place->at, *end = der;
    bool ok = add(source, d2i_X509(NULL, &end, (long)(source->len - *place->at)));
    *place->at += ok ? (size_t)(end - der) : 0;
    return ok;
}

/** One certificate, or several behind each other; a terminator that an embedded file brings along does no harm. */
static void add_der(source_t *source)
{
    for (size_t at = 0; !source->no_memory && at < source->len && source->data[at] != '\0';) {
        if (!is_taken(source, take_element, &(place_t){source, &at})) {
            name_broken(source, "DER, ", at, NULL);
            at += element_len((const unsigned char *)source->data + at, source->len - at);
        }
    }
}

/** All that can be read: source->good. */
static void add_certificates(source_t *source, bool terminated)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    if (is_der(source) && terminated) {
        otter_fault(source->fault, ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED,
                    "a CA certificate in DER form needs its length (cert_len)");
        return;
    }
    if (is_der(source)) {
        add_der(source);
        return;
    }
    if (begins(source->data, source->data + source->len, byte_order_mark)) {
        source->data += strlen(byte_order_mark); /* OpenSSL would pass over the line that it begins */
        source->len -= strlen(byte_order_mark);
    }
    while (source->len > 0 && source->data[source->len - 1] == '\0') {
        source->len--; /* ESP-IDF's embedded texts count their terminator */
    }
    add_pem(source);
    if (source->good == 0 && source->broken == 0) {
        otter_fault(source->fault, ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED,
                    "the CA given is not a PEM or DER certificate");
    }
}

X509_STORE *tls_trust_parse(const char *data, size_t len, otter_fault_t *fault)
{
    source_t source = {.data = data, .len = len != 0 ? len : strlen(data), .fault = fault};
    openssl_start();
    source.store = source.len <= INT_MAX ? X509_STORE_new() : NULL;
    if (source.store != NULL) {
        add_certificates(&source, len == 0);
        ERR_clear_error();
    }
    if (source.store == NULL || source.no_memory) {
        otter_fault(fault, ESP_ERR_NO_MEM, "out of memory for CA certificates");
        source.good = 0;
    }
    if (source.good == 0) {
        X509_STORE_free(source.store);
        return NULL;
    }
    if (source.broken > 0) {
        ESP_LOGW("esp-tls", "mbedtls_x509_crt_parse was partly successful. No. of failed certificates: %u",
                 source.broken);
        ESP_LOGW("esp-tls", "%s", fault->why);
    }
    /* As on a device, what was given is trusted as it is: an intermediate CA or the server's own certificate too. */
    X509_STORE_set_flags(source.store, X509_V_FLAG_PARTIAL_CHAIN);
    return source.store;
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

X509_STORE *tls_trust_global(otter_fault_t *unread)
{
    pthread_mutex_lock(&global_mutex);
    X509_STORE *store = global_store;
    if (store != NULL) {
        X509_STORE_up_ref(store);
    }
    *unread = global_unread;
    pthread_mutex_unlock(&global_mutex);
    return store;
}

static void set_global(X509_STORE *store, const otter_fault_t *unread)
{
    pthread_mutex_lock(&global_mutex);
    X509_STORE *old = global_store;
    global_store = store;
    if (store == NULL || global_unread.code == ESP_OK) {
        global_unread = *unread;
    }
    pthread_mutex_unlock(&global_mutex);
    X509_STORE_free(old);
}

/** Certificates that were given before stay. False: no memory. */
static bool add_earlier(X509_STORE *store)
{
    otter_fault_t unread;
    X509_STORE *earlier = tls_trust_global(&unread);
    STACK_OF(X509) *all = earlier != NULL ? X509_STORE_get1_all_certs(earlier) : NULL;
    bool ok = earlier == NULL || all != NULL;
    for (int i = 0; ok && i < sk_X509_num(all); i++) {
        ok = X509_STORE_add_cert(store, sk_X509_value(all, i)) == 1;
    }
    sk_X509_pop_free(all, X509_free);
    X509_STORE_free(earlier);
    return ok;
}

esp_err_t tls_trust_set_global(const char *data, size_t len, otter_fault_t *fault)
{
    X509_STORE *store = tls_trust_parse(data, len, fault);
    if (store == NULL) {
        ESP_LOGE("esp-tls", "%s", fault->why);
        return fault->code;
    }
    if (!add_earlier(store)) {
        X509_STORE_free(store);
        return ESP_ERR_NO_MEM;
    }
    set_global(store, fault);
    return fault->code == ESP_OK ? ESP_OK : ESP_ERR_MBEDTLS_CERT_PARTLY_OK;
}

esp_err_t esp_tls_set_global_ca_store(const unsigned char *cacert_pem_buf,
                                      const unsigned int cacert_pem_bytes)
{
    if (cacert_pem_buf == NULL || cacert_pem_bytes == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    otter_fault_t fault = {0};
    return tls_trust_set_global((const char *)cacert_pem_buf, cacert_pem_bytes, &fault);
}

void esp_tls_free_global_ca_store(void)
{
    set_global(NULL, &(otter_fault_t){0});
}
