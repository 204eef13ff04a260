/* A server over TLS: each session has functions that send and receive by TLS, as ESP-IDF's own has. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_https_server.h"

#include <stdlib.h>

#include "../esp-tls/connection.h"
#include "esp_log.h"
#include "otter_httpd.h"

static const char TAG[] = "esp_https_server";

ESP_EVENT_DEFINE_BASE(ESP_HTTPS_SERVER_EVENT);

/** Of a server, as its global transport context. */
typedef struct {
    esp_tls_cfg_server_t tls;
    esp_https_server_user_cb *user_cb;
    unsigned char *texts[3]; /* copies of certificate, key, and the certificate for clients */
    void *ctx;               /* the application's own global transport context */
    httpd_free_ctx_fn_t free_ctx;
} secure_t;

/** Of a session, as its transport context. */
typedef struct {
    esp_tls_t *tls;
    secure_t *secure;
    int wait_ms;
} client_t;

static void post(esp_https_server_event_id_t id, const void *data, size_t size)
{
    (void)esp_event_post(ESP_HTTPS_SERVER_EVENT, (int32_t)id, data, size, 0); /* there need not be a loop */
}

static void tell_user(const secure_t *secure, httpd_ssl_user_cb_state_t state, esp_tls_t *tls)
{
    if (secure->user_cb != NULL) {
        esp_https_server_user_cb_arg_t arg = {.user_cb_state = state, .tls = tls};
        secure->user_cb(&arg);
    }
}

/* ---- a session ---- */

static int receive(httpd_handle_t hd, int fd, char *buf, size_t len, int flags)
{
    (void)flags;
    const client_t *client = httpd_sess_get_transport_ctx(hd, fd);
    ssize_t got = client != NULL ? connection_read(client->tls, buf, len, 0) : -1;
    if (got > 0) {
        const esp_http_server_event_data data = {.fd = fd, .data_len = (int)got};
        post(HTTPS_SERVER_EVENT_ON_DATA, &data, sizeof(data));
    }
    return got >= 0                           ? (int)got
           : got == ESP_TLS_ERR_SSL_WANT_READ ? HTTPD_SOCK_ERR_TIMEOUT
                                              : HTTPD_SOCK_ERR_FAIL;
}

static int transmit(httpd_handle_t hd, int fd, const char *buf, size_t len, int flags)
{
    (void)flags;
    const client_t *client = httpd_sess_get_transport_ctx(hd, fd);
    ssize_t sent = client != NULL ? connection_write(client->tls, buf, len, client->wait_ms) : -1;
    if (sent > 0) {
        const esp_http_server_event_data data = {.fd = fd, .data_len = (int)sent};
        post(HTTPS_SERVER_EVENT_SENT_DATA, &data, sizeof(data));
    }
    return sent > 0                             ? (int)sent
           : sent == ESP_TLS_ERR_SSL_WANT_WRITE ? HTTPD_SOCK_ERR_TIMEOUT
                                                : HTTPD_SOCK_ERR_FAIL;
}

static int pending(httpd_handle_t hd, int fd)
{
    const client_t *client = httpd_sess_get_transport_ctx(hd, fd);
    return client != NULL ? (int)esp_tls_get_bytes_avail(client->tls) : 0;
}

static void end_session(void *ctx)
{
    client_t *client = ctx;
    tell_user(client->secure, HTTPD_SSL_USER_CB_SESS_CLOSE, client->tls);
    int fd = -1;
    (void)esp_tls_get_conn_sockfd(client->tls, &fd); /* both are there */
    esp_tls_server_session_delete(client->tls);
    free(client);
    post(HTTPS_SERVER_EVENT_DISCONNECTED, &fd, sizeof(fd));
}

/** Keeps what belongs to a session, and sets its functions. */
static esp_err_t keep(httpd_handle_t server, int fd, client_t *client)
{
    httpd_sess_set_transport_ctx(server, fd, client, end_session);
    esp_err_t err = httpd_sess_set_send_override(server, fd, transmit);
    err = err == ESP_OK ? httpd_sess_set_recv_override(server, fd, receive) : err;
    return err == ESP_OK ? httpd_sess_set_pending_override(server, fd, pending) : err;
}

static esp_err_t open_session(httpd_handle_t server, int fd)
{
    secure_t *secure = httpd_get_global_transport_ctx(server);
    client_t *client = malloc(sizeof(*client));
    esp_tls_t *tls = esp_tls_init();
    if (client == NULL || tls == NULL) {
        free(client);
        esp_tls_conn_delete(tls);
        return ESP_ERR_NO_MEM;
    }
    *client = (client_t){tls, secure, otter_httpd_config(server)->send_wait_timeout * 1000};
    if (esp_tls_server_session_create(&secure->tls, fd, tls) != 0) {
        esp_tls_error_handle_t error;
        if (esp_tls_get_error_handle(tls, &error) == ESP_OK) {
            post(HTTPS_SERVER_EVENT_ERROR, error, sizeof(*error));
        }
        tell_user(secure, HTTPD_SSL_USER_CB_SESS_ERROR, tls);
        esp_tls_server_session_delete(tls);
        free(client);
        return ESP_FAIL;
    }
    tell_user(secure, HTTPD_SSL_USER_CB_SESS_CREATE, tls);
    post(HTTPS_SERVER_EVENT_ON_CONNECTED, &fd, sizeof(fd));
    return keep(server, fd, client);
}

