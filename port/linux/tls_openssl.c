/* The TLS transport on OpenSSL 3, stacked over any other transport by a BIO of its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/transport.h"

#include <errno.h>
#include <pthread.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "esp_log.h"
#include "linux/openssl_answer.h"
#include "linux/openssl_start.h"
#include "linux/tls_bundle.h"
#include "linux/tls_codes.h"
#include "linux/tls_context.h"
#include "linux/tls_names.h"
#include "linux/tls_trust.h"
#include "otter/build_options.h"
#include "otter/promise.h"
#include "otter/system.h"

/*
 * One record of full length a system call, and no more: what is there of a second one is moved before the next call, and the
 * bytes leave the processor's first cache before they are used. A record of TLS 1.2 is the longer one (header, nonce, data,
 * tag), and OpenSSL begins some bytes behind the buffer's start, so that the data is aligned.
 */
#define RECORD_LEN     (5 + 8 + 16384 + 16)
#define READ_AHEAD_LEN (RECORD_LEN + 3)
#define NAMES_LEN      80

typedef struct {
    otter_transport_t base;
    otter_transport_t *lower;
    otter_tls_config_t config;
    SSL_CTX *context; /* made at the first connect: certificates are parsed once */
    SSL *ssl;         /* NULL: closed */
    SSL_SESSION *session;
    char *session_host; /* "host:port" that the session is for */
    bool broken;        /* after a fatal error nothing more may be sent, not even close_notify */

    int wait_ms;         /* for one wait of the lower transport; deadline_us cuts it */
    int64_t deadline_us; /* INT64_MAX: none */
    size_t late_left;    /* bytes that may be read after it */
    int lower_result; /* how the last read of the lower transport, or a failed write, ended: OTTER_IO_*; 1: bytes */

    char *expected_name;   /* owned: a server may show its certificate again at any time (TLS 1.2) */
    int verify_code;       /* X509_V_* that failed the handshake */
    char names[NAMES_LEN]; /* whom the server's certificate is for */
    otter_fault_t unread; /* which of the CA certificates cannot be read; it may be the one that is missing */
    otter_transport_error_t error;
} tls_t;

static tls_t *tls_of(otter_transport_t *t)
{
    return (tls_t *)t;
}

/** @param tls_code mbedTLS's number, 0: it has none for this */
static void set_error(tls_t *tls, esp_err_t code, int tls_code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void set_error(tls_t *tls, esp_err_t code, int tls_code, const char *format, ...)
{
    tls->error = (otter_transport_error_t){.tls_code = tls_code};
    va_list args;
    va_start(args, format);
    otter_vfault(&tls->error.fault, code, format, args);
    va_end(args);
}

/* ---- the BIO: OpenSSL's reads and writes go to the lower transport, within the time of the call above ---- */

static int wait_left_ms(const tls_t *tls)
{
    if (tls->deadline_us == INT64_MAX) {
        return tls->wait_ms;
    }
    int64_t left_ms = (tls->deadline_us - otter_now_us() + 999) / 1000;
    return left_ms <= 0 ? 0 : left_ms < tls->wait_ms ? (int)left_ms : tls->wait_ms;
}

/**
 * OpenSSL reads on while what comes has nothing for the caller: key updates, session tickets, a renegotiation. A server that
 * sends them without a pause never makes it wait, so beyond the deadline only so much is taken of what is there.
 */
static int read_lower(tls_t *tls, char *buf, size_t len)
{
    int wait_ms = wait_left_ms(tls);
    const bool late = wait_ms <= 0;
    if (late) {
        len = len < tls->late_left ? len : tls->late_left;
    }
    int n = len > 0 ? tls->lower->ops->read(tls->lower, buf, len, wait_ms) : OTTER_IO_TIMEOUT;
    OTTER_ASSERT(n >= OTTER_IO_TIMEOUT && (n < 0 || (size_t)n <= len));
    tls->late_left -= late && n > 0 ? (size_t)n : 0;
    return n;
}

static int bio_read(BIO *bio, char *buf, int len)
{
    tls_t *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (len <= 0) {
        return 0;
    }
    int n = read_lower(tls, buf, (size_t)len);
    tls->lower_result = n > 0 ? 1 : n;
    if (n == OTTER_IO_TIMEOUT) {
        BIO_set_retry_read(bio);
    }
    return n >= 0 ? n : -1;
}

static int bio_write(BIO *bio, const char *buf, int len)
{
    tls_t *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (len <= 0) {
        return 0;
    }
    int n = tls->lower->ops->write(tls->lower, buf, (size_t)len, wait_left_ms(tls));
    OTTER_ASSERT(n >= OTTER_IO_TIMEOUT && n <= len);
    if (n <= 0) {
        tls->lower_result = n; /* the alert that answers an end must not hide the end */
    }
    if (n == OTTER_IO_TIMEOUT) {
        BIO_set_retry_write(bio);
    }
    return n > 0 ? n : -1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    const tls_t *tls = BIO_get_data(bio);
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF:
        return tls->lower_result == OTTER_IO_EOF;
    default:
        return 0;
    }
}

