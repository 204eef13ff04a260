/* The server's side of TLS, by OpenSSL: a stream of otter's transport seam on a socket that somebody else has accepted. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "connection.h"
#include "esp_log.h"

#define PROTOCOLS_MAX 255 /* bytes of all names for ALPN */

static const char TAG[] = "esp-tls";

typedef struct {
    otter_transport_t transport;
    int fd;
    SSL_CTX *context;
    SSL *ssl;
    BIO_METHOD *method;
    bool ended; /* the client sends no more */
    const char **protocols;
    otter_transport_error_t error;
} server_t;

/* ---- certificate and key ---- */

/** A text has its end somewhere in `len` bytes, 0: anywhere. */
static BIO *open_text(const unsigned char *text, size_t len)
{
    return BIO_new_mem_buf(text,
                           (int)(len > 0 ? strnlen((const char *)text, len) : strlen((const char *)text)));
}

static bool is_pem(const unsigned char *text, size_t len)
{
    static const char begin[] = "-----BEGIN ";
    return len == 0 || memmem(text, len, begin, sizeof(begin) - 1) != NULL;
}

static bool use_certificates(SSL_CTX *context, const unsigned char *text, size_t len)
{
    if (!is_pem(text, len)) {
        return SSL_CTX_use_certificate_ASN1(context, (int)len, text) == 1;
    }
    BIO *bio = open_text(text, len);
    X509 *each = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, (void *)"") : NULL; /* asks nobody */
    bool ok = each != NULL && SSL_CTX_use_certificate(context, each) == 1;
    X509_free(each);
    while (ok && (each = PEM_read_bio_X509(bio, NULL, NULL, (void *)"")) != NULL) {
        ok = SSL_CTX_add0_chain_cert(context, each) == 1;
    }
    BIO_free(bio);
    return ok;
}

static int give_password(char *to, int room, int writing, void *arg)
{
    (void)writing;
    const esp_tls_cfg_server_t *cfg = arg;
    int len = (int)cfg->serverkey_password_len;
    if (cfg->serverkey_password == NULL || len > room) {
        return -1;
    }
    memcpy(to, cfg->serverkey_password, (size_t)len);
    return len;
}

static bool use_key(SSL_CTX *context, const esp_tls_cfg_server_t *cfg)
{
    EVP_PKEY *key = NULL;
    if (is_pem(cfg->serverkey_buf, cfg->serverkey_bytes)) {
        BIO *bio = open_text(cfg->serverkey_buf, cfg->serverkey_bytes);
        key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, give_password, (void *)(uintptr_t)cfg) : NULL;
        BIO_free(bio);
    } else {
        const unsigned char *der = cfg->serverkey_buf;
        key = d2i_AutoPrivateKey(NULL, &der, (long)cfg->serverkey_bytes);
    }
    bool ok = key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1;
    EVP_PKEY_free(key);
    return ok && SSL_CTX_check_private_key(context) == 1;
}

/** Certificates that a client's must come from. */
static bool use_authorities(SSL_CTX *context, const esp_tls_cfg_server_t *cfg)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    size_t count = 0;
    X509 *each;
    if (!is_pem(cfg->cacert_buf, cfg->cacert_bytes)) {
        const unsigned char *der = cfg->cacert_buf;
        each = d2i_X509(NULL, &der, (long)cfg->cacert_bytes);
        count = each != NULL && X509_STORE_add_cert(store, each) == 1 &&
                SSL_CTX_add_client_CA(context, each) == 1;
        X509_free(each);
        return count > 0;
    }
    BIO *bio = open_text(cfg->cacert_buf, cfg->cacert_bytes);
    while (bio != NULL && (each = PEM_read_bio_X509(bio, NULL, NULL, (void *)"")) != NULL) {
        count += X509_STORE_add_cert(store, each) == 1 && SSL_CTX_add_client_CA(context, each) == 1;
        X509_free(each);
    }
    BIO_free(bio);
    return count > 0;
}

/** What is wrong with it, NULL: nothing. */
static const char *set_identity(SSL_CTX *context, const esp_tls_cfg_server_t *cfg)
{
    if (cfg->servercert_buf == NULL ||
        !use_certificates(context, cfg->servercert_buf, cfg->servercert_bytes)) {
        return "the server's certificate cannot be read";
    }
    if (cfg->serverkey_buf == NULL || !use_key(context, cfg)) {
        return "the server's key cannot be read, or is not its certificate's";
    }
    if (cfg->cacert_buf == NULL) {
        return NULL;
    }
    SSL_CTX_set_verify(
        context, SSL_VERIFY_PEER | (cfg->client_cert_authmode_optional ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT),
        NULL);
    return use_authorities(context, cfg) ? NULL : "the certificate for clients cannot be read";
}

