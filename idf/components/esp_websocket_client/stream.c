/* The bytes of a client's connection, for its own task and those that send. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>

#include "client.h"
#include "esp_log.h"
#include "esp_timer.h"

static const char TAG[] = "websocket_client";

#define TIMEOUT_MS 10000

static int timeout_of(esp_websocket_client_handle_t client)
{
    return client->config.network_timeout_ms > 0 ? client->config.network_timeout_ms : TIMEOUT_MS;
}

/** Bytes of a PEM whose length may be left out. */
static unsigned length_of(const char *pem, size_t len)
{
    return pem == NULL ? 0 : (unsigned)(len > 0 ? len : strlen(pem) + 1);
}

esp_err_t stream_open(esp_websocket_client_handle_t client)
{
    const esp_websocket_client_config_t *config = &client->config;
    const esp_tls_cfg_t cfg = {
        .cacert_buf = (const unsigned char *)config->cert_pem,
        .cacert_bytes = length_of(config->cert_pem, config->cert_len),
        .clientcert_buf = (const unsigned char *)config->client_cert,
        .clientcert_bytes = length_of(config->client_cert, config->client_cert_len),
        .clientkey_buf = (const unsigned char *)config->client_key,
        .clientkey_bytes = length_of(config->client_key, config->client_key_len),
        .use_global_ca_store = config->use_global_ca_store,
        .crt_bundle_attach = config->crt_bundle_attach,
        .common_name = config->cert_common_name,
        .skip_common_name = config->skip_cert_common_name_check,
        .non_block = true,
        .timeout_ms = timeout_of(client),
        .is_plain_tcp = !client->place.secure,
    };
    client->tls = esp_tls_init();
    if (client->tls == NULL) {
        return ESP_ERR_NO_MEM;
    }
    const char *host = client->place.host;
    if (esp_tls_conn_new_sync(host, (int)strlen(host), client->place.port, &cfg, client->tls) != 1) {
        ESP_LOGE(TAG, "cannot connect to %s port %d", host, client->place.port);
        stream_close(client);
        return ESP_FAIL;
    }
    return ESP_OK;
}

void stream_close(esp_websocket_client_handle_t client)
{
    (void)pthread_mutex_lock(&client->lock); /* a plain one: this cannot fail */
    if (client->tls != NULL) {
        (void)esp_tls_conn_destroy(client->tls);
    }
    client->tls = NULL;
    (void)pthread_mutex_unlock(&client->lock);
}

static int socket_of(esp_websocket_client_handle_t client)
{
    int fd = -1;
    (void)pthread_mutex_lock(&client->lock);
    if (client->tls != NULL && esp_tls_get_conn_sockfd(client->tls, &fd) != ESP_OK) {
        fd = -1;
    }
    (void)pthread_mutex_unlock(&client->lock);
    return fd;
}

static bool wait_for(esp_websocket_client_handle_t client, short event, int timeout_ms)
{
    struct pollfd fd = {.fd = socket_of(client), .events = event};
    return poll(&fd, 1, timeout_ms) == 1;
}

bool stream_wait(esp_websocket_client_handle_t client, int timeout_ms)
{
    return wait_for(client, POLLIN, timeout_ms);
}

ssize_t stream_read(esp_websocket_client_handle_t client, void *to, size_t size)
{
    (void)pthread_mutex_lock(&client->lock);
    ssize_t got = client->tls != NULL ? esp_tls_conn_read(client->tls, to, size) : -1;
    (void)pthread_mutex_unlock(&client->lock);
    if (got == ESP_TLS_ERR_SSL_WANT_READ || got == ESP_TLS_ERR_SSL_WANT_WRITE) {
        return 0;
    }
    return got > 0 ? got : -1;
}

bool stream_write(esp_websocket_client_handle_t client, const void *data, size_t size)
{
    const char *at = data;
    const int64_t until = esp_timer_get_time() + (int64_t)timeout_of(client) * 1000;
    while (size > 0) {
        (void)pthread_mutex_lock(&client->lock);
        ssize_t sent = client->tls != NULL ? esp_tls_conn_write(client->tls, at, size) : -1;
        (void)pthread_mutex_unlock(&client->lock);
        bool later = sent == ESP_TLS_ERR_SSL_WANT_READ || sent == ESP_TLS_ERR_SSL_WANT_WRITE || sent == 0;
        if (sent > 0) {
            at += sent;
            size -= (size_t)sent;
        } else if (!later || esp_timer_get_time() > until) {
            return false;
        } else {
            (void)wait_for(client, POLLOUT, 100); /* then it is tried again */
        }
    }
    return true;
}
