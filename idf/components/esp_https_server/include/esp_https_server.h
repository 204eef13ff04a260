/* A web server over TLS: ESP-IDF's names over esp_http_server. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_http_server.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    HTTPD_SSL_TRANSPORT_SECURE,
    HTTPD_SSL_TRANSPORT_INSECURE,
} httpd_ssl_transport_mode_t;

struct httpd_ssl_config {
    httpd_config_t httpd;
    const uint8_t *servercert; /* PEM; NULL: `cacert_pem` is the server's, as in ESP-IDF 4 */
    size_t servercert_len;     /* bytes, with a 0 behind, as of the others */
    /* Of clients, beside `servercert`: ESP_ERR_NOT_SUPPORTED, they are not asked for any. */
    const uint8_t *cacert_pem;
    size_t cacert_len;
    const uint8_t *prvtkey_pem;
    size_t prvtkey_len;
    bool use_ecdsa_peripheral; /* ESP_ERR_NOT_SUPPORTED */
    uint8_t ecdsa_key_efuse_blk;
    httpd_ssl_transport_mode_t transport_mode;
    uint16_t port_secure;    /* `otter run --port` says which one of this machine that is */
    uint16_t port_insecure;  /* of HTTPD_SSL_TRANSPORT_INSECURE */
    bool session_tickets;    /* libmicrohttpd's TLS is as it is */
    bool use_secure_element; /* ESP_ERR_NOT_SUPPORTED */
    void *user_cb;           /* nobody calls it */
    void *ssl_userdata;
    void *cert_select_cb; /* nobody calls it */
    const char **alpn_protos;
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

/** @return ESP_OK; ESP_ERR_INVALID_ARG: no certificate or key, or one that is no PEM; ESP_ERR_NOT_SUPPORTED; what httpd_start()
    says, ESP_FAIL also where certificate and key do not fit */
esp_err_t httpd_ssl_start(httpd_handle_t *handle, httpd_ssl_config_t *config);
esp_err_t httpd_ssl_stop(httpd_handle_t handle);

#ifdef __cplusplus
}
#endif
