/* The handle of the HTTP client: configuration, request headers, URL and credentials, events, failures. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/text.h"

#define DEFAULT_TIMEOUT_MS       5000
#define DEFAULT_USER_AGENT       "ESP32 HTTP Client/1.0"
#define DEFAULT_MAX_REDIRECT     10
#define DEFAULT_MAX_AUTH_RETRIES 10
#define FORM_CONTENT_TYPE        "application/x-www-form-urlencoded"

/* ---- URL and credentials ---- */

/** *slot = copy of text, NULL: cleared; unchanged after ESP_ERR_NO_MEM. */
static esp_err_t replace_text(char **slot, const char *text)
{
    char *copy = text_copy(text);
    if (copy == NULL && text != NULL) {
        return ESP_ERR_NO_MEM;
    }
    free(*slot);
    *slot = copy;
    return ESP_OK;
}

static esp_err_t set_host_header(http_headers_t *headers, const http_url_t *url)
{
    size_t size = strlen(url->host) + sizeof("[]:65535");
    char *text = malloc(size);
    if (text == NULL) {
        return ESP_ERR_NO_MEM;
    }
    http_url_host_header(url, text, size);
    esp_err_t err = http_headers_set(headers, "Host", text);
    free(text);
    return err;
}

static void drop_credentials(esp_http_client_handle_t client)
{
    (void)http_headers_remove(&client->headers, "Authorization"); /* absent is fine */
    (void)replace_text(&client->username, NULL);                  /* clearing takes no memory */
    (void)replace_text(&client->password, NULL);
    client->url_credentials = false;
}

static esp_err_t take_url_credentials(esp_http_client_handle_t client, const http_url_t *url)
{
    if (url->user == NULL) {
        return ESP_OK;
    }
    esp_err_t err = replace_text(&client->username, url->user);
    if (err == ESP_OK) {
        err = replace_text(&client->password, url->password);
    }
    client->url_credentials = err == ESP_OK;
    return err;
}

/** Takes over `url`, or frees it after an error: Host, connection and credentials follow it. */
static esp_err_t use_url(esp_http_client_handle_t client, http_url_t *url, bool is_redirect)
{
    bool same_origin = http_url_same_origin(&client->url, url);
    esp_err_t err = same_origin ? ESP_OK : set_host_header(&client->headers, url);
    if (err != ESP_OK) {
        http_url_free(url);
        return err;
    }
    if (is_redirect ? !same_origin : strcmp(client->url.host, url->host) != 0) {
        drop_credentials(client);
    }
    if (is_redirect && !same_origin) {
        (void)http_headers_remove(&client->headers, "Cookie"); /* absent is fine */
    }
    if (!same_origin) {
        http_client_forget_challenge(client);
        http_connection_close(client);
        (void)http_response_drop_cached(client);
    }
    http_url_free(&client->url);
    client->url = *url;
    return take_url_credentials(client, &client->url);
}