static SSL_CTX *new_context(const esp_tls_cfg_server_t *cfg, const char **why)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL) {
        *why = "out of memory";
        return NULL;
    }
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    (void)SSL_CTX_set_min_proto_version(context, cfg->tls_version == ESP_TLS_VER_TLS_1_3 ? TLS1_3_VERSION
                                                                                         : TLS1_2_VERSION);
    (void)SSL_CTX_set_max_proto_version(context,
                                        cfg->tls_version == ESP_TLS_VER_TLS_1_2 ? TLS1_2_VERSION : 0);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    static const unsigned char session[] =
        "otter"; /* which sessions are ours, where clients have certificates */
    (void)SSL_CTX_set_session_id_context(context, session, sizeof(session) - 1);
    *why = set_identity(context, cfg);
    ERR_clear_error(); /* a text's end is one, too */
    if (*why != NULL) {
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}

esp_err_t server_identity_check(const esp_tls_cfg_server_t *cfg)
{
    const char *why = NULL;
    SSL_CTX *context = new_context(cfg, &why);
    if (context == NULL) {
        ESP_LOGE(TAG, "%s", why);
        return ESP_FAIL;
    }
    SSL_CTX_free(context);
    return ESP_OK;
}

/* ---- the socket under it: OpenSSL's own raises SIGPIPE ---- */

static int result_of(BIO *bio, ssize_t result)
{
    BIO_clear_retry_flags(bio);
    return (int)result;
}

static int socket_read(BIO *bio, char *to, int len)
{
    server_t *server = BIO_get_data(bio);
    int got = result_of(bio, recv(server->fd, to, (size_t)len, MSG_DONTWAIT));
    if (got < 0 && errno == EAGAIN) {
        BIO_set_retry_read(bio);
    }
    server->ended = got == 0;
    return got;
}

static int socket_write(BIO *bio, const char *from, int len)
{
    const server_t *server = BIO_get_data(bio);
    int sent = result_of(bio, send(server->fd, from, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL));
    if (sent < 0 && errno == EAGAIN) {
        BIO_set_retry_write(bio);
    }
    return sent;
}

static long socket_control(BIO *bio, int command, long number, void *pointer)
{
    (void)number, (void)pointer;
    const server_t *server = BIO_get_data(bio);
    return command == BIO_CTRL_EOF ? server->ended
                                   : command == BIO_CTRL_FLUSH; /* nothing waits here to be sent */
}

/** @return NULL: no memory */
static BIO *open_socket(server_t *server)
{
    server->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "a client");
    BIO *bio = NULL;
    if (server->method != NULL && BIO_meth_set_read(server->method, socket_read) == 1 &&
        BIO_meth_set_write(server->method, socket_write) == 1 &&
        BIO_meth_set_ctrl(server->method, socket_control) == 1) {
        bio = BIO_new(server->method);
    }
    if (bio != NULL) {
        BIO_set_data(bio, server);
        BIO_set_init(bio, 1);
    }
    return bio;
}

/* ---- the stream ---- */

static int fail(server_t *server, esp_err_t code, const char *what)
{
    unsigned long error = ERR_peek_last_error();
    const char *reason = error != 0 ? ERR_reason_error_string(error) : NULL;
    ERR_clear_error();
    server->error = (otter_transport_error_t){.sys_errno = errno, .tls_verify = -1};
    (void)otter_fault(&server->error.fault, code, "%s: %s", what,
                      reason != NULL ? reason : "the client is gone");
    return OTTER_IO_ERROR;
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* there is one on Linux */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/** Waits for what TLS wants next. @return 1: it may go on; 0: the time is over; -1: TLS has failed */
static int await(const server_t *server, int result, int64_t until)
{
    int want = SSL_get_error(server->ssl, result);
    if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE) {
        return -1;
    }
    struct pollfd fd = {.fd = server->fd, .events = want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT};
    int64_t left = until - now_ms();
    return left > 0 && poll(&fd, 1, (int)left) == 1;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *in, unsigned int in_len, void *arg)
{
    (void)ssl;
    const server_t *server = arg;
    unsigned char ours[PROTOCOLS_MAX];
    size_t used = 0;
    for (const char **each = server->protocols; *each != NULL; each++) {
        size_t len = strlen(*each);
        if (len == 0 || len > 255 || len + 1 > sizeof(ours) - used) {
            return SSL_TLSEXT_ERR_ALERT_FATAL;
        }
        ours[used++] = (unsigned char)len;
        memcpy(ours + used, *each, len);
        used += len;
    }
    /* It points into `in` then, else into `ours`, which is not used. */
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_len, ours, (unsigned)used, in, in_len) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    const unsigned char *same = memmem(in, in_len, chosen, *out_len);
    *out = same;
    return same != NULL ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/** The handshake. */