static BIO_METHOD *bio_method(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static BIO_METHOD *method; /* one for the program, made by the first who connects */
    pthread_mutex_lock(&mutex);
    if (method == NULL) {
        BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "otter transport");
        if (made != NULL) {
            BIO_meth_set_read(made, bio_read);
            BIO_meth_set_write(made, bio_write);
            BIO_meth_set_ctrl(made, bio_ctrl);
        }
        method = made;
    }
    BIO_METHOD *there = method;
    pthread_mutex_unlock(&mutex);
    return there;
}

/* ---- whom to believe ---- */

static int on_verify(int ok, X509_STORE_CTX *chain)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
    tls_t *tls = SSL_get_app_data(ssl);
    if (ok) {
        return 1;
    }
    int code = X509_STORE_CTX_get_error(chain);
    X509 *server = X509_STORE_CTX_get0_cert(chain);
    if (code == X509_V_ERR_HOSTNAME_MISMATCH || code == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        ERR_set_mark();
        code = tls_names_judge_others(server, X509_STORE_CTX_get0_chain(chain), tls->expected_name, code);
        ERR_pop_to_mark();
        X509_STORE_CTX_set_error(chain, code);
        if (code == X509_V_OK) {
            return 1;
        }
    }
    if (openssl_refusal() == ESP_ERR_NO_MEM) {
        code = X509_V_ERR_OUT_OF_MEM; /* whatever it looked like */
    }
    tls->verify_code = code;
    tls_names_collect(server, tls->names, sizeof(tls->names));
    return 0;
}

static void explain_refusal(tls_t *tls, int tls_code)
{
    static const struct {
        int code;
        const char *text;
    } texts[] = {
        {X509_V_ERR_CERT_HAS_EXPIRED, "certificate has expired"},
        {X509_V_ERR_CERT_NOT_YET_VALID, "certificate is not yet valid: is the clock of this machine right?"},
        {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "self-signed certificate"},
        {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
         "self-signed certificate in chain: its CA is not among those given"},
        {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
         "unable to get local issuer certificate: the CA given does not sign this server"},
        {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
         "unable to get issuer certificate: the CA given does not sign this server"},
        {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
         "unable to verify the first certificate: the CA given does not sign this server"},
        {X509_V_ERR_CERT_SIGNATURE_FAILURE,
         "certificate signature failure: the CA given has the name but not the key"},
        {X509_V_ERR_PERMITTED_VIOLATION,
         "the CA's name constraints do not permit what the certificate names"},
        {X509_V_ERR_EXCLUDED_VIOLATION, "the CA's name constraints exclude what the certificate names"},
    };
    const int code = tls->verify_code;
    if (code == X509_V_ERR_HOSTNAME_MISMATCH || code == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        set_error(tls, ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED, tls_code,
                  "hostname mismatch: certificate is for %s, not %.40s", tls->names, tls->expected_name);
        return;
    }
    const char *text = X509_verify_cert_error_string(code);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].code == code) {
            text = texts[i].text;
        }
    }
    if (tls->unread.why[0] != '\0') { /* this is the better hint */
        set_error(tls, ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED, tls_code, "%.*s; %s", (int)strcspn(text, ":"),
                  text, tls->unread.why);
        return;
    }
    set_error(tls, ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED, tls_code, "%s (%.40s)", text, tls->names);
}

