/* ESP-IDF's HTTP client: one handle is one connection at a time; not thread-safe. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sdkconfig.h"
#include "esp_err.h"
#include "esp_event.h"
#include "freertos/FreeRTOS.h"

/* struct ifreq, AF_* and the rest of sockets, as ESP-IDF programs expect from this header; a port without sockets has no
 * interfaces to name. */
#if defined(__has_include) && __has_include(<net/if.h>) && __has_include(<sys/socket.h>)
#include <sys/socket.h>
#include <sys/time.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#else
struct ifreq {
    char ifr_name[16];
};
#define AF_UNSPEC 0
#define AF_INET   2
#define AF_INET6  10
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define DEFAULT_HTTP_BUF_SIZE (512)

/** Base under which events also go to the default event loop; ids are esp_http_client_event_id_t. */
extern const char *const ESP_HTTP_CLIENT_EVENT;

typedef struct esp_http_client *esp_http_client_handle_t;

typedef enum {
    HTTP_EVENT_ERROR = 0,    /* connecting, sending, the response head or reading failed */
    HTTP_EVENT_ON_CONNECTED, /* TCP and TLS are established */
    HTTP_EVENT_HEADERS_SENT, /* the request head is on its way */
    HTTP_EVENT_HEADER_SENT = HTTP_EVENT_HEADERS_SENT,
    HTTP_EVENT_ON_HEADER, /* one header of a response whose head is whole: header_key, header_value */
    HTTP_EVENT_ON_DATA, /* decoded body bytes: data, data_len, at most buffer_size of the configuration at once */
    HTTP_EVENT_ON_FINISH,    /* end of esp_http_client_perform() only */
    HTTP_EVENT_DISCONNECTED, /* an open connection was closed */
    HTTP_EVENT_REDIRECT,     /* perform() with disable_auto_redirect saw a redirect */
    /* Of ESP-IDF 6, which has other numbers for what follows ON_HEADER; those above are 5's. */
    HTTP_EVENT_ON_STATUS_CODE,      /* before the first header: data is an int, the status */
    HTTP_EVENT_ON_HEADERS_COMPLETE, /* the response head is read */
} esp_http_client_event_id_t;

typedef struct esp_http_client_event {
    esp_http_client_event_id_t event_id;
    esp_http_client_handle_t client;
    /* ON_DATA: body bytes; ERROR and DISCONNECTED: an esp_tls_error_handle_t; ON_STATUS_CODE: an int */
    void *data;
    int data_len;     /* bytes of data */
    void *user_data;  /* from the configuration */
    char *header_key; /* ON_HEADER; valid during the call */
    char *header_value;
} esp_http_client_event_t;

typedef esp_http_client_event_t *esp_http_client_event_handle_t;

/** Called on the task that uses the handle; what it returns is ignored. */
typedef esp_err_t (*http_event_handle_cb)(esp_http_client_event_t *evt);

/** What the default event loop gets with HTTP_EVENT_ON_DATA. */
typedef struct esp_http_client_on_data {
    esp_http_client_handle_t client;
    int64_t data_process; /* body bytes so far */
} esp_http_client_on_data_t;

/** What the default event loop gets with HTTP_EVENT_REDIRECT. */
typedef struct esp_http_client_redirect_event_data {
    esp_http_client_handle_t client;
    int status_code;
} esp_http_client_redirect_event_data_t;

typedef enum {
    HTTP_TRANSPORT_UNKNOWN = 0,
    HTTP_TRANSPORT_OVER_TCP, /* http */
    HTTP_TRANSPORT_OVER_SSL, /* https */
} esp_http_client_transport_t;

typedef enum {
    HTTP_METHOD_GET = 0,
    HTTP_METHOD_POST,
    HTTP_METHOD_PUT,
    HTTP_METHOD_PATCH,
    HTTP_METHOD_DELETE,
    HTTP_METHOD_HEAD,
    HTTP_METHOD_NOTIFY,
    HTTP_METHOD_SUBSCRIBE,
    HTTP_METHOD_UNSUBSCRIBE,
    HTTP_METHOD_OPTIONS,
    HTTP_METHOD_COPY,
    HTTP_METHOD_MOVE,
    HTTP_METHOD_LOCK,
    HTTP_METHOD_UNLOCK,
    HTTP_METHOD_PROPFIND,
    HTTP_METHOD_PROPPATCH,
    HTTP_METHOD_MKCOL,
    HTTP_METHOD_REPORT,
    HTTP_METHOD_MAX,
} esp_http_client_method_t;

