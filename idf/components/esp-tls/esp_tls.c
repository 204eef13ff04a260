/* A connection of ESP-TLS is a stream of otter's transport seam, with what its last call left to be told. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_tls_connection.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "connection.h"
#include "esp_log.h"
#include "otter/transport.h"

static const char TAG[] = "esp-tls";

#define TIMEOUT_MS 10000
#define HOST_MAX   253 /* bytes of a name in DNS */
#define PORT_HTTP  80
#define PORT_HTTPS 443

struct esp_tls {
    otter_transport_t *transport; /* NULL: not connected */
    otter_tls_config_t trust;     /* lives as long as the transport */
    esp_tls_conn_state_t state;
    esp_tls_role_t role;
    bool non_block;
    int timeout_ms;
    struct esp_tls_last_error error;
};

esp_tls_t *esp_tls_init(void)
{
    return calloc(1, sizeof(esp_tls_t));
}

/** Keeps why a call of the transport failed. */
static void keep_error(esp_tls_t *tls)
{
    const otter_transport_error_t *error = tls->transport->ops->error(tls->transport);
    tls->error.last_error = error->fault.code;
    tls->error.esp_tls_error_code = error->tls_code;
    tls->error.esp_tls_flags = error->tls_verify;
    ESP_LOGE(TAG, "%s", otter_fault_text(&error->fault, error->fault.code));
}

static otter_tls_config_t trust_of(const esp_tls_cfg_t *cfg)
{
    static const int versions[] = {
        [ESP_TLS_VER_ANY] = 0, [ESP_TLS_VER_TLS_1_2] = 2, [ESP_TLS_VER_TLS_1_3] = 3};
    return (otter_tls_config_t){
        .ca_pem = (const char *)cfg->cacert_buf,
        .ca_len = cfg->cacert_bytes,
        .use_system_store = cfg->crt_bundle_attach != NULL,
        .use_global_store = cfg->use_global_ca_store,
        .client_cert_pem = (const char *)cfg->clientcert_buf,
        .client_cert_len = cfg->clientcert_bytes,
        .client_key_pem = (const char *)cfg->clientkey_buf,
        .client_key_len = cfg->clientkey_bytes,
        .client_key_password = (const char *)cfg->clientkey_password,
        .client_key_password_len = cfg->clientkey_password_len,
        .skip_name_check = cfg->skip_common_name,
        .common_name = cfg->common_name,
        .tls_version = (unsigned)cfg->tls_version < ESP_TLS_VER_TLS_MAX ? versions[cfg->tls_version] : 0,
        .alpn = cfg->alpn_protos,
    };
}

static otter_endpoint_t endpoint_of(const char *host, int port, const esp_tls_cfg_t *cfg, int timeout_ms)
{
    static const int families[] = {[ESP_TLS_AF_UNSPEC] = 0, [ESP_TLS_AF_INET] = 4, [ESP_TLS_AF_INET6] = 6};
    otter_endpoint_t endpoint = {
        .host = host,
        .port = (uint16_t)port,
        .timeout_ms = timeout_ms,
        .if_name = cfg->if_name != NULL ? cfg->if_name->ifr_name : NULL,
        .address_family = (unsigned)cfg->addr_family <= ESP_TLS_AF_INET6 ? families[cfg->addr_family] : 0};
    if (cfg->keep_alive_cfg != NULL && cfg->keep_alive_cfg->keep_alive_enable) {
        endpoint.keep_alive = true;
        endpoint.keep_alive_idle_s = cfg->keep_alive_cfg->keep_alive_idle;
        endpoint.keep_alive_interval_s = cfg->keep_alive_cfg->keep_alive_interval;
        endpoint.keep_alive_count = cfg->keep_alive_cfg->keep_alive_count;
    }
    return endpoint;
}

static int fail(esp_tls_t *tls, esp_err_t code, const char *why)
{
    tls->error.last_error = code;
    tls->state = ESP_TLS_FAIL;
    ESP_LOGE(TAG, "%s", why);
    return -1;
}

