/* The connection of a handle: choose the transport by scheme, connect, judge whether it can be used again, close. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client_internal.h"

#include <errno.h>
#include <string.h>

#include "esp_crt_bundle.h"
#include "esp_log.h"
#include "otter/promise.h"

static const char TAG[] = "HTTP_CLIENT";

/** conf is the otter_tls_config_t of the connection. Programs that only want to know whether there is a bundle pass NULL. */
esp_err_t esp_crt_bundle_attach(void *conf)
{
    if (conf != NULL) {
        ((otter_tls_config_t *)conf)->use_system_store = true;
    }
    return ESP_OK;
}

/** Trust in ESP-IDF's order: bundle, global store, own certificates. */
static esp_err_t choose_trust(const esp_http_client_config_t *config, otter_tls_config_t *tls)
{
    if (config->crt_bundle_attach != NULL) {
        return config->crt_bundle_attach(tls);
    }
    if (config->use_global_ca_store) {
        tls->use_global_store = true;
    } else {
        tls->ca_pem = config->cert_pem;
        tls->ca_len = config->cert_len;
    }
    return ESP_OK;
}

static otter_transport_t *new_tls(esp_http_client_handle_t client)
{
    const esp_http_client_config_t *config = &client->config;
    otter_tls_config_t tls = {
        .client_cert_pem = config->client_cert_pem,
        .client_cert_len = config->client_cert_len,
        .client_key_pem = config->client_key_pem,
        .client_key_len = config->client_key_len,
        .client_key_password = config->client_key_password,
        .client_key_password_len = config->client_key_password_len,
        .skip_name_check = config->skip_cert_common_name_check,
        .common_name = client->common_name,
        .tls_version = config->tls_version == ESP_HTTP_CLIENT_TLS_VER_TLS_1_2   ? 2
                       : config->tls_version == ESP_HTTP_CLIENT_TLS_VER_TLS_1_3 ? 3
                                                                                : 0,
        .alpn = config->alpn_protos,
        .save_session = config->save_client_session,
    };
    if (choose_trust(config, &tls) != ESP_OK) {
        return NULL;
    }
    otter_transport_t *tcp = otter_tcp_new();
    return tcp != NULL ? otter_tls_new(tcp, &tls) : NULL;
}

static bool choose_transport(esp_http_client_handle_t client)
{
    if (client->config.transport != NULL) {
        client->transport = (otter_transport_t *)(void *)client->config.transport;
        return true;
    }
    if (client->transport != NULL && client->transport_is_tls == client->url.https) {
        return true;
    }
    if (client->transport != NULL) {
        client->transport->ops->destroy(client->transport);
    }
    client->transport = client->url.https ? new_tls(client) : otter_tcp_new();
    client->transport_is_tls = client->url.https;
    return client->transport != NULL;
}

static http_stage_t stage_of(esp_err_t code)
{
    static const struct {
        esp_err_t code;
        http_stage_t stage;
    } stages[] = {
        {ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME, HTTP_STAGE_RESOLVE},
        {ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT, HTTP_STAGE_TLS},
        {ESP_ERR_ESP_TLS_TCP_CLOSED_FIN, HTTP_STAGE_TLS},
        {ESP_ERR_MBEDTLS_CERT_PARTLY_OK, HTTP_STAGE_TLS},
        {ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED, HTTP_STAGE_TLS},
        {ESP_ERR_MBEDTLS_SSL_SETUP_FAILED, HTTP_STAGE_TLS},
        {ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED, HTTP_STAGE_TLS},
    };
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        if (stages[i].code == code) {
            return stages[i].stage;
        }
    }
    return HTTP_STAGE_CONNECT;
}

void http_client_require_https(esp_http_client_handle_t client)
{
    client->https_only = true;
}

/** Checks the scheme just before a connection is made: URLs also come from callbacks and redirects. */
static esp_err_t check_scheme(esp_http_client_handle_t client)
{
    const http_url_t *url = &client->url;
    if (url->https || (strcmp(url->scheme, "http") == 0 && !client->https_only)) {
        return ESP_OK;
    }
    bool plain = strcmp(url->scheme, "http") == 0;
    return http_client_refuse(client, HTTP_STAGE_CONNECT,
                              plain ? ESP_ERR_NOT_ALLOWED : ESP_ERR_HTTP_INVALID_TRANSPORT, "%s",
                              plain ? "plain HTTP is refused" : "the URL is neither http nor https");
}