typedef enum {
    HTTP_AUTH_TYPE_NONE = 0,
    HTTP_AUTH_TYPE_BASIC,
    HTTP_AUTH_TYPE_DIGEST,
} esp_http_client_auth_type_t;

typedef enum {
    ESP_HTTP_CLIENT_TLS_VER_ANY = 0, /* 1.2 or 1.3 */
    ESP_HTTP_CLIENT_TLS_VER_TLS_1_2,
    ESP_HTTP_CLIENT_TLS_VER_TLS_1_3,
    ESP_HTTP_CLIENT_TLS_VER_MAX,
} esp_http_client_proto_ver_t;

typedef enum {
    HTTP_ADDR_TYPE_UNSPEC = AF_UNSPEC,
    HTTP_ADDR_TYPE_INET = AF_INET,
    HTTP_ADDR_TYPE_INET6 = AF_INET6,
} esp_http_client_addr_type_t;

typedef enum {
    HTTP_TLS_DYN_BUF_RX_STATIC = 1,
    HTTP_TLS_DYN_BUF_STRATEGY_MAX,
} esp_http_client_tls_dyn_buf_strategy_t;

typedef enum {
    ESP_HTTP_CLIENT_ECDSA_CURVE_SECP256R1 = 0,
    ESP_HTTP_CLIENT_ECDSA_CURVE_SECP384R1,
    ESP_HTTP_CLIENT_ECDSA_CURVE_MAX,
} esp_http_client_ecdsa_curve_t;

/** How far a handle is (esp_http_client_get_state()). */
typedef enum {
    HTTP_STATE_UNINIT = 0, /* no handle */
    HTTP_STATE_INIT,       /* not connected */
    HTTP_STATE_CONNECTING, /* not seen here: connecting blocks */
    HTTP_STATE_CONNECTED,
    HTTP_STATE_REQ_COMPLETE_HEADER, /* the request head is sent */
    HTTP_STATE_REQ_COMPLETE_DATA,   /* not seen here */
    HTTP_STATE_RES_COMPLETE_HEADER, /* not seen here */
    HTTP_STATE_RES_ON_DATA_START,   /* the response head is read, its body may be */
    HTTP_STATE_RES_COMPLETE_DATA,   /* not seen here */
    HTTP_STATE_CLOSE,               /* not seen here */
} esp_http_state_t;

typedef enum {
    HttpStatus_Ok = 200,
    HttpStatus_PartialContent = 206,
    HttpStatus_MultipleChoices = 300,
    HttpStatus_MovedPermanently = 301,
    HttpStatus_Found = 302,
    HttpStatus_SeeOther = 303,
    HttpStatus_NotModified = 304,
    HttpStatus_TemporaryRedirect = 307,
    HttpStatus_PermanentRedirect = 308,
    HttpStatus_BadRequest = 400,
    HttpStatus_Unauthorized = 401,
    HttpStatus_Forbidden = 403,
    HttpStatus_NotFound = 404,
    HttpStatus_RangeNotSatisfiable = 416,
    HttpStatus_InternalError = 500,
} HttpStatus_Code;

struct esp_transport_item_t;

/**
 * Zero-initialise and name the fields. Strings are copied by esp_http_client_init(), except certificates, keys and
 * alpn_protos, which must outlive the handle.
 *
 * Trust: crt_bundle_attach, else use_global_ca_store, else cert_pem. With none of them no https connection is made.
 */
