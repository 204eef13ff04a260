/* The TLS transport over a server in memory: whom it believes by name, and that its time limits hold whatever it is sent. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "linux/tls_codes.h"
#include "otter/system.h"
#include "otter/transport.h"
#include "sim/sim_system.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define NAMES_MAX   2
#define LIMIT_MS    300
#define READS_MAX   20000 /* of the lower transport in one call above it */

/* ---- certificates ---- */

typedef struct {
    X509 *certificate;
    EVP_PKEY *key;
} identity_t;

static void free_identity(identity_t *identity)
{
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
}

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = value != NULL ? X509V3_EXT_conf_nid(NULL, NULL, nid, value) : NULL;
    assert_true(value == NULL || (extension != NULL && X509_add_ext(certificate, extension, -1) == 1));
    X509_EXTENSION_free(extension);
}

static void add_name(X509 *certificate, const char *field, const char *value, int len)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    assert_int_equal(
        X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8, (const unsigned char *)value, len, -1, 0),
        1);
}

/* Without a subject or a signature yet. */
static identity_t begin_identity(void)
{
    static long serial;
    identity_t made = {X509_new(), EVP_EC_gen("P-256")};
    assert_true(made.certificate != NULL && made.key != NULL);
    assert_int_equal(X509_set_version(made.certificate, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), ++serial), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made.certificate), -3600));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made.certificate), 3600));
    assert_int_equal(X509_set_pubkey(made.certificate, made.key), 1);
    return made;
}

static void sign(identity_t *identity, const identity_t *issuer)
{
    assert_int_equal(X509_set_issuer_name(identity->certificate, X509_get_subject_name(issuer->certificate)),
                     1);
    assert_true(X509_sign(identity->certificate, issuer->key, EVP_sha256()) > 0);
}