/** What esp-tls says of it, under both transports. */
static void log_cause(const otter_transport_error_t *cause, const char *host)
{
    /* Of lwIP's numbers, which do not tell why: 203 EAI_MEMORY, 202 EAI_FAIL. */
    if (cause->fault.code == ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME) {
        ESP_LOGE("esp-tls", "couldn't get hostname for :%s: getaddrinfo() returns %d, addrinfo=0x0", host,
                 cause->sys_errno == ENOMEM ? 203 : 202);
    } else if (stage_of(cause->fault.code) == HTTP_STAGE_TLS && cause->tls_code != 0) {
        ESP_LOGE("esp-tls-mbedtls", "mbedtls_ssl_handshake returned -0x%04X", (unsigned)cause->tls_code);
    }
    if (cause->tls_verify != 0) {
        ESP_LOGI("esp-tls-mbedtls", "Failed to verify peer certificate!");
    }
}

/** Logs ESP-IDF's lines, in its order, layer by layer; the cause is in our words. */
static void log_failure(const otter_transport_error_t *cause, const http_url_t *url)
{
    log_cause(cause, url->host);
    if (!url->https) {
        ESP_LOGE("transport_base", "Failed to open a new connection: %d", cause->fault.code);
    } else {
        if (cause->fault.code == ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT) {
            ESP_LOGW("esp-tls", "Failed to open new connection in specified timeout");
        } else {
            ESP_LOGE("esp-tls", "Failed to open new connection");
        }
        ESP_LOGE("transport_base", "Failed to open a new connection");
    }
    ESP_LOGE(TAG, "Connection failed, sock < 0: %s", cause->fault.why);
}

esp_err_t http_connection_open(esp_http_client_handle_t client)
{
    const http_url_t *url = &client->url;
    esp_err_t scheme = check_scheme(client);
    if (scheme != ESP_OK) {
        return scheme;
    }
    if (!choose_transport(client)) {
        http_client_refuse(client, HTTP_STAGE_CONNECT, ESP_ERR_NO_MEM,
                           "no transport: out of memory or no trust");
        return ESP_ERR_HTTP_CONNECT;
    }
    otter_endpoint_t endpoint = {
        .host = url->host,
        .port = url->port,
        .timeout_ms = client->timeout_ms,
        .address_family = client->config.addr_type == HTTP_ADDR_TYPE_INET    ? 4
                          : client->config.addr_type == HTTP_ADDR_TYPE_INET6 ? 6
                                                                             : 0,
        .if_name = client->if_name[0] != '\0' ? client->if_name : NULL,
        .keep_alive = client->config.keep_alive_enable,
        .keep_alive_idle_s = client->config.keep_alive_idle,
        .keep_alive_interval_s = client->config.keep_alive_interval,
        .keep_alive_count = client->config.keep_alive_count,
    };
    esp_err_t err = client->transport->ops->connect(client->transport, &endpoint);
    OTTER_ASSERT(err == ESP_OK || err == ESP_ERR_HTTP_CONNECT);
    if (err != ESP_OK) {
        const otter_transport_error_t *cause = client->transport->ops->error(client->transport);
        log_failure(cause, url);
        http_client_fail(client, stage_of(cause->fault.code), cause);
        errno =
            cause->sys_errno; /* programs show it: what the log or a call before left there would mislead */
        return ESP_ERR_HTTP_CONNECT;
    }
    client->state = STATE_CONNECTED;
    client->reused = false;
    http_client_event(client, HTTP_EVENT_ON_CONNECTED, NULL, 0);
    return ESP_OK;
}

void http_connection_close(esp_http_client_handle_t client)
{
    if (client->state == STATE_INIT) {
        return;
    }
    client->transport->ops->close(client->transport);
    client->state = STATE_INIT;
    http_client_event(client, HTTP_EVENT_DISCONNECTED, &client->tls_error, 0);
}

bool http_connection_is_usable(esp_http_client_handle_t client)
{
    if (client->state == STATE_INIT || client->state == STATE_REQUEST_SENT) {
        return false;
    }
    const http_response_t *response = &client->response;
    if (client->state == STATE_RESPONSE &&
        (!response->end_seen || !response->persistent || response->failed)) {
        return false;
    }
    /* Between two requests a server sends nothing. Bytes, or the end, mean that it does not use this connection any more. */
    char probe;
    return client->transport->ops->read(client->transport, &probe, 1, 0) == OTTER_IO_TIMEOUT;
}

const otter_transport_error_t *http_connection_error(esp_http_client_handle_t client, int io)
{
    static const otter_transport_error_t closed = {
        .fault = {ESP_ERR_TCP_TRANSPORT_CONNECTION_CLOSED_BY_FIN, "the server closed the connection"},
        .sys_errno = ENOTCONN,
    };
    static const otter_transport_error_t timeout = {
        .fault = {ESP_ERR_TCP_TRANSPORT_CONNECTION_TIMEOUT, "the server sent nothing for too long"},
        .sys_errno = EAGAIN,
    };
    const otter_transport_error_t *cause = io == OTTER_IO_EOF ? &closed
                                           : io == OTTER_IO_TIMEOUT
                                               ? &timeout
                                               : client->transport->ops->error(client->transport);
    errno = cause->sys_errno != 0 ? cause->sys_errno : ECONNRESET;
    return cause;
}