typedef struct {
    const char *url;  /* used unless both host and path are given */
    const char *host; /* name or address */
    int port;         /* 0: 443 for HTTP_TRANSPORT_OVER_SSL, else 80 */
    const char *username;
    const char *password;
    /* NONE: answers a 401. BASIC, or user:password in the URL: Basic with every request, unasked. DIGEST: answers a
     * 401, but never by sending the password itself */
    esp_http_client_auth_type_t auth_type;
    const char *path;
    const char *query;
    union {
        const char *cert_pem; /* CA certificates, one or more, PEM */
        const char *cert_der;
    };
    size_t cert_len; /* 0: terminated PEM; else bytes of PEM or DER */
    union {
        const char *client_cert_pem; /* certificate (and chain) to show the server */
        const char *client_cert_der;
    };
    size_t client_cert_len;
    union {
        const char *client_key_pem;
        const char *client_key_der;
    };
    size_t client_key_len;
    const char *client_key_password;
    size_t client_key_password_len;
    esp_http_client_proto_ver_t tls_version;
    bool use_ecdsa_peripheral;                 /* no effect here */
    uint8_t ecdsa_key_efuse_blk;               /* no effect here */
    uint8_t ecdsa_key_efuse_blk_high;          /* no effect here */
    esp_http_client_ecdsa_curve_t ecdsa_curve; /* no effect here */
    const char *user_agent;                    /* NULL: "ESP32 HTTP Client/1.0" */
    esp_http_client_method_t method;
    int timeout_ms; /* 0: 5000. For connecting as a whole, for the response head as a whole, for each wait of the body */
    bool disable_auto_redirect;    /* perform() only */
    int max_redirection_count;     /* perform() only; 0: 10 */
    int max_authorization_retries; /* answers to 401 in a row; 0: 10, -1: none */
    http_event_handle_cb event_handler;
    esp_http_client_transport_t transport_type; /* with host and path */
    int buffer_size;                            /* receive buffer in bytes, 0: DEFAULT_HTTP_BUF_SIZE */
    int buffer_size_tx; /* the request line and each header must fit; 0: DEFAULT_HTTP_BUF_SIZE */
    void *user_data;
    bool is_async;            /* the calls block all the same; esp_https_ota refuses it, as ESP-IDF's */
    bool use_global_ca_store; /* trust what esp_tls_set_global_ca_store() was given */
    bool skip_cert_common_name_check;           /* any name in a trusted certificate will do; no SNI */
    const char *common_name;                    /* name to expect instead of the host */
    esp_err_t (*crt_bundle_attach)(void *conf); /* usually esp_crt_bundle_attach */
    bool keep_alive_enable;                     /* TCP keep-alive probes */
    int keep_alive_idle;                        /* seconds, 0: 5 */
    int keep_alive_interval;                    /* seconds, 0: 5 */
    int keep_alive_count;                       /* 0: 3 */
    struct ifreq *if_name;                      /* bind to this interface; copied */
    const char **alpn_protos;                   /* ends in NULL */
    bool use_secure_element;                    /* no effect here */
    void *ds_data;                              /* no effect here */
    bool save_client_session; /* resume the TLS session at the next connection of the handle */
    /* an otter_transport_t (otter/transport.h) to use instead of TCP and TLS; the handle destroys it */
    struct esp_transport_item_t *transport;
    esp_http_client_addr_type_t addr_type;
    esp_http_client_tls_dyn_buf_strategy_t tls_dyn_buf_strategy; /* for ESP-IDF's mbedTLS; no effect here */
} esp_http_client_config_t;

/* ---- life cycle ---- */

/**
 * A handle; nothing is sent yet. Sets the request headers User-Agent and Host.
 * @return NULL: no memory, no (valid) URL and not both host and path, or a host, path or query with a space or a control
 *         character
 */
esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t *config);

/**
 * Connect (or use the kept connection, if it is alive and the last response was read to its end) and send the request head.
 * @param write_len  0: no body; > 0: its bytes, which esp_http_client_write() sends; -1: chunked, the caller writes chunks
 * @return ESP_OK
 *         ESP_ERR_INVALID_STATE          handle is NULL
 *         ESP_ERR_HTTP_INVALID_TRANSPORT the scheme is not http or https
 *         ESP_ERR_HTTP_CONNECT           name look-up, TCP, TLS or the certificate failed, or timeout_ms ran out
 *         ESP_ERR_HTTP_WRITE_DATA        sending failed; the connection is closed
 *         ESP_ERR_HTTP_HEADER_TOO_LONG   a request header does not fit buffer_size_tx; nothing was connected for it
 *         ESP_FAIL                       the request line does not fit buffer_size_tx; the same
 *         ESP_ERR_NO_MEM
 */
esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len);

