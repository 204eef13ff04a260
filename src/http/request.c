/* Sending: the request line and headers through the transmit buffer, then what the application writes. */
#include "http/client_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"

static const char TAG[] = "HTTP_CLIENT";

static const char *const method_names[HTTP_METHOD_MAX] = {
    "GET",     "POST", "PUT",  "PATCH", "DELETE", "HEAD",     "NOTIFY",    "SUBSCRIBE", "UNSUBSCRIBE",
    "OPTIONS", "COPY", "MOVE", "LOCK",  "UNLOCK", "PROPFIND", "PROPPATCH", "MKCOL",     "REPORT",
};

/* @return `len`, OTTER_IO_TIMEOUT or OTTER_IO_ERROR */
static int send_all(esp_http_client_handle_t client, const char *data, size_t len)
{
    size_t sent = 0;
    while (sent < len) {
        int n = client->transport->ops->write(client->transport, data + sent, len - sent, client->timeout_ms);
        if (n <= 0) {
            return n == OTTER_IO_TIMEOUT ? n : OTTER_IO_ERROR;
        }
        sent += (size_t)n;
    }
    return (int)len;
}

static esp_err_t flush(esp_http_client_handle_t client)
{
    int n = send_all(client, client->tx, client->tx_len);
    client->tx_len = 0;
    if (n >= 0) {
        return ESP_OK;
    }
    http_client_fail(client, HTTP_STAGE_SEND, http_connection_error(client, n), ESP_ERR_HTTP_WRITE_DATA,
                     NULL);
    return ESP_ERR_HTTP_WRITE_DATA;
}

/* Pieces of one line go into the buffer together: a line that does not fit an empty buffer is refused by the caller. */
static esp_err_t put_line(esp_http_client_handle_t client, const char *const pieces[], size_t count,
                          esp_err_t too_long)
{
    size_t len = 2;
    for (size_t i = 0; i < count; i++) {
        len += strlen(pieces[i]);
    }
    if (len > client->tx_size) {
        return too_long;
    }
    if (len > client->tx_size - client->tx_len) {
        esp_err_t err = flush(client);
        if (err != ESP_OK) {
            return err;
        }
    }
    char *to = client->tx + client->tx_len;
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(pieces[i]);
        memcpy(to, pieces[i], n);
        to += n;
    }
    to[0] = '\r';
    to[1] = '\n';
    client->tx_len += len;
    return ESP_OK;
}

static esp_err_t put_header(esp_http_client_handle_t client, const char *key, const char *value)
{
    const char *pieces[] = {key, ": ", value};
    esp_err_t err = put_line(client, pieces, 3, ESP_ERR_HTTP_HEADER_TOO_LONG);
    if (err == ESP_ERR_HTTP_HEADER_TOO_LONG) {
        ESP_LOGE(TAG, "Header %s does not fit buffer_size_tx", key);
    }
    return err;
}

static esp_err_t put_request_line(esp_http_client_handle_t client)
{
    const http_url_t *url = &client->url;
    const char *pieces[] = {
        method_names[client->config.method],  " ",        url->path, url->query != NULL ? "?" : "",
        url->query != NULL ? url->query : "", " HTTP/1.1"};
    esp_err_t err = put_line(client, pieces, sizeof(pieces) / sizeof(pieces[0]), ESP_FAIL);
    if (err == ESP_FAIL) {
        ESP_LOGE(TAG, "Out of buffer: the request line does not fit buffer_size_tx");
    }
    return err;
}

static void base64(const char *data, size_t len, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++) {
            bits = bits << 8 | (i + k < len ? (unsigned char)data[i + k] : 0u);
        }
        for (size_t k = 0; k < 4; k++) {
            *out++ = i + k > len ? '=' : digits[bits >> (18 - 6 * k) & 63];
        }
    }
    *out = '\0';
}