static esp_err_t server_connect(otter_transport_t *t, const otter_endpoint_t *client)
{
    server_t *server = (server_t *)t;
    if (server->context == NULL) { /* why is said already */
        return server->error.fault.code;
    }
    const int64_t until = now_ms() + client->timeout_ms;
    server->ssl = SSL_new(server->context);
    BIO *bio = server->ssl != NULL ? open_socket(server) : NULL;
    if (bio == NULL) {
        return otter_fault(&server->error.fault, ESP_ERR_NO_MEM, "out of memory");
    }
    SSL_set_bio(server->ssl, bio, bio);
    for (;;) {
        ERR_clear_error();
        int result = SSL_accept(server->ssl);
        int goes_on = result == 1 ? 1 : await(server, result, until);
        if (result == 1) {
            return ESP_OK;
        }
        if (goes_on <= 0) {
            (void)fail(server, ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
                       goes_on == 0 ? "a client's handshake took too long" : "a client's handshake");
            return ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED;
        }
    }
}

static int server_read(otter_transport_t *t, void *buf, size_t len, int timeout_ms)
{
    server_t *server = (server_t *)t;
    const int64_t until = now_ms() + timeout_ms;
    for (;;) {
        ERR_clear_error();
        int got = SSL_read(server->ssl, buf, (int)(len < INT32_MAX ? len : INT32_MAX));
        if (got > 0) {
            return got;
        }
        if (SSL_get_error(server->ssl, got) == SSL_ERROR_ZERO_RETURN) {
            return OTTER_IO_EOF;
        }
        int goes_on = await(server, got, until);
        if (goes_on <= 0) {
            return goes_on == 0 ? OTTER_IO_TIMEOUT : fail(server, ESP_FAIL, "a client's record");
        }
    }
}

static int server_write(otter_transport_t *t, const void *buf, size_t len, int timeout_ms)
{
    server_t *server = (server_t *)t;
    const int64_t until = now_ms() + timeout_ms;
    for (;;) {
        ERR_clear_error();
        int sent = SSL_write(server->ssl, buf, (int)(len < INT32_MAX ? len : INT32_MAX));
        int goes_on = sent > 0 ? 1 : await(server, sent, until);
        if (sent > 0) {
            return sent;
        }
        if (goes_on <= 0) {
            return goes_on == 0 ? OTTER_IO_TIMEOUT : fail(server, ESP_FAIL, "what is sent to a client");
        }
    }
}

static void server_close(otter_transport_t *t)
{
    server_t *server = (server_t *)t;
    if (server->ssl != NULL && SSL_is_init_finished(server->ssl) == 1) {
        (void)SSL_shutdown(server->ssl); /* says that this is the end; the client may be gone */
    }
    SSL_free(server->ssl);
    server->ssl = NULL;
    ERR_clear_error();
}

static void server_destroy(otter_transport_t *t)
{
    server_t *server = (server_t *)t;
    server_close(t);
    BIO_meth_free(server->method);
    SSL_CTX_free(server->context);
    free(server);
}

static int server_descriptor(otter_transport_t *t)
{
    return ((server_t *)t)->fd;
}

static const otter_transport_error_t *server_error(otter_transport_t *t)
{
    return &((server_t *)t)->error;
}

int server_transport_pending(const otter_transport_t *t)
{
    const server_t *server = (const server_t *)t;
    return server->ssl != NULL ? SSL_pending(server->ssl) : 0;
}

otter_transport_t *server_transport_new(const esp_tls_cfg_server_t *cfg, int fd)
{
    static const otter_transport_ops_t ops = {.connect = server_connect,
                                              .read = server_read,
                                              .write = server_write,
                                              .close = server_close,
                                              .destroy = server_destroy,
                                              .descriptor = server_descriptor,
                                              .error = server_error};
    server_t *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        return NULL;
    }
    const char *why = NULL;
    *server = (server_t){
        .transport = {&ops}, .fd = fd, .context = new_context(cfg, &why), .protocols = cfg->alpn_protos};
    if (server->context == NULL) {
        (void)otter_fault(&server->error.fault, ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED, "%s", why);
    } else if (cfg->alpn_protos != NULL) {
        SSL_CTX_set_alpn_select_cb(server->context, choose_protocol, server);
    }
    return &server->transport;
}