esp_err_t esp_http_client_set_url(esp_http_client_handle_t client, const char *url)
{
    if (client == NULL || url == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    http_url_t parsed;
    bool is_path = url[0] == '/' && url[1] != '/';
    esp_err_t err = is_path ? http_url_resolve(&client->url, url, &parsed) : http_url_parse(url, &parsed);
    return err == ESP_OK ? use_url(client, &parsed, false) : err;
}

esp_err_t esp_http_client_set_redirection(esp_http_client_handle_t client)
{
    const char *location = client != NULL ? http_client_response_header(client, "Location") : NULL;
    if (location == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    http_url_t target;
    esp_err_t err = http_url_follow(&client->url, location, &target);
    if (err != ESP_OK) {
        return err;
    }
    if (client->url.https && !target.https) {
        http_url_free(&target);
        return ESP_ERR_HTTP_REDIRECT_DOWNGRADE;
    }
    err = use_url(client, &target, true);
    if (err == ESP_OK) {
        client->redirect_count++;
        client->again = true;
    }
    return err;
}

esp_err_t esp_http_client_reset_redirect_counter(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    client->redirect_count = 0;
    client->auth_count = 0;
    return ESP_OK;
}

esp_err_t esp_http_client_get_url(esp_http_client_handle_t client, char *url, const int len)
{
    if (client == NULL || url == NULL || len <= 0) {
        return ESP_ERR_INVALID_ARG;
    }
    (void)http_url_print(&client->url, false, url, (size_t)len); /* cut to fit, as in ESP-IDF */
    return ESP_OK;
}

void http_client_describe_url(esp_http_client_handle_t client, char *text, size_t size)
{
    if (http_url_print(&client->url, false, text, size) >= size) {
        memcpy(text + size - 4, "...", 4);
    }
}

esp_http_client_transport_t esp_http_client_get_transport_type(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return HTTP_TRANSPORT_UNKNOWN;
    }
    if (client->url.https) {
        return HTTP_TRANSPORT_OVER_SSL;
    }
    return strcmp(client->url.scheme, "http") == 0 ? HTTP_TRANSPORT_OVER_TCP : HTTP_TRANSPORT_UNKNOWN;
}

/* ---- life cycle ---- */

/** host, port, path and query of a configuration as one URL text, which the caller frees; NULL: no memory. */
static char *url_of_parts(const esp_http_client_config_t *config)
{
    static const char format[] = "%s://%s%s%s:%d%s%s%s%s";
    bool https = config->transport_type == HTTP_TRANSPORT_OVER_SSL;
    bool brackets = strchr(config->host, ':') != NULL && config->host[0] != '[';
    const char *query = config->query != NULL ? config->query : "";
    size_t size = sizeof(format) + sizeof("https-2147483648") + strlen(config->host) + strlen(config->path) +
                  strlen(query);
    char *text = malloc(size);
    if (text != NULL) {
        snprintf(text, size, format, https ? "https" : "http", brackets ? "[" : "", config->host,
                 brackets ? "]" : "",
                 config->port != 0 ? config->port
                 : https           ? 443
                                   : 80,
                 config->path[0] == '/' ? "" : "/", config->path, query[0] != '\0' ? "?" : "", query);
    }
    return text;
}

static esp_err_t init_url(esp_http_client_handle_t client, const esp_http_client_config_t *config)
{
    if (config->host == NULL || config->path == NULL) {
        return config->url != NULL ? http_url_parse(config->url, &client->url) : ESP_ERR_INVALID_ARG;
    }
    char *text = url_of_parts(config);
    if (text == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = http_url_parse(text, &client->url);
    free(text);
    return err;
}

static esp_err_t init_texts(esp_http_client_handle_t client, const esp_http_client_config_t *config)
{
    esp_err_t err = take_url_credentials(client, &client->url);
    if (err == ESP_OK && config->username != NULL) {
        err = replace_text(&client->username, config->username);
        client->url_credentials = false;
    }
    if (err == ESP_OK && config->password != NULL) {
        err = replace_text(&client->password, config->password);
    }
    if (err == ESP_OK) {
        err = replace_text(&client->common_name, config->common_name);
    }
    if (err == ESP_OK) {
        err = http_headers_set(&client->headers, "User-Agent",
                               config->user_agent != NULL ? config->user_agent : DEFAULT_USER_AGENT);
    }
    return err == ESP_OK ? set_host_header(&client->headers, &client->url) : err;
}

static esp_err_t init_buffers(esp_http_client_handle_t client, const esp_http_client_config_t *config)
{
    client->rx_size = config->buffer_size > 0 ? (size_t)config->buffer_size : DEFAULT_HTTP_BUF_SIZE;
    client->tx_size = config->buffer_size_tx > 0 ? (size_t)config->buffer_size_tx : DEFAULT_HTTP_BUF_SIZE;
    client->rx = malloc(client->rx_size);
    client->tx = malloc(client->tx_size);
    return client->rx != NULL && client->tx != NULL ? ESP_OK : ESP_ERR_NO_MEM;
}

/** The copy keeps what must outlive init by contract; strings that need not are dropped, so that nothing dangles. */
static void keep_config(esp_http_client_handle_t client, const esp_http_client_config_t *config)
{
    esp_http_client_config_t *kept = &client->config;
    *kept = *config;
    kept->url = kept->host = kept->path = kept->query = NULL;
    kept->username = kept->password = kept->user_agent = kept->common_name = NULL;
    kept->if_name = NULL;
    if (kept->max_redirection_count == 0) {
        kept->max_redirection_count = DEFAULT_MAX_REDIRECT;
    }
    if (kept->max_authorization_retries == 0) {
        kept->max_authorization_retries = DEFAULT_MAX_AUTH_RETRIES;
    }
    if ((unsigned)kept->method >= HTTP_METHOD_MAX) {
        kept->method = HTTP_METHOD_GET;
    }
    if (config->if_name != NULL) {
        /* The name comes first in every platform's struct ifreq, whose other fields a strict C compiler may hide. */
        snprintf(client->if_name, sizeof(client->if_name), "%s", (const char *)config->if_name);
    }
}

static void free_client(esp_http_client_handle_t client)
{
    http_response_free(&client->response);
    http_headers_clear(&client->headers);
    http_url_free(&client->url);
    http_client_forget_challenge(client);
    free(client->username);
    free(client->password);
    free(client->common_name);
    free(client->rx);
    free(client->tx);
    free(client);
}

esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t *config)
{
    esp_http_client_handle_t client = config != NULL ? calloc(1, sizeof(*client)) : NULL;
    if (client == NULL) {
        return NULL;
    }
    keep_config(client, config);
    (void)esp_http_client_set_timeout_ms(client, config->timeout_ms); /* cannot fail: the handle is there */
    esp_err_t err = init_url(client, config);
    if (err == ESP_OK) {
        err = init_texts(client, config);
    }
    if (err == ESP_OK) {
        err = init_buffers(client, config);
    }
    if (err != ESP_OK) {
        free_client(client);
        return NULL;
    }
    return client;
}

esp_err_t esp_http_client_prepare(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (http_connection_is_usable(client)) {
        client->state = STATE_CONNECTED;
    } else {
        http_connection_close(client);
    }
    http_response_reset(client);
    client->status = -1;
    return ESP_OK;
}

esp_err_t esp_http_client_cancel_request(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (client->state == STATE_INIT) {
        return ESP_ERR_INVALID_STATE;
    }
    http_connection_close(client);
    (void)http_response_drop_cached(client);
    client->response.end_seen = true; /* nothing more comes of that response */
    return http_connection_open(client);
}

esp_http_state_t esp_http_client_get_state(esp_http_client_handle_t client)
{
    static const esp_http_state_t states[] = {
        [STATE_INIT] = HTTP_STATE_INIT,
        [STATE_CONNECTED] = HTTP_STATE_CONNECTED,
        [STATE_REQUEST_SENT] = HTTP_STATE_REQ_COMPLETE_HEADER,
        [STATE_RESPONSE] = HTTP_STATE_RES_ON_DATA_START,
    };
    return client != NULL ? states[client->state] : HTTP_STATE_UNINIT;
}

esp_err_t esp_http_client_close(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_FAIL;
    }
    http_connection_close(client);
    return ESP_OK;
}

esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_FAIL;
    }
    http_connection_close(client);
    otter_transport_t *transport =
        client->transport != NULL ? client->transport : (otter_transport_t *)(void *)client->config.transport;
    if (transport != NULL) {
        transport->ops->destroy(transport);
    }
    free_client(client);
    return ESP_OK;
}

int esp_http_client_get_socket(esp_http_client_handle_t client)
{
    if (client == NULL || client->state == STATE_INIT) {
        return -1;
    }
    return client->transport->ops->descriptor(client->transport);
}

const http_headers_t *http_client_response_headers(esp_http_client_handle_t client)
{
    return &client->response.head.headers;
}

const char *http_client_response_header(esp_http_client_handle_t client, const char *key)
{
    return http_headers_get(&client->response.head.headers, key);
}

/* ---- the request ---- */

esp_err_t esp_http_client_set_method(esp_http_client_handle_t client, esp_http_client_method_t method)
{
    if (client == NULL || (unsigned)method >= HTTP_METHOD_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    client->config.method = method;
    return ESP_OK;
}

esp_err_t esp_http_client_set_header(esp_http_client_handle_t client, const char *key, const char *value)
{
    if (client == NULL || key == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return value != NULL ? http_headers_set(&client->headers, key, value)
                         : http_headers_remove(&client->headers, key);
}

esp_err_t esp_http_client_get_header(esp_http_client_handle_t client, const char *key, char **value)
{
    if (client == NULL || key == NULL || value == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *value = http_headers_get(&client->headers, key);
    return ESP_OK;
}

esp_err_t esp_http_client_delete_header(esp_http_client_handle_t client, const char *key)
{
    if (client == NULL || key == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return http_headers_remove(&client->headers, key);
}

esp_err_t esp_http_client_delete_all_headers(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    http_headers_clear(&client->headers);
    return ESP_OK;
}

esp_err_t esp_http_client_set_post_field(esp_http_client_handle_t client, const char *data, int len)
{
    if (client == NULL || len < 0) {
        return ESP_ERR_INVALID_ARG;
    }
    client->post_data = data;
    client->post_len = data != NULL ? len : 0;
    if (data == NULL) {
        (void)http_headers_remove(&client->headers, "Content-Type"); /* absent is fine */
        return ESP_OK;
    }
    if (http_headers_get(&client->headers, "Content-Type") != NULL) {
        return ESP_OK;
    }
    return http_headers_set(&client->headers, "Content-Type", FORM_CONTENT_TYPE);
}

int esp_http_client_get_post_field(esp_http_client_handle_t client, char **data)
{
    if (client == NULL || data == NULL || client->post_data == NULL) {
        return 0;
    }
    *data = (char *)(uintptr_t)client->post_data; /* ESP-IDF's signature; the caller gave it as const */
    return client->post_len;
}

esp_err_t esp_http_client_set_username(esp_http_client_handle_t client, const char *username)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    client->url_credentials = false;
    return replace_text(&client->username, username);
}

esp_err_t esp_http_client_set_password(esp_http_client_handle_t client, const char *password)
{
    return client != NULL ? replace_text(&client->password, password) : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_http_client_get_username(esp_http_client_handle_t client, char **value)
{
    if (client == NULL || value == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *value = client->username;
    return ESP_OK;
}

esp_err_t esp_http_client_get_password(esp_http_client_handle_t client, char **value)
{
    if (client == NULL || value == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *value = client->password;
    return ESP_OK;
}

esp_err_t esp_http_client_set_authtype(esp_http_client_handle_t client, esp_http_client_auth_type_t auth_type)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    client->config.auth_type = auth_type;
    return ESP_OK;
}

esp_err_t esp_http_client_set_timeout_ms(esp_http_client_handle_t client, int timeout_ms)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    client->timeout_ms = timeout_ms > 0 ? timeout_ms : DEFAULT_TIMEOUT_MS;
    return ESP_OK;
}

esp_err_t esp_http_client_set_event_handler(esp_http_client_handle_t client,
                                            http_event_handle_cb event_handler)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    client->config.event_handler = event_handler;
    return ESP_OK;
}

esp_err_t esp_http_client_set_user_data(esp_http_client_handle_t client, void *data)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    client->config.user_data = data;
    return ESP_OK;
}

esp_err_t esp_http_client_get_user_data(esp_http_client_handle_t client, void **data)
{
    if (client == NULL || data == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *data = client->config.user_data;
    return ESP_OK;
}