static void explain_verify(tls_t *tls)
{
    const bool bundle = tls->config.use_system_store;
    const tls_codes_verdict_t verdict = tls_codes_of_verify(tls->verify_code, bundle);
    if (bundle && verdict.flags == -1) {
        ESP_LOGI("esp-x509-crt-bundle", "No matching trusted root certificate found");
        ESP_LOGE("esp-x509-crt-bundle", "Failed to verify certificate");
    }
    explain_refusal(tls, verdict.number);
    tls->error.tls_verify = verdict.flags;
}

/** False with the error set. */
static bool set_trust(tls_t *tls, SSL_CTX *context)
{
    const otter_tls_config_t *config = &tls->config;
    X509_STORE *store = NULL;
    if (config->use_system_store) {
        store = tls_bundle_store();
        if (store == NULL) {
            store = tls_trust_system();
        }
    } else if (config->use_global_store) {
        store = tls_trust_global(&tls->unread);
    } else if (config->ca_pem != NULL) {
        tls->unread = (otter_fault_t){0};
        store = tls_trust_parse(config->ca_pem, config->ca_len, &tls->unread);
        if (store == NULL) {
            set_error(tls, tls->unread.code, 0, "%s", tls->unread.why);
            return false;
        }
    }
    if (store == NULL) {
        set_error(tls, ESP_ERR_MBEDTLS_SSL_SETUP_FAILED, 0,
                  "no CA certificate given: no server can be trusted");
        return false;
    }
    SSL_CTX_set_cert_store(context, store);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_verify);
    return true;
}

/* ---- our own certificate ---- */

static int give_password(char *buf, int size, int for_writing, void *arg)
{
    (void)for_writing;
    const otter_tls_config_t *config = arg;
    size_t len = config->client_key_password_len;
    if (config->client_key_password == NULL || len > (size_t)size) {
        return -1;
    }
    memcpy(buf, config->client_key_password, len);
    return (int)len;
}

static BIO *text_bio(const char *data, size_t len)
{
    size_t size = len != 0 ? len : strlen(data);
    return size <= INT_MAX ? BIO_new_mem_buf(data, (int)size) : NULL;
}

static bool use_certificate(SSL_CTX *context, const otter_tls_config_t *config)
{
    const unsigned char *der = (const unsigned char *)config->client_cert_pem;
    if (config->client_cert_len > 1 && der[0] == 0x30) {
        return config->client_cert_len <= INT_MAX &&
               SSL_CTX_use_certificate_ASN1(context, (int)config->client_cert_len, der) == 1;
    }
    BIO *bio = text_bio(config->client_cert_pem, config->client_cert_len);
    X509 *own = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, (void *)"") : NULL; /* asks nobody */
    bool ok = own != NULL && SSL_CTX_use_certificate(context, own) == 1;
    X509_free(own);
    X509 *next = NULL;
    while (ok && (next = PEM_read_bio_X509(bio, NULL, NULL, (void *)"")) != NULL) {
        ok = SSL_CTX_add0_chain_cert(context, next) == 1;
    }
    BIO_free(bio);
    return ok;
}

