/* The transports of TCP and TLS, as connections of ESP-TLS. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "../esp-tls/connection.h"
#include "esp_transport_ssl.h"
#include "esp_transport_tcp.h"
#include "transport_item.h"

static int disconnect(esp_transport_handle_t t)
{
    t->ahead_at = t->ahead_len = 0;
    esp_tls_conn_delete(t->tls); /* NULL is fine */
    t->tls = NULL;
    return 0;
}

static int connect_stream(esp_transport_handle_t t, const char *host, int port, int timeout_ms)
{
    esp_tls_error_handle_t error;
    (void)disconnect(t);
    t->tls = host != NULL ? esp_tls_init() : NULL;
    if (t->tls == NULL) {
        return -1;
    }
    t->config.timeout_ms = timeout_ms;
    if (esp_tls_conn_new_sync(host, (int)strlen(host), port, &t->config, t->tls) == 1) {
        t->error = (struct esp_tls_last_error){0};
        return 0;
    }
    if (esp_tls_get_error_handle(t->tls, &error) == ESP_OK) {
        t->error = *error;
    }
    (void)disconnect(t);
    return -1;
}

/** For `events` on the socket. @return above 0: it has come */
static int wait_for(esp_transport_handle_t t, short events, int timeout_ms)
{
    struct pollfd stream = {.fd = esp_transport_get_socket(t), .events = events};
    return stream.fd >= 0 ? poll(&stream, 1, timeout_ms) : -1;
}

/** Whether TLS has something for the next read: bytes that go into `ahead`, or an end. */
static bool look_ahead(esp_transport_handle_t t)
{
    if (t->ahead_len > 0) {
        return true;
    }
    ssize_t got = connection_read(t->tls, t->ahead, sizeof(t->ahead), 0);
    t->ahead_at = 0;
    t->ahead_len = got > 0 ? (size_t)got : 0;
    return got != ESP_TLS_ERR_SSL_WANT_READ && got != ESP_TLS_ERR_SSL_WANT_WRITE;
}

static int poll_read_stream(esp_transport_handle_t t, int timeout_ms)
{
    if (t->tls != NULL && !t->config.is_plain_tcp && look_ahead(t)) {
        return 1;
    }
    return wait_for(t, POLLIN, timeout_ms);
}

static int poll_write_stream(esp_transport_handle_t t, int timeout_ms)
{
    return wait_for(t, POLLOUT, timeout_ms);
}

static int read_stream(esp_transport_handle_t t, char *buffer, int len, int timeout_ms)
{
    if (t->tls == NULL || buffer == NULL || len <= 0) {
        return ERR_TCP_TRANSPORT_CONNECTION_FAILED;
    }
    if (t->ahead_len > 0) {
        size_t taken = (size_t)len < t->ahead_len ? (size_t)len : t->ahead_len;
        memcpy(buffer, t->ahead + t->ahead_at, taken);
        t->ahead_at += taken;
        t->ahead_len -= taken;
        return (int)taken;
    }
    ssize_t got = connection_read(t->tls, buffer, (size_t)len, timeout_ms > 0 ? timeout_ms : 0);
    return got > 0                            ? (int)got
           : got == 0                         ? ERR_TCP_TRANSPORT_CONNECTION_CLOSED_BY_FIN
           : got == ESP_TLS_ERR_SSL_WANT_READ ? ERR_TCP_TRANSPORT_CONNECTION_TIMEOUT
                                              : ERR_TCP_TRANSPORT_CONNECTION_FAILED;
}

static int write_stream(esp_transport_handle_t t, const char *buffer, int len, int timeout_ms)
{
    if (t->tls == NULL || buffer == NULL || len <= 0) {
        return -1;
    }
    ssize_t sent = connection_write(t->tls, buffer, (size_t)len, timeout_ms > 0 ? timeout_ms : 0);
    return sent > 0 ? (int)sent : sent == ESP_TLS_ERR_SSL_WANT_WRITE ? 0 : -1;
}

static esp_transport_handle_t new_stream(bool is_plain_tcp)
{
    esp_transport_handle_t t = esp_transport_init();
    if (t != NULL) {
        t->is_ours = true;
        t->config.is_plain_tcp = is_plain_tcp;
        (void)esp_transport_set_func(t, connect_stream, read_stream, write_stream, disconnect,
                                     poll_read_stream, poll_write_stream, disconnect); /* t is there */
    }
    return t;
}

esp_transport_handle_t esp_transport_tcp_init(void)
{
    return new_stream(true);
}

esp_transport_handle_t esp_transport_ssl_init(void)
{
    return new_stream(false);
}

void esp_transport_ssl_set_keep_alive(esp_transport_handle_t t, esp_transport_keep_alive_t *keep_alive_cfg)
{
    if (t != NULL && keep_alive_cfg != NULL) {
        t->keep_alive = (tls_keep_alive_cfg_t){
            .keep_alive_enable = keep_alive_cfg->keep_alive_enable,
            .keep_alive_idle = keep_alive_cfg->keep_alive_idle,
            .keep_alive_interval = keep_alive_cfg->keep_alive_interval,
            .keep_alive_count = keep_alive_cfg->keep_alive_count,
        };
        t->config.keep_alive_cfg = &t->keep_alive;
    }
}