/**
 * For a second request over a kept connection: forget the last response, unread bytes of its body included.
 * @return ESP_OK, ESP_ERR_INVALID_ARG
 */
esp_err_t esp_http_client_prepare(esp_http_client_handle_t client);

/** After esp_http_client_prepare(): as esp_http_client_open(), connecting anew if the server gave the connection up. */
esp_err_t esp_http_client_request_send(esp_http_client_handle_t client, int write_len);

/**
 * Give up the request under way: what is left of its body will not come, and there is a new connection for the next.
 * @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_INVALID_STATE: not connected; errors of connecting as esp_http_client_open()
 */
esp_err_t esp_http_client_cancel_request(esp_http_client_handle_t client);

/**
 * Send body bytes; waits up to timeout_ms whenever the connection takes none.
 * @return bytes sent (always len), 0: timeout, or len is 0; -1: failed, not open, or the answer has been read already
 */
int esp_http_client_write(esp_http_client_handle_t client, const char *buffer, int len);

/**
 * Read the response head, within timeout_ms as a whole. Interim responses (1xx) are skipped.
 * @return > 0  Content-Length
 *         0    chunked, ended by the connection, or empty: esp_http_client_is_chunked_response() is true in all three
 *         -1   (ESP_FAIL) wrong state, connection lost, not HTTP, or a head over 64 KiB or 256 headers
 *         -ESP_ERR_HTTP_EAGAIN  timeout; may be called again
 */
int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client);

/**
 * Fill `buffer` with body bytes; returns fewer only at the end, after a time-out or an error, which the next call tells.
 * errno: 0, ENOTCONN after the peer closed, ECONNRESET after a reset, EAGAIN after a time-out.
 * @return > 0 bytes; 0 end of the body; -ESP_ERR_HTTP_EAGAIN nothing came for timeout_ms; -1 the connection ended before the
 *         body did, its framing is broken, or there is no response
 */
int esp_http_client_read(esp_http_client_handle_t client, char *buffer, int len);

/** As esp_http_client_read() until `len` bytes or the end; errors are hidden. @return bytes read, -1: nothing to read from */
int esp_http_client_read_response(esp_http_client_handle_t client, char *buffer, int len);

/**
 * Read and drop the rest of the body.
 * @param len  NULL, or receives the bytes dropped (also after an error)
 * @return ESP_OK; ESP_FAIL when the body did not come to its end; ESP_ERR_INVALID_ARG
 */
esp_err_t esp_http_client_flush_response(esp_http_client_handle_t client, int *len);

/**
 * A whole exchange: connect, send with the post field, follow redirects, hand the body to HTTP_EVENT_ON_DATA. The
 * connection is kept when the response allows it.
 * @return ESP_OK for any final status, 404 and 500 too
 *         ESP_ERR_HTTP_MAX_REDIRECT       not 2xx after max_redirection_count redirects
 *         ESP_ERR_HTTP_REDIRECT_DOWNGRADE a redirect from https to http
 *         ESP_ERR_HTTP_CONNECTION_CLOSED  closed by the server instead of a response
 *         ESP_ERR_HTTP_EAGAIN             no response head within timeout_ms
 *         ESP_ERR_HTTP_FETCH_HEADER       the response head cannot be read
 *         ESP_ERR_HTTP_INCOMPLETE_DATA    the body ended early
 *         ESP_ERR_NOT_SUPPORTED           401: no challenge that can be answered, or no user name
 *         ESP_FAIL                        401: max_authorization_retries answers were refused
 *         ESP_ERR_INVALID_ARG             NULL handle, or a redirect without a usable Location
 *         and what esp_http_client_open() returns
 */
esp_err_t esp_http_client_perform(esp_http_client_handle_t client);

/** Close the connection. Configuration, request headers, status and completeness stay. @return ESP_OK; NULL: ESP_FAIL */
esp_err_t esp_http_client_close(esp_http_client_handle_t client);

/** Close and free. @return ESP_OK; ESP_FAIL for NULL */
esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client);

/* ---- the request ---- */

/**
 * @param url  absolute, or a path that begins with "/". A new host drops the Authorization header, user and password; a new
 *             host, port or scheme closes the connection. Host follows. user:password@ in the URL replaces the credentials.
 * @return ESP_OK, ESP_ERR_INVALID_ARG (nothing changed), ESP_ERR_NO_MEM
 */