/* @param issuer  NULL: it signs itself */
static identity_t make_ca(const char *name, const char *constraints, const identity_t *issuer)
{
    identity_t ca = begin_identity();
    add_name(ca.certificate, "O", name, -1);
    add_extension(ca.certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(ca.certificate, NID_name_constraints, constraints);
    sign(&ca, issuer != NULL ? issuer : &ca);
    return ca;
}

/* For the CA of a connection, terminated; the caller frees it. */
static char *pem_of(X509 *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
    char *bytes;
    long len = BIO_get_mem_data(bio, &bytes);
    char *text = calloc(1, (size_t)len + 1);
    assert_non_null(text);
    memcpy(text, bytes, (size_t)len);
    BIO_free(bio);
    return text;
}

/* ---- a server that is a transport: what is written to it is answered at once, in memory ---- */

typedef enum { QUIET, KEY_UPDATES, KEY_UPDATES_ASKED_BACK, SESSION_TICKETS, RENEGOTIATIONS } flood_t;

enum { ENDS_BY_FIN = 1, ENDS_BY_RESET };

typedef struct {
    otter_transport_t base;
    SSL_CTX *context;
    SSL *ssl;
    BIO *in, *out;
    flood_t flood;    /* what it says whenever it is listened to */
    const char *says; /* instead of TLS, NULL: it speaks TLS; read after each other, then `ends` comes */
    size_t says_len;
    int ends;
    unsigned reads;
    otter_transport_error_t error;
} peer_t;

static peer_t *peer_of(otter_transport_t *t)
{
    return (peer_t *)t;
}

static void close_peer(otter_transport_t *t)
{
    SSL_free(peer_of(t)->ssl);
    peer_of(t)->ssl = NULL;
}

static esp_err_t connect_peer(otter_transport_t *t, const otter_endpoint_t *endpoint)
{
    (void)endpoint;
    peer_t *peer = peer_of(t);
    peer->ssl = SSL_new(peer->context);
    peer->in = BIO_new(BIO_s_mem());
    peer->out = BIO_new(BIO_s_mem());
    assert_true(peer->ssl != NULL && peer->in != NULL && peer->out != NULL);
    SSL_set_bio(peer->ssl, peer->in, peer->out);
    SSL_set_accept_state(peer->ssl);
    return ESP_OK;
}

static int write_peer(otter_transport_t *t, const void *buf, size_t len, int timeout_ms)
{
    (void)timeout_ms;
    peer_t *peer = peer_of(t);
    char scrap[256];
    if (peer->ends != 0) {
        return (int)len;
    }
    assert_int_equal(BIO_write(peer->in, buf, (int)len), (int)len);
    while (SSL_read(peer->ssl, scrap, sizeof(scrap)) > 0) { /* which also shakes hands */
    }
    return (int)len;
}

static void say_nothing_useful(peer_t *peer)
{
    switch (peer->flood) {
    case KEY_UPDATES:
        SSL_key_update(peer->ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
        break;
    case KEY_UPDATES_ASKED_BACK:
        SSL_key_update(peer->ssl, SSL_KEY_UPDATE_REQUESTED);
        break;
    case SESSION_TICKETS:
        SSL_new_session_ticket(peer->ssl);
        break;
    case RENEGOTIATIONS:
        SSL_renegotiate(peer->ssl);
        break;
    case QUIET:
        return;
    }
    (void)SSL_do_handshake(peer->ssl);
    ERR_clear_error();
}

static int read_peer(otter_transport_t *t, void *buf, size_t len, int timeout_ms)
{
    peer_t *peer = peer_of(t);
    if (++peer->reads > READS_MAX) {
        fail_msg("it reads for ever");
    }
    if (peer->ends != 0 && BIO_pending(peer->out) == 0) {
        int said = (int)peer->says_len < (int)len ? (int)peer->says_len : (int)len;
        memcpy(buf, peer->says, (size_t)said);
        peer->says += said;
        peer->says_len -= (size_t)said;
        return said > 0 ? said : peer->ends == ENDS_BY_FIN ? OTTER_IO_EOF : OTTER_IO_ERROR;
    }
    if (BIO_pending(peer->out) == 0 && SSL_is_init_finished(peer->ssl)) {
        say_nothing_useful(peer);
    }
    int n = BIO_read(peer->out, buf, (int)len);
    sim_clock_advance_ms(n > 0 && timeout_ms > 0 ? 1
                                                 : (uint32_t)timeout_ms); /* what is there takes no time */
    return n > 0 ? n : OTTER_IO_TIMEOUT;
}

static void destroy_peer(otter_transport_t *t)
{
    close_peer(t);
    SSL_CTX_free(peer_of(t)->context);
    free(t);
}

static int descriptor_of_peer(otter_transport_t *t)
{
    (void)t;
    return -1;
}

static const otter_transport_error_t *error_of_peer(otter_transport_t *t)
{
    return &peer_of(t)->error;
}

static const otter_transport_ops_t peer_ops = {
    .connect = connect_peer,
    .read = read_peer,
    .write = write_peer,
    .close = close_peer,
    .destroy = destroy_peer,
    .descriptor = descriptor_of_peer,
    .error = error_of_peer,
};

/* @param intermediate  goes along with the server's certificate; NULL: none */
static peer_t *new_peer(const identity_t *server, const identity_t *intermediate, int version)
{
    peer_t *peer = calloc(1, sizeof(*peer));
    assert_non_null(peer);
    peer->base.ops = &peer_ops;
    peer->context = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate(peer->context, server->certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(peer->context, server->key), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(peer->context, version), 1);
    if (intermediate != NULL) {
        assert_int_equal(SSL_CTX_add1_chain_cert(peer->context, intermediate->certificate), 1);
    }
    return peer;
}

/* The host's text lives through connect(), and no longer. */
static esp_err_t connect_to(otter_transport_t *tls, const char *host)
{
    char *text = strdup(host);
    assert_non_null(text);
    const otter_endpoint_t endpoint = {.host = text, .port = 443, .timeout_ms = LIMIT_MS};
    esp_err_t err = tls->ops->connect(tls, &endpoint);
    memset(text, '?', strlen(text));
    free(text);
    return err;
}

/* ---- names ---- */

typedef struct {
    const char *what;
    const char *common[NAMES_MAX]; /* common names */
    const char *listed;            /* subjectAltName, as openssl's configuration writes it; NULL: none */
    const char *constraints;       /* of the issuer; NULL: none */
    const char *host;
    const char *refused; /* in the error's text; NULL: believed */
} name_row_t;

#define MISMATCH "hostname mismatch"
#define PERMIT   "name constraints do not permit"
#define EXCLUDE  "name constraints exclude"

static const name_row_t name_rows[] = {
    {"a name", {"localhost"}, NULL, NULL, "localhost", NULL},
    {"a name in capitals", {"Update.Example"}, NULL, NULL, "update.example", NULL},
    {"an address", {"127.0.0.1"}, NULL, NULL, "127.0.0.1", NULL},
    {"an IPv6 address, written otherwise", {"0:0:0:0:0:0:0:1"}, NULL, NULL, "::1", NULL},
    {"an address with a zone of this machine", {"fe80::1"}, NULL, NULL, "fe80::1%eth0", NULL},
    {"a listed address with a zone of this machine", {NULL}, "IP:fe80::1", NULL, "fe80::1%eth0", NULL},
    {"the second of two", {"otter", "localhost"}, NULL, NULL, "localhost", NULL},
    {"a wildcard", {"*.example.org"}, NULL, NULL, "a.example.org", NULL},
    {"a wildcard is for one label", {"*.example.org"}, NULL, NULL, "a.b.example.org", MISMATCH},
    {"a wildcard is not for addresses", {"*.0.0.1"}, NULL, NULL, "127.0.0.1", MISMATCH},
    {"another name", {"otter"}, NULL, NULL, "localhost", MISMATCH},
    {"a longer name", {"localhost.example"}, NULL, NULL, "localhost", MISMATCH},
    {"another address", {"127.0.0.2"}, NULL, NULL, "127.0.0.1", MISMATCH},
    {"no common name", {NULL}, NULL, NULL, "localhost", MISMATCH},

    {"the list has it", {"otter"}, "DNS:localhost", NULL, "localhost", NULL},
    {"the list has the address", {"otter"}, "IP:127.0.0.1", NULL, "127.0.0.1", NULL},
    {"the list has another name", {"localhost"}, "DNS:otter.example", NULL, "localhost", MISMATCH},
    {"the list has addresses only", {"localhost"}, "IP:127.0.0.1", NULL, "localhost", MISMATCH},
    {"the list has names only", {"127.0.0.1"}, "DNS:localhost", NULL, "127.0.0.1", MISMATCH},
    {"the list has something else", {"localhost"}, "email:a@b.example", NULL, "localhost", MISMATCH},

    {"the list has the address as a name", {"otter"}, "DNS:127.0.0.1", NULL, "127.0.0.1", NULL},
    {"the list has the IPv6 address as a name", {"otter"}, "DNS:FE80::1", NULL, "fe80::1", NULL},
    {"the list has another address as a name", {"127.0.0.1"}, "DNS:127.0.0.11", NULL, "127.0.0.1", MISMATCH},
    {"address as a name, excluded",
     {"otter"},
     "DNS:127.0.0.1",
     "excluded;IP:127.0.0.0/255.0.0.0",
     "127.0.0.1",
     EXCLUDE},
    {"address as a name, only names permitted",
     {"otter"},
     "DNS:127.0.0.1",
     "permitted;DNS:b.example",
     "127.0.0.1",
     PERMIT},
    {"permitted", {"localhost"}, NULL, "permitted;DNS:localhost", "localhost", NULL},
    {"below what is permitted", {"a.b.example"}, NULL, "permitted;DNS:b.example", "a.b.example", NULL},
    {"one label, not permitted", {"localhost"}, NULL, "permitted;DNS:b.example", "localhost", PERMIT},
    {"not permitted", {"a.c.example"}, NULL, "permitted;DNS:b.example", "a.c.example", PERMIT},
    {"wildcard, not permitted", {"*.c.example"}, NULL, "permitted;DNS:b.example", "a.c.example", PERMIT},
    {"excluded", {"localhost"}, NULL, "excluded;DNS:localhost", "localhost", EXCLUDE},
    {"wildcard, excluded", {"*.c.example"}, NULL, "excluded;DNS:c.example", "a.c.example", EXCLUDE},
    {"critical", {"localhost"}, NULL, "critical,permitted;DNS:b.example", "localhost", PERMIT},
    {"another common name may be anything",
     {"a device", "localhost"},
     NULL,
     "permitted;DNS:localhost",
     "localhost",
     NULL},
    {"address, permitted", {"127.0.0.1"}, NULL, "permitted;IP:127.0.0.0/255.0.0.0", "127.0.0.1", NULL},
    {"address, not permitted", {"127.0.0.1"}, NULL, "permitted;IP:10.0.0.0/255.0.0.0", "127.0.0.1", PERMIT},
    {"address, excluded", {"127.0.0.1"}, NULL, "excluded;IP:127.0.0.0/255.0.0.0", "127.0.0.1", EXCLUDE},
    {"address, only names permitted", {"127.0.0.1"}, NULL, "permitted;DNS:b.example", "127.0.0.1", PERMIT},
    {"address, permitted beside names",
     {"127.0.0.1"},
     NULL,
     "permitted;DNS:b.example,permitted;IP:127.0.0.0/255.0.0.0",
     "127.0.0.1",
     NULL},
    {"listed name, not permitted",
     {"otter"},
     "DNS:localhost",
     "permitted;DNS:b.example",
     "localhost",
     PERMIT},
    {"a common name that does not count is not bound",
     {"a.c.example"},
     "IP:127.0.0.1",
     "permitted;DNS:b.example",
     "127.0.0.1",
     NULL},
};

static identity_t make_server(const name_row_t *row, const identity_t *issuer)
{
    identity_t server = begin_identity();
    for (size_t i = 0; i < NAMES_MAX && row->common[i] != NULL; i++) {
        add_name(server.certificate, "CN", row->common[i], -1);
    }
    add_extension(server.certificate, NID_subject_alt_name, row->listed);
    sign(&server, issuer);
    return server;
}

static void assert_believed(otter_transport_t *tls, const char *host, const char *refused)
{
    esp_err_t err = connect_to(tls, host);
    const char *text = tls->ops->error(tls)->fault.why;
    if (refused == NULL) {
        assert_string_equal(text, "");
        assert_int_equal(err, ESP_OK);
    } else {
        assert_int_equal(err, ESP_ERR_HTTP_CONNECT);
        assert_int_equal(tls->ops->error(tls)->tls_code, 0x2700);
        assert_int_equal(tls->ops->error(tls)->tls_verify, strcmp(refused, MISMATCH) == 0 ? 0x04 : 0x0100);
        if (strstr(text, refused) == NULL) {
            fail_msg("not \"%s\": %s", refused, text);
        }
    }
    tls->ops->destroy(tls);
}

/* The constraints are the root's, or those of a CA between it and the server. */
static void check_name(const name_row_t *row, bool between)
{
    identity_t root = make_ca("root", between ? NULL : row->constraints, NULL);
    identity_t middle = make_ca("between", between ? row->constraints : NULL, &root);
    identity_t server = make_server(row, between ? &middle : &root);
    char *pem = pem_of(root.certificate);
    peer_t *peer = new_peer(&server, between ? &middle : NULL, TLS1_3_VERSION);
    assert_believed(otter_tls_new(&peer->base, &(otter_tls_config_t){.ca_pem = pem}), row->host,
                    row->refused);
    free(pem);
    free_identity(&server);
    free_identity(&middle);
    free_identity(&root);
}

static void a_name_is_judged_by_list_common_name_and_constraints(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(name_rows); i++) {
        print_message("%s\n", name_rows[i].what);
        check_name(&name_rows[i], false);
        check_name(&name_rows[i], true);
    }
}

static void a_common_name_with_a_nul_inside_is_none(void **state)
{
    (void)state;
    identity_t server = begin_identity();
    add_name(server.certificate, "CN", "localhost\0.example", 18);
    sign(&server, &server);
    char *pem = pem_of(server.certificate);
    peer_t *peer = new_peer(&server, NULL, TLS1_3_VERSION);
    assert_believed(otter_tls_new(&peer->base, &(otter_tls_config_t){.ca_pem = pem}), "localhost", MISMATCH);
    free(pem);
    free_identity(&server);
}

static void a_certificate_that_signs_itself_is_believed_where_it_was_given(void **state)
{
    (void)state;
    identity_t server = begin_identity(); /* as ESP-IDF's guide makes it */
    add_name(server.certificate, "CN", "127.0.0.1", -1);
    sign(&server, &server);
    char *pem = pem_of(server.certificate);
    const struct {
        otter_tls_config_t config;
        const char *host, *refused;
    } rows[] = {
        {{.ca_pem = pem}, "127.0.0.1", NULL},
        {{.ca_pem = pem}, "localhost", MISMATCH},
        {{.ca_pem = pem, .common_name = "127.0.0.1"}, "localhost", NULL},
        {{.ca_pem = pem, .skip_name_check = true}, "localhost", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        peer_t *peer = new_peer(&server, NULL, TLS1_3_VERSION);
        assert_believed(otter_tls_new(&peer->base, &rows[i].config), rows[i].host, rows[i].refused);
    }
    free(pem);
    free_identity(&server);
}

/* ---- mbedTLS's numbers ---- */

static void a_complaint_about_a_certificate_has_the_number_and_the_flag_of_mbedtls(void **state)
{
    (void)state;
    static const struct {
        int x509;
        tls_codes_verdict_t alone, bundle;
    } rows[] = {
        {X509_V_ERR_CERT_HAS_EXPIRED, {0x2700, 0x01}, {0x2700, 0x01}},
        {X509_V_ERR_CERT_NOT_YET_VALID, {0x2700, 0x0200}, {0x2700, 0x0200}},
        {X509_V_ERR_HOSTNAME_MISMATCH, {0x2700, 0x04}, {0x2700, 0x04}},
        {X509_V_ERR_IP_ADDRESS_MISMATCH, {0x2700, 0x04}, {0x2700, 0x04}},
        {X509_V_ERR_EE_KEY_TOO_SMALL, {0x2700, 0x010000}, {0x2700, 0x010000}},
        {X509_V_ERR_CA_MD_TOO_WEAK, {0x2700, 0x4000}, {0x2700, 0x4000}},
        {X509_V_ERR_INVALID_PURPOSE, {0x7A00, 0x1000}, {0x7A00, 0x1000}},
        {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, {0x2562, 0x08}, {0x2562, 0x08}},
        {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, {0x2700, 0x08}, {0x3000, -1}},
        {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, {0x2700, 0x08}, {0x3000, -1}},
        {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, {0x2700, 0x08}, {0x3000, -1}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const tls_codes_verdict_t alone = tls_codes_of_verify(rows[i].x509, false);
        const tls_codes_verdict_t bundle = tls_codes_of_verify(rows[i].x509, true);
        assert_memory_equal(&alone, &rows[i].alone, sizeof(alone));
        assert_memory_equal(&bundle, &rows[i].bundle, sizeof(bundle));
    }
}

/* What mbedTLS 3.6 gives when the same bytes answer its hello. */
static void a_handshake_that_fails_has_the_number_of_mbedtls(void **state)
{
    (void)state;
#define SAYS(bytes) bytes, sizeof(bytes) - 1
    static const struct {
        const char *what, *says;
        size_t len;
        int ends, number;
    } rows[] = {
        {"the end", SAYS(""), ENDS_BY_FIN, 0x7280},
        {"a reset", SAYS(""), ENDS_BY_RESET, 0x0050},
        {"plain HTTP", SAYS("HTTP/1.1 400 Bad Request\r\n\r\n"), ENDS_BY_FIN, 0x7200},
        {"another protocol", SAYS("SSH-2.0-OpenSSH_9\r\n"), ENDS_BY_FIN, 0x7200},
        {"alert handshake_failure", SAYS("\x15\3\3\0\2\2\x28"), ENDS_BY_FIN, 0x7780},
        {"alert internal_error, then a reset", SAYS("\x15\3\3\0\2\2\x50"), ENDS_BY_RESET, 0x7780},
        {"an alert without a name", SAYS("\x15\3\3\0\2\2\xC8"), ENDS_BY_FIN, 0x7780},
        {"close_notify", SAYS("\x15\3\3\0\2\1\0"), ENDS_BY_FIN, 0x7880},
        {"a warning, then the end", SAYS("\x15\3\3\0\2\1\x70"), ENDS_BY_FIN, 0x7280},
        {"data", SAYS("\x17\3\3\0\5hello"), ENDS_BY_FIN, 0x7700},
        {"a record beyond the limit", SAYS("\x16\3\3\xFF\xFFxxxxxx"), ENDS_BY_FIN, 0x7100},
    };
#undef SAYS
    identity_t server = begin_identity();
    sign(&server, &server);
    char *pem = pem_of(server.certificate);
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].what);
        peer_t *peer = new_peer(&server, NULL, TLS1_2_VERSION);
        peer->says = rows[i].says;
        peer->says_len = rows[i].len;
        peer->ends = rows[i].ends;
        peer->error.sys_errno = ECONNRESET;
        otter_transport_t *tls = otter_tls_new(&peer->base, &(otter_tls_config_t){.ca_pem = pem});
        assert_int_equal(connect_to(tls, "localhost"), ESP_ERR_HTTP_CONNECT);
        assert_int_equal(tls->ops->error(tls)->tls_code, rows[i].number);
        assert_int_equal(tls->ops->error(tls)->tls_verify, 0);
        tls->ops->destroy(tls);
    }
    free(pem);
    free_identity(&server);
}