/* ---- a server ---- */

static void free_secure(void *ctx)
{
    secure_t *secure = ctx;
    for (size_t i = 0; i < sizeof(secure->texts) / sizeof(secure->texts[0]); i++) {
        free(secure->texts[i]);
    }
    if (secure->ctx != NULL && secure->free_ctx != NULL) {
        secure->free_ctx(secure->ctx);
    } else {
        free(secure->ctx);
    }
    free(secure);
}

/** @return the copy, with a 0 behind; NULL: there is nothing, or no memory */
static unsigned char *copy(const uint8_t *text, size_t len)
{
    unsigned char *to = text != NULL ? malloc(len + 1) : NULL;
    if (to != NULL) {
        memcpy(to, text, len);
        to[len] = '\0';
    }
    return to;
}

/** The application may free what it gave when httpd_ssl_start() has returned. */
static secure_t *new_secure(const httpd_ssl_config_t *config)
{
    const bool named = config->servercert != NULL; /* else `cacert_pem` is the server's, as in ESP-IDF 4 */
    secure_t *secure = calloc(1, sizeof(*secure));
    if (secure == NULL) {
        return NULL;
    }
    secure->user_cb = config->user_cb;
    secure->texts[0] = named ? copy(config->servercert, config->servercert_len)
                             : copy(config->cacert_pem, config->cacert_len);
    secure->texts[1] = copy(config->prvtkey_pem, config->prvtkey_len);
    secure->texts[2] = named ? copy(config->cacert_pem, config->cacert_len) : NULL;
    secure->tls = (esp_tls_cfg_server_t){
        .alpn_protos = config->alpn_protos,
        .servercert_buf = secure->texts[0],
        .servercert_bytes = (unsigned)(named ? config->servercert_len : config->cacert_len),
        .serverkey_buf = secure->texts[1],
        .serverkey_bytes = (unsigned)config->prvtkey_len,
        .cacert_buf = secure->texts[2],
        .cacert_bytes = (unsigned)config->cacert_len,
        .client_cert_authmode_optional = config->client_cert_authmode_optional,
        .tls_handshake_timeout_ms = config->tls_handshake_timeout_ms,
        .userdata = config->ssl_userdata,
        .tls_version = config->tls_version,
    };
    return secure;
}

static esp_err_t check(const httpd_ssl_config_t *config)
{
    if (config->use_secure_element || config->use_ecdsa_peripheral || config->cert_select_cb != NULL) {
        ESP_LOGE(TAG, "keys in hardware, and a choice of certificates, are not to be had here");
        return ESP_ERR_NOT_SUPPORTED;
    }
    if ((config->servercert == NULL && config->cacert_pem == NULL) || config->prvtkey_pem == NULL) {
        ESP_LOGE(TAG, "a server has a certificate and a key");
        return ESP_ERR_INVALID_ARG;
    }
    return ESP_OK;
}

static esp_err_t start_secure(httpd_handle_t *handle, const httpd_ssl_config_t *config)
{
    esp_err_t err = check(config);
    if (err != ESP_OK) {
        return err;
    }
    secure_t *secure = new_secure(config);
    if (secure == NULL) {
        return ESP_ERR_NO_MEM;
    }
    err = server_identity_check(&secure->tls);
    httpd_config_t httpd = config->httpd;
    httpd.global_transport_ctx = secure;
    httpd.global_transport_ctx_free_fn = free_secure;
    err = err == ESP_OK ? otter_httpd_start(handle, &httpd, open_session) : err;
    if (err != ESP_OK) {
        free_secure(secure);
        return err;
    }
    secure->ctx = config->httpd.global_transport_ctx;
    secure->free_ctx = config->httpd.global_transport_ctx_free_fn;
    post(HTTPS_SERVER_EVENT_START, handle, sizeof(*handle));
    return ESP_OK;
}

esp_err_t httpd_ssl_start(httpd_handle_t *handle, httpd_ssl_config_t *config)
{
    if (handle == NULL || config == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    bool secure = config->transport_mode == HTTPD_SSL_TRANSPORT_SECURE;
    config->httpd.server_port = secure ? config->port_secure : config->port_insecure;
    return secure ? start_secure(handle, config) : httpd_start(handle, &config->httpd);
}

esp_err_t httpd_ssl_stop(httpd_handle_t handle)
{
    esp_err_t err = httpd_stop(handle);
    if (err == ESP_OK) {
        post(HTTPS_SERVER_EVENT_STOP, &handle, sizeof(handle));
    }
    return err;
}