int esp_tls_conn_new_sync(const char *hostname, int hostlen, int port, const esp_tls_cfg_t *cfg,
                          esp_tls_t *tls)
{
    if (hostname == NULL || cfg == NULL || tls == NULL || tls->transport != NULL) {
        return -1;
    }
    if (hostlen <= 0 || hostlen > HOST_MAX || port <= 0 || port > UINT16_MAX) {
        return fail(tls, ESP_ERR_INVALID_ARG, "a host name has 1 to 253 bytes, a port is 1 to 65535");
    }
    if (cfg->psk_hint_key != NULL || cfg->ds_data != NULL || cfg->use_secure_element ||
        cfg->use_ecdsa_peripheral || cfg->ciphersuites_list != NULL) {
        return fail(tls, ESP_ERR_NOT_SUPPORTED,
                    "there are no pre-shared keys, none in hardware, and no choice of cipher suites");
    }
    char host[HOST_MAX + 1] = "";
    memcpy(host, hostname, (size_t)hostlen);
    tls->trust = trust_of(cfg);
    tls->non_block = cfg->non_block;
    tls->timeout_ms = cfg->timeout_ms > 0 ? cfg->timeout_ms : TIMEOUT_MS;
    tls->transport = otter_tcp_new();
    if (tls->transport != NULL && !cfg->is_plain_tcp) {
        tls->transport = otter_tls_new(tls->transport, &tls->trust);
    }
    if (tls->transport == NULL) {
        return fail(tls, ESP_ERR_NO_MEM, "out of memory");
    }
    const otter_endpoint_t endpoint = endpoint_of(host, port, cfg, tls->timeout_ms);
    if (tls->transport->ops->connect(tls->transport, &endpoint) != ESP_OK) {
        keep_error(tls);
        tls->state = ESP_TLS_FAIL;
        return -1;
    }
    tls->state = ESP_TLS_DONE;
    return 1;
}

int esp_tls_conn_http_new_sync(const char *url, const esp_tls_cfg_t *cfg, esp_tls_t *tls)
{
    if (url == NULL || cfg == NULL || tls == NULL) {
        return -1;
    }
    const bool is_https = strncasecmp(url, "https://", 8) == 0;
    if (!is_https && strncasecmp(url, "http://", 7) != 0) {
        return fail(tls, ESP_ERR_INVALID_ARG, "an URL begins with http:// or https://");
    }
    const char *host = url + (is_https ? 8 : 7);
    size_t len = strcspn(host, "/?#");
    int port = is_https ? PORT_HTTPS : PORT_HTTP;
    const bool is_ip6 = host[0] == '[';
    const char *end = is_ip6 ? memchr(host, ']', len) : memchr(host, ':', len);
    const char *colon = is_ip6 && end != NULL ? end + 1 : end;
    if ((is_ip6 && end == NULL) ||
        (colon != NULL && colon < host + len && sscanf(colon, ":%5d", &port) != 1)) {
        return fail(tls, ESP_ERR_INVALID_ARG, "the URL names no host and port");
    }
    const char *name = host + is_ip6;
    const char *name_end = end != NULL ? end : host + len;
    return esp_tls_conn_new_sync(name, (int)(name_end - name), port, cfg, tls);
}

int esp_tls_conn_new_async(const char *hostname, int hostlen, int port, const esp_tls_cfg_t *cfg,
                           esp_tls_t *tls)
{
    return esp_tls_conn_new_sync(hostname, hostlen, port, cfg, tls);
}

int esp_tls_conn_http_new_async(const char *url, const esp_tls_cfg_t *cfg, esp_tls_t *tls)
{
    return esp_tls_conn_http_new_sync(url, cfg, tls);
}

/** @return tls, or NULL, and it is freed */
static esp_tls_t *if_connected(esp_tls_t *tls, int result)
{
    if (result != 1) {
        (void)esp_tls_conn_destroy(tls);
        return NULL;
    }
    return tls;
}

esp_tls_t *esp_tls_conn_new(const char *hostname, int hostlen, int port, const esp_tls_cfg_t *cfg)
{
    esp_tls_t *tls = esp_tls_init();
    return tls != NULL ? if_connected(tls, esp_tls_conn_new_sync(hostname, hostlen, port, cfg, tls)) : NULL;
}

esp_tls_t *esp_tls_conn_http_new(const char *url, const esp_tls_cfg_t *cfg)
{
    esp_tls_t *tls = esp_tls_init();
    return tls != NULL ? if_connected(tls, esp_tls_conn_http_new_sync(url, cfg, tls)) : NULL;
}