void esp_transport_tcp_set_keep_alive(esp_transport_handle_t t, esp_transport_keep_alive_t *keep_alive_cfg)
{
    esp_transport_ssl_set_keep_alive(t, keep_alive_cfg);
}

/* ---- trust and identity ---- */

void esp_transport_ssl_set_cert_data_der(esp_transport_handle_t t, const char *data, int len)
{
    if (t != NULL) {
        t->config.cacert_buf = (const unsigned char *)data;
        t->config.cacert_bytes = (unsigned)len;
    }
}

void esp_transport_ssl_set_client_cert_data_der(esp_transport_handle_t t, const char *data, int len)
{
    if (t != NULL) {
        t->config.clientcert_buf = (const unsigned char *)data;
        t->config.clientcert_bytes = (unsigned)len;
    }
}

void esp_transport_ssl_set_client_key_data_der(esp_transport_handle_t t, const char *data, int len)
{
    if (t != NULL) {
        t->config.clientkey_buf = (const unsigned char *)data;
        t->config.clientkey_bytes = (unsigned)len;
    }
}

/* Of a text otter looks for the end by itself, as without a length. */

void esp_transport_ssl_set_cert_data(esp_transport_handle_t t, const char *data, int len)
{
    (void)len;
    esp_transport_ssl_set_cert_data_der(t, data, 0);
}

void esp_transport_ssl_set_client_cert_data(esp_transport_handle_t t, const char *data, int len)
{
    (void)len;
    esp_transport_ssl_set_client_cert_data_der(t, data, 0);
}

void esp_transport_ssl_set_client_key_data(esp_transport_handle_t t, const char *data, int len)
{
    (void)len;
    esp_transport_ssl_set_client_key_data_der(t, data, 0);
}

void esp_transport_ssl_set_client_key_password(esp_transport_handle_t t, const char *password,
                                               int password_len)
{
    if (t != NULL) {
        t->config.clientkey_password = (const unsigned char *)password;
        t->config.clientkey_password_len = (unsigned)password_len;
    }
}

void esp_transport_ssl_crt_bundle_attach(esp_transport_handle_t t, esp_err_t (*crt_bundle_attach)(void *conf))
{
    if (t != NULL) {
        t->config.crt_bundle_attach = crt_bundle_attach;
    }
}

void esp_transport_ssl_enable_global_ca_store(esp_transport_handle_t t)
{
    if (t != NULL) {
        t->config.use_global_ca_store = true;
    }
}

void esp_transport_ssl_set_alpn_protocol(esp_transport_handle_t t, const char **alpn_protos)
{
    if (t != NULL) {
        t->config.alpn_protos = alpn_protos;
    }
}

void esp_transport_ssl_skip_common_name_check(esp_transport_handle_t t)
{
    if (t != NULL) {
        t->config.skip_common_name = true;
    }
}

void esp_transport_ssl_set_common_name(esp_transport_handle_t t, const char *common_name)
{
    if (t != NULL) {
        t->config.common_name = common_name;
    }
}

void esp_transport_ssl_set_tls_version(esp_transport_handle_t t, esp_tls_proto_ver_t tls_version)
{
    if (t != NULL) {
        t->config.tls_version = tls_version;
    }
}

void esp_transport_ssl_set_addr_family(esp_transport_handle_t t, esp_tls_addr_family_t addr_family)
{
    if (t != NULL) {
        t->config.addr_family = addr_family;
    }
}

void esp_transport_ssl_set_interface_name(esp_transport_handle_t t, struct ifreq *if_name)
{
    if (t != NULL && if_name != NULL) {
        t->interface = *if_name;
        t->config.if_name = &t->interface;
    }
}

void esp_transport_tcp_set_interface_name(esp_transport_handle_t t, struct ifreq *if_name)
{
    esp_transport_ssl_set_interface_name(t, if_name);
}

/* ---- what no connection here can do: each is refused when it connects ---- */

void esp_transport_ssl_set_psk_key_hint(esp_transport_handle_t t, const psk_hint_key_t *psk_hint_key)
{
    if (t != NULL) {
        t->config.psk_hint_key = psk_hint_key;
    }
}

void esp_transport_ssl_set_ds_data(esp_transport_handle_t t, void *ds_data)
{
    if (t != NULL) {
        t->config.ds_data = ds_data;
    }
}

void esp_transport_ssl_use_secure_element(esp_transport_handle_t t)
{
    if (t != NULL) {
        t->config.use_secure_element = true;
    }
}

void esp_transport_ssl_set_client_key_ecdsa_peripheral(esp_transport_handle_t t, uint8_t ecdsa_efuse_blk)
{
    if (t != NULL) {
        t->config.use_ecdsa_peripheral = true;
        t->config.ecdsa_key_efuse_blk = ecdsa_efuse_blk;
    }
}

void esp_transport_ssl_set_ciphersuites_list(esp_transport_handle_t t, const int *ciphersuites_list)
{
    if (t != NULL) {
        t->config.ciphersuites_list = ciphersuites_list;
    }
}