/* ---- time limits ---- */

static void assert_ends_in_time(otter_transport_t *tls, peer_t *peer, int timeout_ms)
{
    char byte;
    int64_t start_us = otter_now_us();
    peer->reads = 0;
    assert_int_equal(tls->ops->read(tls, &byte, 1, timeout_ms), OTTER_IO_TIMEOUT);
    assert_int_equal(tls->ops->error(tls)->fault.code, ESP_ERR_TCP_TRANSPORT_CONNECTION_TIMEOUT);
    assert_int_equal(otter_now_us() - start_us, timeout_ms * 1000);
}

static void a_flood_of_what_is_no_content_ends_at_the_time_limit(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        flood_t flood;
        int version;
    } rows[] = {
        {"key updates", KEY_UPDATES, TLS1_3_VERSION},
        {"key updates to be answered", KEY_UPDATES_ASKED_BACK, TLS1_3_VERSION},
        {"session tickets", SESSION_TICKETS, TLS1_3_VERSION},
        {"renegotiations", RENEGOTIATIONS, TLS1_2_VERSION},
    };
    identity_t server = begin_identity();
    add_name(server.certificate, "CN", "localhost", -1);
    sign(&server, &server);
    char *pem = pem_of(server.certificate);
    sim_clock_take();
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].what);
        peer_t *peer = new_peer(&server, NULL, rows[i].version);
        otter_transport_t *tls = otter_tls_new(&peer->base, &(otter_tls_config_t){.ca_pem = pem});
        assert_int_equal(connect_to(tls, "localhost"), ESP_OK);
        peer->flood = rows[i].flood;
        assert_ends_in_time(tls, peer, LIMIT_MS);
        assert_ends_in_time(tls, peer, 0); /* how a kept connection is looked at */
        peer->flood = QUIET;
        char byte = 0;
        int n = OTTER_IO_TIMEOUT, said = 0;
        for (int k = 0; k < 10 && n == OTTER_IO_TIMEOUT; k++) { /* a renegotiation has to come to its end */
            said = said == 1 ? said : SSL_write(peer->ssl, "x", 1);
            n = tls->ops->read(tls, &byte, 1, LIMIT_MS);
        }
        assert_int_equal(n, 1);
        assert_int_equal(byte, 'x');
        tls->ops->destroy(tls);
    }
    free(pem);
    free_identity(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_judged_by_list_common_name_and_constraints),
        cmocka_unit_test(a_common_name_with_a_nul_inside_is_none),
        cmocka_unit_test(a_certificate_that_signs_itself_is_believed_where_it_was_given),
        cmocka_unit_test(a_complaint_about_a_certificate_has_the_number_and_the_flag_of_mbedtls),
        cmocka_unit_test(a_handshake_that_fails_has_the_number_of_mbedtls),
        cmocka_unit_test(a_flood_of_what_is_no_content_ends_at_the_time_limit), /* takes the clock: last */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