/** From the seam's results to ESP-TLS's. */
static ssize_t result_of(esp_tls_t *tls, int io, ssize_t if_late)
{
    if (io == OTTER_IO_TIMEOUT) {
        return if_late;
    }
    if (io == OTTER_IO_ERROR) {
        keep_error(tls);
    }
    return io;
}

ssize_t connection_read(esp_tls_t *tls, void *data, size_t len, int timeout_ms)
{
    if (tls == NULL || data == NULL || len == 0 || tls->state != ESP_TLS_DONE) {
        return -1;
    }
    return result_of(tls, tls->transport->ops->read(tls->transport, data, len, timeout_ms),
                     ESP_TLS_ERR_SSL_WANT_READ);
}

ssize_t connection_write(esp_tls_t *tls, const void *data, size_t len, int timeout_ms)
{
    if (tls == NULL || data == NULL || len == 0 || tls->state != ESP_TLS_DONE) {
        return -1;
    }
    return result_of(tls, tls->transport->ops->write(tls->transport, data, len, timeout_ms),
                     ESP_TLS_ERR_SSL_WANT_WRITE);
}

/** How long a call of ESP-TLS waits. */
static int wait_of(const esp_tls_t *tls)
{
    return tls != NULL && !tls->non_block ? tls->timeout_ms : 0;
}

ssize_t esp_tls_conn_read(esp_tls_t *tls, void *data, size_t datalen)
{
    return connection_read(tls, data, datalen, wait_of(tls));
}

ssize_t esp_tls_conn_write(esp_tls_t *tls, const void *data, size_t datalen)
{
    return connection_write(tls, data, datalen, wait_of(tls));
}

int esp_tls_conn_destroy(esp_tls_t *tls)
{
    if (tls == NULL) {
        return -1;
    }
    if (tls->transport != NULL) {
        tls->transport->ops->destroy(tls->transport);
    }
    free(tls);
    return 0;
}

void esp_tls_conn_delete(esp_tls_t *tls)
{
    (void)esp_tls_conn_destroy(tls); /* NULL is fine */
}

/* ---- the server's side ---- */

int esp_tls_server_session_create(esp_tls_cfg_server_t *cfg, int sockfd, esp_tls_t *tls)
{
    if (cfg == NULL || tls == NULL || sockfd < 0 || tls->transport != NULL) {
        return -1;
    }
    if (cfg->use_secure_element || cfg->use_ecdsa_peripheral || cfg->psk_hint_key != NULL ||
        cfg->cert_select_cb != NULL) {
        return fail(tls, ESP_ERR_NOT_SUPPORTED,
                    "there are no keys in hardware, no pre-shared ones, and no choice of a certificate");
    }
    tls->timeout_ms = cfg->tls_handshake_timeout_ms > 0 && cfg->tls_handshake_timeout_ms < INT_MAX
                          ? (int)cfg->tls_handshake_timeout_ms
                          : TIMEOUT_MS;
    tls->transport = server_transport_new(cfg, sockfd);
    if (tls->transport == NULL) {
        return fail(tls, ESP_ERR_NO_MEM, "out of memory");
    }
    const otter_endpoint_t client = {.timeout_ms = tls->timeout_ms};
    tls->role = ESP_TLS_SERVER;
    tls->state = ESP_TLS_HANDSHAKE;
    if (tls->transport->ops->connect(tls->transport, &client) != ESP_OK) {
        keep_error(tls);
        tls->state = ESP_TLS_FAIL;
        return -1;
    }
    tls->state = ESP_TLS_DONE;
    return 0;
}

esp_err_t esp_tls_server_session_init(esp_tls_cfg_server_t *cfg, int sockfd, esp_tls_t *tls)
{
    return esp_tls_server_session_create(cfg, sockfd, tls) == 0 ? ESP_OK : ESP_FAIL;
}

int esp_tls_server_session_continue_async(esp_tls_t *tls)
{
    return tls != NULL && tls->state == ESP_TLS_DONE ? 0 : -1;
}

void esp_tls_server_session_delete(esp_tls_t *tls)
{
    (void)esp_tls_conn_destroy(tls); /* NULL is fine */
}