esp_err_t esp_http_client_set_url(esp_http_client_handle_t client, const char *url);

/** @return ESP_OK; ESP_ERR_INVALID_ARG: NULL handle or no such method */
esp_err_t esp_http_client_set_method(esp_http_client_handle_t client, esp_http_client_method_t method);

/**
 * Set or replace (whatever its case) a request header; it stays for later requests. Both strings are copied, without
 * surrounding blanks.
 * @param value  NULL deletes the header
 * @return ESP_OK, ESP_ERR_INVALID_ARG (NULL, an impossible name, a line break in the value), ESP_ERR_NOT_FOUND (deleting),
 *         ESP_ERR_NO_MEM
 */
esp_err_t esp_http_client_set_header(esp_http_client_handle_t client, const char *key, const char *value);

/** A request header. @param value  the handle's; NULL if absent. @return ESP_OK, ESP_ERR_INVALID_ARG */
esp_err_t esp_http_client_get_header(esp_http_client_handle_t client, const char *key, char **value);

/** @return ESP_OK, ESP_ERR_NOT_FOUND, ESP_ERR_INVALID_ARG */
esp_err_t esp_http_client_delete_header(esp_http_client_handle_t client, const char *key);

/** Removes every request header, Host and User-Agent too. @return ESP_OK, ESP_ERR_INVALID_ARG */
esp_err_t esp_http_client_delete_all_headers(esp_http_client_handle_t client);

/**
 * Body for perform(). Adds "Content-Type: application/x-www-form-urlencoded" unless one is set.
 * @param data  not copied; NULL: no body, and Content-Type is removed
 * @return ESP_OK, ESP_ERR_INVALID_ARG (NULL handle, len < 0), ESP_ERR_NO_MEM
 */
esp_err_t esp_http_client_set_post_field(esp_http_client_handle_t client, const char *data, int len);

/** @param data  receives what was set. @return its length, 0 when none */
int esp_http_client_get_post_field(esp_http_client_handle_t client, char **data);

/** Copied; NULL clears. @return ESP_OK, ESP_ERR_INVALID_ARG (NULL handle), ESP_ERR_NO_MEM */
esp_err_t esp_http_client_set_username(esp_http_client_handle_t client, const char *username);
esp_err_t esp_http_client_set_password(esp_http_client_handle_t client, const char *password);

/** @param value  the handle's; NULL when there is none. @return ESP_OK, ESP_ERR_INVALID_ARG */
esp_err_t esp_http_client_get_username(esp_http_client_handle_t client, char **value);
esp_err_t esp_http_client_get_password(esp_http_client_handle_t client, char **value);

/** @return ESP_OK, ESP_ERR_INVALID_ARG (NULL handle) */
esp_err_t esp_http_client_set_authtype(esp_http_client_handle_t client,
                                       esp_http_client_auth_type_t auth_type);
esp_err_t esp_http_client_set_timeout_ms(esp_http_client_handle_t client, int timeout_ms);
esp_err_t esp_http_client_set_user_data(esp_http_client_handle_t client, void *data);
esp_err_t esp_http_client_get_user_data(esp_http_client_handle_t client, void **data);

/** @param event_handler  NULL: none from now on. @return ESP_OK, ESP_ERR_INVALID_ARG */
esp_err_t esp_http_client_set_event_handler(esp_http_client_handle_t client,
                                            http_event_handle_cb event_handler);

/**
 * A challenge from elsewhere than WWW-Authenticate, for instance from a header of the server's own: call it while the
 * response head is being told (HTTP_EVENT_ON_HEADER). Pieces are joined; the next request forgets them.
 * @return ESP_OK; ESP_ERR_INVALID_ARG: NULL, len < 1, a NUL, or over 4 KiB in all; ESP_ERR_NO_MEM
 */
esp_err_t esp_http_client_set_auth_data(esp_http_client_handle_t client, const char *auth_data, int len);

/**
 * After the head of a 401: take its strongest challenge that can be answered. Read the body or not, then send the request
 * again; its Authorization, and that of the requests after it, is computed when they are sent. perform() does this itself.
 * @return ESP_OK                 send again; also when no response head was read (nothing is done)
 *         ESP_FAIL               max_authorization_retries challenges were taken since the last 2xx
 *         ESP_ERR_NOT_SUPPORTED  no challenge that can be answered, or no user name
 *         ESP_ERR_INVALID_ARG, ESP_ERR_NO_MEM
 */