/* Credentials that need no challenge: the application chose Basic, or wrote them into the URL. */
static esp_err_t put_basic_auth(esp_http_client_handle_t client)
{
    bool wanted = client->config.auth_type == HTTP_AUTH_TYPE_BASIC ||
                  (client->config.auth_type == HTTP_AUTH_TYPE_NONE && client->url_credentials);
    if (!wanted || client->username == NULL || http_headers_get(&client->headers, "Authorization") != NULL) {
        return ESP_OK;
    }
    const char *password = client->password != NULL ? client->password : "";
    size_t len = strlen(client->username) + 1 + strlen(password);
    char *plain = malloc(len + 1);
    char *value = malloc(sizeof("Basic ") + (len + 2) / 3 * 4);
    esp_err_t err = ESP_ERR_NO_MEM;
    if (plain != NULL && value != NULL) {
        snprintf(plain, len + 1, "%s:%s", client->username, password);
        memcpy(value, "Basic ", sizeof("Basic "));
        base64(plain, len, value + strlen(value));
        err = put_header(client, "Authorization", value);
    }
    free(plain);
    free(value);
    return err;
}

static bool body_is_unusual(esp_http_client_method_t method)
{
    return method == HTTP_METHOD_GET || method == HTTP_METHOD_HEAD || method == HTTP_METHOD_DELETE;
}

static esp_err_t put_body_header(esp_http_client_handle_t client)
{
    if (client->write_len < 0) {
        return put_header(client, "Transfer-Encoding", "chunked");
    }
    if (client->write_len == 0 && body_is_unusual(client->config.method)) {
        return ESP_OK;
    }
    char length[16];
    snprintf(length, sizeof(length), "%d", client->write_len);
    return put_header(client, "Content-Length", length);
}

/* Framing is the handle's business: an application's own would contradict it. */
static bool is_framing(const char *key)
{
    return http_name_equal(key, "Content-Length") || http_name_equal(key, "Transfer-Encoding");
}

static esp_err_t put_head(esp_http_client_handle_t client)
{
    client->tx_len = 0;
    esp_err_t err = put_request_line(client);
    for (size_t i = 0; err == ESP_OK && i < client->headers.count; i++) {
        const http_header_t *header = &client->headers.items[i];
        if (!is_framing(header->key)) {
            err = put_header(client, header->key, header->value);
        }
    }
    if (err == ESP_OK) {
        err = put_basic_auth(client);
    }
    if (err == ESP_OK) {
        err = put_body_header(client);
    }
    return err == ESP_OK ? put_line(client, NULL, 0, ESP_FAIL) : err;
}

esp_err_t http_request_send(esp_http_client_handle_t client)
{
    http_response_reset(client);
    client->status = -1;
    esp_err_t err = put_head(client);
    if (err == ESP_OK) {
        err = flush(client);
    }
    if (err != ESP_OK) {
        /* Part of the head may be out: nothing else can follow it. */
        if (err != ESP_ERR_HTTP_WRITE_DATA) {
            http_client_fail(client, HTTP_STAGE_SEND, NULL, err, "the request does not fit buffer_size_tx");
        }
        http_connection_close(client);
        return err;
    }
    client->state = STATE_REQUEST_SENT;
    http_client_event(client, HTTP_EVENT_HEADERS_SENT, NULL, 0);
    return ESP_OK;
}

int esp_http_client_write(esp_http_client_handle_t client, const char *buffer, int len)
{
    if (client == NULL || buffer == NULL || len < 0 || client->state != STATE_REQUEST_SENT) {
        return -1;
    }
    errno = 0;
    int n = send_all(client, buffer, (size_t)len);
    if (n >= 0) {
        return n;
    }
    http_client_fail(client, HTTP_STAGE_SEND, http_connection_error(client, n), ESP_ERR_HTTP_WRITE_DATA,
                     NULL);
    return n == OTTER_IO_TIMEOUT ? 0 : -1;
}