esp_err_t esp_tls_cfg_server_session_tickets_init(esp_tls_cfg_server_t *cfg)
{
    return cfg != NULL ? ESP_ERR_NOT_SUPPORTED : ESP_ERR_INVALID_ARG;
}

void esp_tls_cfg_server_session_tickets_free(esp_tls_cfg_server_t *cfg)
{
    (void)cfg; /* there are none */
}

/* ---- what one asks of it ---- */

ssize_t esp_tls_get_bytes_avail(esp_tls_t *tls)
{
    return tls == NULL                   ? ESP_FAIL
           : tls->role == ESP_TLS_SERVER ? server_transport_pending(tls->transport)
                                         : 0;
}

esp_err_t esp_tls_set_conn_sockfd(esp_tls_t *tls, int sockfd)
{
    return tls == NULL || sockfd < 0 ? ESP_ERR_INVALID_ARG : ESP_ERR_NOT_SUPPORTED;
}

esp_err_t esp_tls_set_conn_state(esp_tls_t *tls, esp_tls_conn_state_t conn_state)
{
    if (tls == NULL || (unsigned)conn_state > ESP_TLS_DONE) {
        return ESP_ERR_INVALID_ARG;
    }
    tls->state = conn_state;
    return ESP_OK;
}

esp_tls_client_session_t *esp_tls_get_client_session(esp_tls_t *tls)
{
    (void)tls;
    return NULL;
}

void esp_tls_free_client_session(esp_tls_client_session_t *client_session)
{
    (void)client_session; /* there are none */
}

void *esp_tls_get_ssl_context(esp_tls_t *tls)
{
    (void)tls;
    return NULL;
}

esp_err_t esp_tls_plain_tcp_connect(const char *host, int hostlen, int port, const esp_tls_cfg_t *cfg,
                                    esp_tls_error_handle_t error_handle, int *sockfd)
{
    if (host == NULL || cfg == NULL || error_handle == NULL || sockfd == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_tls_cfg_t plain = *cfg;
    plain.is_plain_tcp = true;
    esp_tls_t *tls = esp_tls_init();
    if (tls == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = ESP_OK;
    if (esp_tls_conn_new_sync(host, hostlen, port, &plain, tls) == 1) {
        *sockfd = dup(tls->transport->ops->descriptor(tls->transport)); /* the application's from here on */
        err = *sockfd >= 0 ? ESP_OK : ESP_ERR_ESP_TLS_CANNOT_CREATE_SOCKET;
    } else {
        *error_handle = tls->error;
        err = tls->error.last_error;
    }
    (void)esp_tls_conn_destroy(tls); /* it is there */
    return err;
}

esp_err_t esp_tls_get_conn_sockfd(esp_tls_t *tls, int *sockfd)
{
    if (tls == NULL || sockfd == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *sockfd = tls->transport != NULL ? tls->transport->ops->descriptor(tls->transport) : -1;
    return ESP_OK;
}

esp_err_t esp_tls_get_conn_state(esp_tls_t *tls, esp_tls_conn_state_t *conn_state)
{
    if (tls == NULL || conn_state == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *conn_state = tls->state;
    return ESP_OK;
}

esp_err_t esp_tls_get_error_handle(esp_tls_t *tls, esp_tls_error_handle_t *error_handle)
{
    if (tls == NULL || error_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *error_handle = &tls->error;
    return ESP_OK;
}

esp_err_t esp_tls_get_and_clear_error_type(esp_tls_error_handle_t h, esp_tls_error_type_t err_type,
                                           int *error_code)
{
    if (h == NULL || error_code == NULL || err_type <= ESP_TLS_ERR_TYPE_UNKNOWN ||
        err_type >= ESP_TLS_ERR_TYPE_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    int none = 0, *from = err_type == ESP_TLS_ERR_TYPE_ESP                  ? &h->last_error
                          : err_type == ESP_TLS_ERR_TYPE_MBEDTLS            ? &h->esp_tls_error_code
                          : err_type == ESP_TLS_ERR_TYPE_MBEDTLS_CERT_FLAGS ? &h->esp_tls_flags
                                                                            : &none;
    *error_code = *from;
    *from = 0;
    return ESP_OK;
}

esp_err_t esp_tls_init_global_ca_store(void)
{
    return ESP_OK;
}
