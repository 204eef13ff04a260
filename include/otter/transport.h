/* The transport seam: byte streams that stack (TLS on TCP), every wait bounded by the caller. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/fault.h"
#include "otter/promise.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_URL_MAX 8192u /* bytes, without terminator; longer URLs are refused */

/** Where and how to connect. Strings belong to the caller and live through connect(). */
typedef struct {
    const char *host;    /* name or address; IPv6 without brackets */
    uint16_t port;       /* 1 to 65535 */
    int timeout_ms;      /* > 0: name look-up, connecting and handshake together */
    int address_family;  /* 0 any, 4, 6 */
    const char *if_name; /* bind to this interface, NULL: any */
    bool keep_alive;     /* TCP keep-alive probes */
    int keep_alive_idle_s, keep_alive_interval_s, keep_alive_count; /* 0: 5 s, 5 s, 3 */
} otter_endpoint_t;

/** What a failed call leaves to be told; valid until the next call. */
typedef struct {
    /* ESP_ERR_ESP_TLS_*, ESP_ERR_MBEDTLS_*, ESP_ERR_TCP_TRANSPORT_*; "certificate has expired (server.example)" */
    otter_fault_t fault;
    int sys_errno;  /* errno, 0: none */
    int tls_code;   /* mbedTLS's number for it, without its sign (0x7780: the peer sent an alert), 0: none */
    int tls_verify; /* MBEDTLS_X509_BADCERT_* of the first complaint, or -1; 0: verified or not tried */
} otter_transport_error_t;

/* Results of read and write that are not byte counts. */
#define OTTER_IO_EOF     0    /* read only: the peer closed; for TLS: with close_notify */
#define OTTER_IO_ERROR   (-1) /* reset, broken record, TLS closed without notify: see error() */
#define OTTER_IO_TIMEOUT (-2) /* nothing moved within timeout_ms */

typedef struct otter_transport otter_transport_t;

typedef struct {
    /** ESP_OK, or ESP_ERR_HTTP_CONNECT with the cause in error(). A failed connect leaves the transport closed. */
    esp_err_t (*connect)(otter_transport_t *t, const otter_endpoint_t *endpoint);
    /**
     * Bytes read (1 to len; as many as one wait brings, not necessarily len), or an OTTER_IO_* value. len > 0.
     * timeout_ms 0: take what is there.
     */
    int (*read)(otter_transport_t *t, void *buf, size_t len, int timeout_ms);
    /** Bytes written (1 to len) or an OTTER_IO_* value. Never raises SIGPIPE. */
    int (*write)(otter_transport_t *t, const void *buf, size_t len, int timeout_ms);
    /** A hint: at least `len` more bytes will come, so reads may wait for many at once. NULL: the port has no use for it. */
    void (*expect)(otter_transport_t *t, uint64_t len);
    /** Closes the connection; harmless when closed. It can be connected again. */
    void (*close)(otter_transport_t *t);
    /** Closes and frees, with what it stands on. */
    void (*destroy)(otter_transport_t *t);
    /** Socket descriptor, -1 when closed or when there is none. */
    int (*descriptor)(otter_transport_t *t);
    const otter_transport_error_t *(*error)(otter_transport_t *t);
} otter_transport_ops_t;

/** A port's transport begins with this. */
struct otter_transport {
    const otter_transport_ops_t *ops;
};

/** Why an HTTP client's last exchange failed; the handle's until its next call. fault.why "": it did not. Never NULL. */
struct esp_http_client; /* esp_http_client.h */
const otter_transport_error_t *otter_http_client_error(struct esp_http_client *client);

/** Trust and identity for TLS. PEM texts are terminated; they belong to the caller and live as long as the transport. */
typedef struct {
    const char *ca_pem;    /* one or more CA certificates, PEM or DER; NULL: none given */
    size_t ca_len;         /* bytes of ca_pem; 0: it is terminated PEM */
    bool use_system_store; /* trust the machine's CA store (ESP-IDF: esp_crt_bundle_attach) */
    bool use_global_store; /* trust what esp_tls_set_global_ca_store was given */
    const char *client_cert_pem, *client_key_pem; /* mutual TLS, NULL: none */
    size_t client_cert_len, client_key_len;       /* as ca_len */
    const char *client_key_password;
    size_t client_key_password_len;
    bool skip_name_check;    /* accept any name in a trusted certificate; no SNI, as ESP-IDF */
    const char *common_name; /* name to expect (and send as SNI) instead of the host; NULL: the host */
    int tls_version;         /* 0 any of 1.2 and 1.3, 2: only 1.2, 3: only 1.3 */
    const char **alpn;       /* NULL-terminated list, NULL: none */
    bool save_session;       /* keep the session for the next connect of this transport */
} otter_tls_config_t;

/** A TCP stream. @return NULL when out of memory */
OTTER_MUST_CHECK otter_transport_t *otter_tcp_new(void);

/**
 * TLS over `lower`, which it takes over (also when it fails). Certificates are parsed in connect(), where errors can be
 * told. A config without any trust (no CA, no store) fails every connect: nothing is believed by default.
 * @return NULL when out of memory
 */
OTTER_MUST_CHECK otter_transport_t *otter_tls_new(otter_transport_t *lower, const otter_tls_config_t *config);

#ifdef __cplusplus
}
#endif