static bool use_key(SSL_CTX *context, otter_tls_config_t *config)
{
    const unsigned char *der = (const unsigned char *)config->client_key_pem;
    EVP_PKEY *key = NULL;
    if (config->client_key_len > 1 && der[0] == 0x30) {
        key = d2i_AutoPrivateKey(NULL, &der, (long)config->client_key_len);
    } else {
        BIO *bio = text_bio(config->client_key_pem, config->client_key_len);
        key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, give_password, config) : NULL;
        BIO_free(bio);
    }
    bool ok = key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1;
    EVP_PKEY_free(key);
    return ok;
}

typedef struct {
    SSL_CTX *context;
    otter_tls_config_t *config;
} identity_t;

static bool use_identity(const void *question)
{
    const identity_t *own = question;
    (void)SSL_CTX_clear_chain_certs(own->context); /* of an earlier time */
    return use_certificate(own->context, own->config) && own->config->client_key_pem != NULL &&
           use_key(own->context, own->config) && SSL_CTX_check_private_key(own->context) == 1;
}

static bool set_identity(tls_t *tls, SSL_CTX *context)
{
    if (tls->config.client_cert_pem == NULL) {
        return true;
    }
    esp_err_t err = openssl_ask(use_identity, &(identity_t){context, &tls->config});
    if (err == ESP_ERR_NO_MEM) {
        set_error(tls, err, 0, "out of memory for the client certificate");
    } else if (err != ESP_OK) {
        set_error(tls, ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED, 0,
                  "the client certificate or its key cannot be read, or they do not belong together");
    }
    ERR_clear_error();
    return err == ESP_OK;
}

/* ---- the context: everything that does not change between connections ---- */

static bool set_alpn(SSL_CTX *context, const char **protocols)
{
    unsigned char wire[256];
    size_t used = 0;
    for (; protocols != NULL && *protocols != NULL; protocols++) {
        size_t len = strlen(*protocols);
        if (len == 0 || len > 255 || len + 1 > sizeof(wire) - used) {
            return false;
        }
        wire[used++] = (unsigned char)len;
        memcpy(wire + used, *protocols, len);
        used += len;
    }
    return used == 0 || SSL_CTX_set_alpn_protos(context, wire, (unsigned)used) == 0;
}

/** Of the versions that are wanted and built in. @return NULL: it cannot be set up */
static SSL_CTX *new_context(const tls_t *tls)
{
    int wanted = tls->config.tls_version;
    if (wanted == 3 && otter_build_options.without_tls_1_3) {
        ESP_LOGW("esp-tls-mbedtls", "TLS 1.3 is not enabled in config, continuing with default TLS protocol");
        wanted = 0;
    }
    int lowest = wanted == 3 || otter_build_options.without_tls_1_2 ? TLS1_3_VERSION : TLS1_2_VERSION;
    int highest = wanted == 2 || otter_build_options.without_tls_1_3 ? TLS1_2_VERSION : TLS1_3_VERSION;
    SSL_CTX *context = tls_context_new(lowest, highest);
    if (context == NULL || !set_alpn(context, tls->config.alpn)) {
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, READ_AHEAD_LEN);
    return context;
}

static bool make_context(tls_t *tls)
{
    if (tls->context != NULL) {
        return true;
    }
    SSL_CTX *context = new_context(tls);
    if (context == NULL) {
        set_error(tls, ESP_ERR_MBEDTLS_SSL_SETUP_FAILED, 0, "TLS cannot be set up");
        return false;
    }
    if (!set_trust(tls, context) || !set_identity(tls, context)) {
        SSL_CTX_free(context);
        return false;
    }
    tls->context = context;
    return true;
}

/* ---- connecting ---- */

static bool set_name(tls_t *tls, SSL *ssl)
{
    if (tls->config.skip_name_check) {
        return true;
    }
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    /* When the common name counts is decided in on_verify(). */
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, tls->expected_name) == 1) {
        return true; /* an address: it is not sent as SNI, which is for names only */
    }
    ERR_clear_error();
    return X509_VERIFY_PARAM_set1_host(param, tls->expected_name, 0) == 1 &&
           SSL_set_tlsext_host_name(ssl, tls->expected_name) == 1;
}

