/* A web server over TLS: ESP-IDF's names over esp_http_server and esp-tls. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_event.h"
#include "esp_http_server.h"
#include "esp_tls.h"
#include "esp_tls_connection.h"

#ifdef __cplusplus
extern "C" {
#endif

ESP_EVENT_DECLARE_BASE(ESP_HTTPS_SERVER_EVENT);

/** Their data: the httpd_handle_t of START and STOP; an int, the session's number, of (DIS)CONNECTED; esp_http_server_event_data
    of data; esp_https_server_last_error_t of ERROR: a handshake has failed. */
typedef enum {
    HTTPS_SERVER_EVENT_ERROR = 0,
    HTTPS_SERVER_EVENT_START,
    HTTPS_SERVER_EVENT_ON_CONNECTED,
    HTTPS_SERVER_EVENT_ON_DATA,
    HTTPS_SERVER_EVENT_SENT_DATA,
    HTTPS_SERVER_EVENT_DISCONNECTED,
    HTTPS_SERVER_EVENT_STOP,
} esp_https_server_event_id_t;

typedef esp_tls_last_error_t esp_https_server_last_error_t;

typedef enum {
    HTTPD_SSL_USER_CB_SESS_CREATE,
    HTTPD_SSL_USER_CB_SESS_CLOSE,
    HTTPD_SSL_USER_CB_SESS_ERROR,
} httpd_ssl_user_cb_state_t;

typedef struct esp_https_server_user_cb_arg {
    httpd_ssl_user_cb_state_t user_cb_state;
    esp_tls_t *tls;
} esp_https_server_user_cb_arg_t;

/** Called in the thread of the connection. */
typedef void esp_https_server_user_cb(esp_https_server_user_cb_arg_t *user_cb);

typedef enum {
    HTTPD_SSL_TRANSPORT_SECURE,
    HTTPD_SSL_TRANSPORT_INSECURE,
} httpd_ssl_transport_mode_t;

struct httpd_ssl_config {
    httpd_config_t httpd;
    const uint8_t *servercert; /* PEM or DER; NULL: `cacert_pem` is the server's, as in ESP-IDF 4 */
    size_t servercert_len;     /* bytes, as of the others */
    /* Beside `servercert`: what signs clients' certificates, and each must have one. */
    const uint8_t *cacert_pem;
    size_t cacert_len;
    bool client_cert_authmode_optional; /* a client without one is let in, too */
    const uint8_t *prvtkey_pem;
    size_t prvtkey_len;
    bool use_ecdsa_peripheral; /* ESP_ERR_NOT_SUPPORTED */
    uint8_t ecdsa_key_efuse_blk;
    httpd_ssl_transport_mode_t transport_mode;
    uint16_t port_secure;    /* `otter run --port` says which one of this machine that is */
    uint16_t port_insecure;  /* of HTTPD_SSL_TRANSPORT_INSECURE */
    bool session_tickets;    /* TLS has them in any case */
    bool use_secure_element; /* ESP_ERR_NOT_SUPPORTED */
    esp_https_server_user_cb *user_cb;
    void *ssl_userdata;
    int (*cert_select_cb)(void *ssl); /* ESP_ERR_NOT_SUPPORTED */
    const char **alpn_protos;
    uint32_t tls_handshake_timeout_ms; /* 0: 10000 */
    esp_tls_proto_ver_t tls_version;
};
typedef struct httpd_ssl_config httpd_ssl_config_t;

#define HTTPD_SSL_CONFIG_DEFAULT()                                                                           \
    {                                                                                                        \
        .httpd =                                                                                             \
            {                                                                                                \
                .task_priority = tskIDLE_PRIORITY + 5,                                                       \
                .stack_size = 10240,                                                                         \
                .core_id = tskNO_AFFINITY,                                                                   \
                .max_req_hdr_len = CONFIG_HTTPD_MAX_REQ_HDR_LEN,                                             \
                .max_uri_len = CONFIG_HTTPD_MAX_URI_LEN,                                                     \
                .ctrl_port = ESP_HTTPD_DEF_CTRL_PORT,                                                        \
                .max_open_sockets = 4,                                                                       \
                .max_uri_handlers = 8,                                                                       \
                .max_resp_headers = 8,                                                                       \
                .backlog_conn = 5,                                                                           \
                .lru_purge_enable = true,                                                                    \
                .recv_wait_timeout = 5,                                                                      \
                .send_wait_timeout = 5,                                                                      \
            },                                                                                               \
        .transport_mode = HTTPD_SSL_TRANSPORT_SECURE, .port_secure = 443, .port_insecure = 80,               \
    }

/** Certificates and key are copied.
    @return ESP_OK; ESP_ERR_INVALID_ARG: no certificate or key; ESP_ERR_NOT_SUPPORTED; ESP_ERR_NO_MEM; what httpd_start() says,
    ESP_FAIL also where certificate and key cannot be read, or do not fit */
esp_err_t httpd_ssl_start(httpd_handle_t *handle, httpd_ssl_config_t *config);
esp_err_t httpd_ssl_stop(httpd_handle_t handle);

#ifdef __cplusplus
}
#endif