esp_err_t esp_http_client_add_auth(esp_http_client_handle_t client);

/**
 * Make the Location of the last response the URL; relative ones are resolved. A new host, port or scheme drops the
 * Authorization and Cookie headers, user and password. From the event handler (HTTP_EVENT_REDIRECT, say) it makes
 * esp_http_client_perform() go there, at most max_redirection_count times.
 * @return ESP_OK, ESP_ERR_INVALID_ARG (no Location, or not a URL), ESP_ERR_HTTP_REDIRECT_DOWNGRADE (https to http),
 *         ESP_ERR_NO_MEM; nothing changed unless ESP_OK
 */
esp_err_t esp_http_client_set_redirection(esp_http_client_handle_t client);

/** Redirects and 401s are counted anew. @return ESP_OK, ESP_ERR_INVALID_ARG */
esp_err_t esp_http_client_reset_redirect_counter(esp_http_client_handle_t client);

/* ---- the response ---- */

/** @return the status; -1 while it is awaited, 0 before the first request */
int esp_http_client_get_status_code(esp_http_client_handle_t client);

/** @return bytes; -1 when chunked or not told */
int64_t esp_http_client_get_content_length(esp_http_client_handle_t client);

/** True for chunked bodies, and also for those that end with the connection and for empty ones. */
bool esp_http_client_is_chunked_response(esp_http_client_handle_t client);

/** Bytes of the chunk being read. @return ESP_OK, ESP_FAIL (not chunked), ESP_ERR_INVALID_ARG */
esp_err_t esp_http_client_get_chunk_length(esp_http_client_handle_t client, int *len);

/** The body was read to its end. True before any response. */
bool esp_http_client_is_complete_data_received(esp_http_client_handle_t client);

/** By the scheme of the URL. */
esp_http_client_transport_t esp_http_client_get_transport_type(esp_http_client_handle_t client);

/** "scheme://host:port/path", without the query, cut to fit. @return ESP_OK, ESP_ERR_INVALID_ARG */
esp_err_t esp_http_client_get_url(esp_http_client_handle_t client, char *url, const int len);

/** errno of the last failure, 0: none */
int esp_http_client_get_errno(esp_http_client_handle_t client);

/**
 * The last failure of the connection, which is then forgotten.
 * @param esp_tls_code   NULL, or receives mbedTLS's number without its sign, such as 0x2700; 0: none
 * @param esp_tls_flags  NULL, or receives MBEDTLS_X509_BADCERT_*, -1 from a CA bundle; 0: no complaint
 * @return its ESP_ERR_ESP_TLS_*, ESP_ERR_MBEDTLS_* or ESP_ERR_TCP_TRANSPORT_* code; ESP_OK: none; ESP_ERR_INVALID_ARG
 */
esp_err_t esp_http_client_get_and_clear_last_tls_error(esp_http_client_handle_t client, int *esp_tls_code,
                                                       int *esp_tls_flags);

/** The last response lets the connection be used again. */
bool esp_http_client_is_persistent_connection(esp_http_client_handle_t client);

/** The total of "Content-Range: bytes first-last/total". @return -1: no such header, no total, or malformed */
int64_t esp_http_client_get_content_range(esp_http_client_handle_t client);

/** A header of the last response. @param value  the handle's until the next request; NULL if absent.
 *  @return ESP_OK, ESP_ERR_NOT_FOUND, ESP_ERR_INVALID_ARG */
esp_err_t esp_http_client_get_response_header(esp_http_client_handle_t client, const char *key, char **value);

/** Drop body bytes that came with the head and were not read yet. @return ESP_OK, ESP_ERR_INVALID_ARG */
esp_err_t esp_http_client_clear_response_buffer(esp_http_client_handle_t client);

/** @return HTTP_STATE_UNINIT for NULL */
esp_http_state_t esp_http_client_get_state(esp_http_client_handle_t client);

/** Socket descriptor, -1: none. */
int esp_http_client_get_socket(esp_http_client_handle_t client);

#ifdef __cplusplus
}
#endif