static SSL *new_ssl(tls_t *tls)
{
    SSL *ssl = SSL_new(tls->context);
    BIO *bio = bio_method() != NULL ? BIO_new(bio_method()) : NULL;
    if (ssl == NULL || bio == NULL || !set_name(tls, ssl)) {
        BIO_free(bio);
        SSL_free(ssl);
        return NULL;
    }
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_app_data(ssl, tls);
    if (tls->session != NULL) {
        SSL_set_session(ssl, tls->session); /* a session that cannot be used costs nothing */
    }
    return ssl;
}

/** A session is for one server only: another must not be shown it. */
static void choose_session(tls_t *tls, const otter_endpoint_t *endpoint)
{
    char *server = NULL;
    if (tls->config.save_session && asprintf(&server, "%s:%u", endpoint->host, endpoint->port) < 0) {
        server = NULL;
    }
    if (server == NULL || tls->session_host == NULL || strcmp(server, tls->session_host) != 0) {
        SSL_SESSION_free(tls->session);
        tls->session = NULL;
    }
    free(tls->session_host);
    tls->session_host = server;
}

/** What the server's alert says about our certificate, which TLS 1.3 tells only after the handshake. NULL: something else */
static const char *client_certificate_trouble(unsigned long code)
{
    static const struct {
        int reason;
        const char *text;
    } rows[] = {
        {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "the server wants a client certificate"},
        {SSL_R_SSLV3_ALERT_NO_CERTIFICATE, "the server wants a client certificate"},
        {SSL_R_TLSV1_ALERT_UNKNOWN_CA, "the server does not know the CA of the client certificate"},
        {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the server does not accept the client certificate"},
        {SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
         "the server does not accept this kind of client certificate"},
        {SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, "the client certificate is revoked"},
        {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "the client certificate has expired"},
        {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "the server does not accept the client certificate"},
        {SSL_R_TLSV1_ALERT_ACCESS_DENIED, "the server denies access to the client certificate"},
    };
    for (size_t i = 0; ERR_GET_LIB(code) == ERR_LIB_SSL && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].reason == ERR_GET_REASON(code)) {
            return rows[i].text;
        }
    }
    return NULL;
}

/** The server is in trouble; the other alerts say that it wants something else than we offer. */
static bool is_trouble_of_the_server(unsigned long code)
{
    return ERR_GET_LIB(code) == ERR_LIB_SSL && (ERR_GET_REASON(code) == SSL_R_TLSV1_ALERT_INTERNAL_ERROR ||
                                                ERR_GET_REASON(code) == SSL_R_TLSV1_ALERT_USER_CANCELLED);
}

static bool ended_with_notify(const tls_t *tls)
{
    return (SSL_get_shutdown(tls->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
}

static int code_of(const tls_t *tls, unsigned long code)
{
    return code == 0 && ended_with_notify(tls) ? TLS_CODE_PEER_CLOSED : tls_codes_of_error(code);
}

static int code_of_lower(const otter_transport_error_t *cause)
{
    return cause->sys_errno == ECONNRESET || cause->sys_errno == EPIPE ? TLS_CODE_CONN_RESET
                                                                       : TLS_CODE_RECV_FAILED;
}

static const char *reason_of(const tls_t *tls, unsigned long code)
{
    const char *trouble = client_certificate_trouble(code);
    if (trouble != NULL) {
        return trouble;
    }
    if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
        (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER || ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST)) {
        return "wrong version number: what answers there does not speak TLS";
    }
    const char *reason = openssl_reason(code);
    return reason != NULL                        ? reason
           : code == 0 && ended_with_notify(tls) ? "the server closed the connection"
                                                 : "unknown error";
}

/** Where server and firmware have no version of TLS in common: what the firmware's options leave. */
static const char *version_hint(unsigned long code)
{
    switch (ERR_GET_REASON(code)) {
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
        return otter_build_options.without_tls_1_3   ? ", and CONFIG_MBEDTLS_SSL_PROTO_TLS1_3 is not set"
               : otter_build_options.without_tls_1_2 ? ", and CONFIG_MBEDTLS_SSL_PROTO_TLS1_2 is not set"
                                                     : "";
    default:
        return "";
    }
}

static void explain_handshake(tls_t *tls, int ssl_error, const otter_endpoint_t *endpoint)
{
    unsigned long code = ERR_peek_error();
    if (tls->verify_code == X509_V_ERR_OUT_OF_MEM ||
        (ssl_error == SSL_ERROR_SSL && openssl_refusal() == ESP_ERR_NO_MEM)) {
        set_error(tls, ESP_ERR_NO_MEM, 0, "out of memory in the TLS handshake with %s port %u",
                  endpoint->host, endpoint->port);
    } else if (tls->verify_code != X509_V_OK) {
        explain_verify(tls);
    } else if (ssl_error == SSL_ERROR_WANT_READ || ssl_error == SSL_ERROR_WANT_WRITE) {
        set_error(tls, ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT, 0,
                  "no TLS handshake with %s port %u within %d ms", endpoint->host, endpoint->port,
                  endpoint->timeout_ms);
        tls->error.sys_errno = EAGAIN;
    } else if (tls->lower_result == OTTER_IO_EOF) {
        set_error(tls, ESP_ERR_ESP_TLS_TCP_CLOSED_FIN, TLS_CODE_CONN_EOF,
                  "%s port %u closed the connection in the TLS handshake", endpoint->host, endpoint->port);
        tls->error.sys_errno = ENOTCONN;
    } else if (tls->lower_result == OTTER_IO_ERROR) {
        const otter_transport_error_t *cause = tls->lower->ops->error(tls->lower);
        set_error(tls, ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED, code_of_lower(cause),
                  "TLS handshake with %s port %u failed: %s", endpoint->host, endpoint->port,
                  cause->fault.why);
        tls->error.sys_errno = cause->sys_errno;
    } else {
        set_error(tls, ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED, code_of(tls, code),
                  "TLS handshake with %s port %u failed: %s%s", endpoint->host, endpoint->port,
                  reason_of(tls, code), version_hint(code));
        tls->error.sys_errno = is_trouble_of_the_server(code) ? EAGAIN : 0;
    }
}

static void tls_close(otter_transport_t *t)
{
    tls_t *tls = tls_of(t);
    if (tls->ssl != NULL) {
        if (!tls->broken) {
            if (tls->config.save_session) {
                SSL_SESSION_free(tls->session);
                tls->session = SSL_get1_session(tls->ssl);
            }
            tls->wait_ms = 0; /* a farewell, if there is room for it */
            tls->deadline_us = INT64_MAX;
            (void)SSL_shutdown(tls->ssl);
        }
        SSL_free(tls->ssl);
        tls->ssl = NULL;
        ERR_clear_error();
    }
    tls->lower->ops->close(tls->lower);
}

/** The name that was given, or the host. Certificates know nothing of this machine's interfaces: an address loses its zone. */
static bool keep_expected_name(tls_t *tls, const char *host)
{
    const char *name = tls->config.common_name != NULL ? tls->config.common_name : host;
    size_t len = name == host && strchr(host, ':') != NULL ? strcspn(host, "%") : strlen(name);
    free(tls->expected_name);
    tls->expected_name = strndup(name, len);
    return tls->expected_name != NULL;
}

static bool shake_hands(tls_t *tls, const otter_endpoint_t *endpoint, int64_t deadline_us)
{
    ERR_clear_error();
    tls->ssl = keep_expected_name(tls, endpoint->host) ? new_ssl(tls) : NULL;
    if (tls->ssl == NULL) {
        set_error(tls, ESP_ERR_MBEDTLS_SSL_SETUP_FAILED, 0, "TLS cannot be set up");
        return false;
    }
    tls->deadline_us = deadline_us;
    tls->wait_ms = INT_MAX;
    tls->late_left = 0;
    tls->lower_result = 1;
    tls->broken = true; /* until the handshake is done */
    int result = SSL_connect(tls->ssl);
    if (result != 1) {
        explain_handshake(tls, SSL_get_error(tls->ssl, result), endpoint);
        return false;
    }
    if (tls->config.use_system_store && !SSL_session_reused(tls->ssl)) {
        ESP_LOGI("esp-x509-crt-bundle", "Certificate validated");
    }
    tls->broken = false;
    tls->deadline_us = INT64_MAX;
    return true;
}

static esp_err_t tls_connect(otter_transport_t *t, const otter_endpoint_t *endpoint)
{
    tls_t *tls = tls_of(t);
    tls_close(t);
    tls->error = (otter_transport_error_t){0};
    tls->verify_code = X509_V_OK;
    tls->names[0] = '\0';
    int64_t deadline_us = otter_now_us() + (int64_t)endpoint->timeout_ms * 1000;
    if (!make_context(tls)) {
        return ESP_ERR_HTTP_CONNECT;
    }
    choose_session(tls, endpoint);
    if (tls->lower->ops->connect(tls->lower, endpoint) != ESP_OK) {
        tls->error = *tls->lower->ops->error(tls->lower);
        return ESP_ERR_HTTP_CONNECT;
    }
    if (!shake_hands(tls, endpoint, deadline_us)) {
        tls_close(t);
        return ESP_ERR_HTTP_CONNECT;
    }
    return ESP_OK;
}

/* ---- moving bytes ---- */

/** What a call to SSL_read or SSL_write that moved nothing means. */
static int explain_io(tls_t *tls, int result)
{
    int ssl_error = SSL_get_error(tls->ssl, result);
    if (ssl_error == SSL_ERROR_ZERO_RETURN) {
        return OTTER_IO_EOF;
    }
    if (ssl_error == SSL_ERROR_WANT_READ || ssl_error == SSL_ERROR_WANT_WRITE) {
        set_error(tls, ESP_ERR_TCP_TRANSPORT_CONNECTION_TIMEOUT, 0, "no content moved for %d ms",
                  tls->wait_ms);
        tls->error.sys_errno = EAGAIN;
        return OTTER_IO_TIMEOUT;
    }
    tls->broken = true;
    unsigned long code = ERR_peek_error();
    const char *trouble = client_certificate_trouble(code);
    if (trouble != NULL) {
        set_error(tls, ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED, TLS_CODE_FATAL_ALERT, "TLS failed: %s", trouble);
        tls->error.sys_errno = EBADMSG;
    } else if (tls->lower_result == OTTER_IO_ERROR) {
        tls->error = *tls->lower->ops->error(tls->lower);
        tls->error.tls_code = code_of_lower(&tls->error);
    } else if (tls->lower_result == OTTER_IO_EOF) {
        set_error(tls, ESP_ERR_ESP_TLS_TCP_CLOSED_FIN, TLS_CODE_CONN_EOF,
                  "the connection was cut: it ended without TLS saying so");
        tls->error.sys_errno = ENOTCONN;
    } else {
        const char *reason = openssl_reason(code);
        set_error(tls, ESP_FAIL, tls_codes_of_error(code), "TLS failed: %s",
                  reason != NULL ? reason : "unknown error");
        tls->error.sys_errno = EBADMSG;
    }
    ERR_clear_error();
    return OTTER_IO_ERROR;
}

static bool is_closed(tls_t *tls)
{
    if (tls->ssl == NULL || tls->broken) {
        if (tls->error.fault.code == ESP_OK) {
            set_error(tls, ESP_ERR_TCP_TRANSPORT_CONNECTION_FAILED, 0, "not connected");
            tls->error.sys_errno = ENOTCONN;
        }
        return true;
    }
    if (ERR_peek_error() != 0) { /* clearing what is empty costs more */
        ERR_clear_error();
    }
    return false;
}

/** One call may take many reads of the lower transport: a record that drips must not hold it for ever. */
static void limit_wait(tls_t *tls, int timeout_ms)
{
    tls->wait_ms = timeout_ms;
    tls->deadline_us = otter_now_us() + (int64_t)timeout_ms * 1000;
    tls->late_left = READ_AHEAD_LEN;
}

static int tls_read(otter_transport_t *t, void *buf, size_t len, int timeout_ms)
{
    tls_t *tls = tls_of(t);
    if (is_closed(tls)) {
        return OTTER_IO_ERROR;
    }
    limit_wait(tls, timeout_ms);
    tls->lower_result = 1;
    int n = SSL_read(tls->ssl, buf, len < INT_MAX ? (int)len : INT_MAX);
    return n > 0 ? n : explain_io(tls, n);
}

/** A server that hangs up on us may have said why: the alert is still there when our own bytes bounce. */
static void hear_last_words(tls_t *tls)
{
    tls->wait_ms = 0;
    char byte;
    (void)SSL_peek(tls->ssl, &byte, 1); /* nothing comes of it but the alert, in the error queue */
    unsigned long code = ERR_peek_error();
    const char *trouble = client_certificate_trouble(code);
    if (trouble != NULL) {
        set_error(tls, ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED, TLS_CODE_FATAL_ALERT, "TLS failed: %s", trouble);
        tls->error.sys_errno = EBADMSG;
    }
    ERR_clear_error();
}

static int tls_write(otter_transport_t *t, const void *buf, size_t len, int timeout_ms)
{
    tls_t *tls = tls_of(t);
    if (is_closed(tls)) {
        return OTTER_IO_ERROR;
    }
    limit_wait(tls, timeout_ms);
    tls->lower_result = 1;
    int n = SSL_write(tls->ssl, buf, len < INT_MAX ? (int)len : INT_MAX);
    if (n > 0) {
        return n;
    }
    n = explain_io(tls, n);
    if (n == OTTER_IO_ERROR) {
        hear_last_words(tls);
    }
    return n == OTTER_IO_EOF ? OTTER_IO_ERROR : n;
}

/** Records only add to what comes over the line, but OpenSSL may hold a buffer and a record of it already. */
static void tls_expect(otter_transport_t *t, uint64_t len)
{
    tls_t *tls = tls_of(t);
    uint64_t held = READ_AHEAD_LEN + 2 * SSL3_RT_MAX_ENCRYPTED_LENGTH;
    if (tls->lower->ops->expect != NULL) {
        tls->lower->ops->expect(tls->lower, len > held ? len - held : 0);
    }
}

static void tls_destroy(otter_transport_t *t)
{
    tls_t *tls = tls_of(t);
    tls_close(t);
    tls->lower->ops->destroy(tls->lower);
    SSL_SESSION_free(tls->session);
    SSL_CTX_free(tls->context);
    free(tls->session_host);
    free(tls->expected_name);
    free(tls);
}

static int tls_descriptor(otter_transport_t *t)
{
    otter_transport_t *lower = tls_of(t)->lower;
    return lower->ops->descriptor(lower);
}

static const otter_transport_error_t *tls_error(otter_transport_t *t)
{
    return &tls_of(t)->error;
}

static const otter_transport_ops_t tls_ops = {
    .connect = tls_connect,
    .read = tls_read,
    .write = tls_write,
    .expect = tls_expect,
    .close = tls_close,
    .destroy = tls_destroy,
    .descriptor = tls_descriptor,
    .error = tls_error,
};

otter_transport_t *otter_tls_new(otter_transport_t *lower, const otter_tls_config_t *config)
{
    tls_t *tls = calloc(1, sizeof(*tls));
    if (tls == NULL) {
        lower->ops->destroy(lower);
        return NULL;
    }
    tls->base.ops = &tls_ops;
    tls->lower = lower;
    tls->config = *config;
    return &tls->base;
}
