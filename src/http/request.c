/* Sending: the request line and headers through the transmit buffer, then what the application writes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/text.h"
#include "esp_log.h"
#include "otter/promise.h"

static const char TAG[] = "HTTP_CLIENT";

/** @return `len`, OTTER_IO_TIMEOUT or OTTER_IO_ERROR */
static int send_all(esp_http_client_handle_t client, const char *data, size_t len)
{
    size_t sent = 0;
    while (sent < len) {
        int n = client->transport->ops->write(client->transport, data + sent, len - sent, client->timeout_ms);
        OTTER_ASSERT(n >= OTTER_IO_TIMEOUT && (n < 0 || (size_t)n <= len - sent));
        if (n <= 0) {
            return n == OTTER_IO_TIMEOUT ? n : OTTER_IO_ERROR;
        }
        sent += (size_t)n;
    }
    return (int)len;
}

static esp_err_t send_or_fail(esp_http_client_handle_t client, const char *data, size_t len)
{
    int n = send_all(client, data, len);
    if (n >= 0) {
        return ESP_OK;
    }
    http_client_fail(client, HTTP_STAGE_SEND, http_connection_error(client, n));
    return ESP_ERR_HTTP_WRITE_DATA;
}

static esp_err_t flush(esp_http_client_handle_t client)
{
    size_t len = client->tx_len;
    client->tx_len = 0;
    return send_or_fail(client, client->tx, len);
}

static esp_err_t fail_too_long(esp_http_client_handle_t client, const char *what, size_t len, esp_err_t code)
{
    ESP_LOGE(TAG, "%.60s has %zu bytes, buffer_size_tx only %zu", what, len, client->tx_size);
    return http_client_refuse(client, HTTP_STAGE_SEND, code, "%.60s has %zu bytes, buffer_size_tx only %zu",
                              what, len, client->tx_size);
}

/**
 * Pieces of one line go into the buffer together.
 * @param what      names the line, whose name is no secret
 * @param too_long  what is said of a line that does not fit an empty buffer
 */
static esp_err_t put_line(esp_http_client_handle_t client, const char *const pieces[], size_t count,
                          const char *what, esp_err_t too_long)
{
    size_t len = 2;
    for (size_t i = 0; i < count; i++) {
        len += strlen(pieces[i]);
    }
    if (len > client->tx_size) {
        return fail_too_long(client, what, len, too_long);
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
    char what[64];
    text_format(what, sizeof(what), "the header %s", key);
    return put_line(client, pieces, 3, what, ESP_ERR_HTTP_HEADER_TOO_LONG);
}

static esp_err_t put_request_line(esp_http_client_handle_t client)
{
    const http_url_t *url = &client->url;
    const char *pieces[] = {
        http_method_name(client->config.method), " ",        url->path, url->query != NULL ? "?" : "",
        url->query != NULL ? url->query : "",    " HTTP/1.1"};
    return put_line(client, pieces, sizeof(pieces) / sizeof(pieces[0]), "the request line", ESP_FAIL);
}

/** What the handle computes itself is not bound by buffer_size_tx: the application cannot know how long it gets. */
static esp_err_t put_long_header(esp_http_client_handle_t client, const char *name, const char *value)
{
    if (strlen(name) + strlen(value) + sizeof(": \r\n") - 1 <= client->tx_size) {
        return put_header(client, name, value);
    }
    esp_err_t err = flush(client);
    const char *pieces[] = {name, ": ", value, "\r\n"};
    for (size_t i = 0; err == ESP_OK && i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        err = send_or_fail(client, pieces[i], strlen(pieces[i]));
    }
    return err;
}

static esp_err_t put_authorization(esp_http_client_handle_t client)
{
    char *value = NULL;
    esp_err_t err = http_client_authorization(client, &value);
    if (err != ESP_OK) {
        http_client_refuse(client, HTTP_STAGE_SEND, err, "the request cannot be authorized");
    } else if (value != NULL) {
        err = put_long_header(client, "Authorization", value);
    }
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

/** The handle itself sets these headers: the application's own would contradict them. */
static bool is_ours(esp_http_client_handle_t client, const char *key)
{
    return http_name_equal(key, "Content-Length") || http_name_equal(key, "Transfer-Encoding") ||
           (http_client_answers_challenge(client) && http_name_equal(key, "Authorization"));
}

/** The value was given by the server, so the application cannot know how long it is. */
static bool may_be_long(const char *key)
{
    return http_name_equal(key, "If-Range");
}

esp_err_t http_request_check(esp_http_client_handle_t client)
{
    const http_url_t *url = &client->url;
    size_t len = strlen(http_method_name(client->config.method)) + strlen(url->path) +
                 (url->query != NULL ? 1 + strlen(url->query) : 0) + sizeof("  HTTP/1.1\r\n") - 1;
    if (len > client->tx_size) {
        return fail_too_long(client, "the request line", len, ESP_FAIL);
    }
    for (size_t i = 0; i < client->headers.count; i++) {
        const http_header_t *header = &client->headers.items[i];
        len = strlen(header->key) + strlen(header->value) + sizeof(": \r\n") - 1;
        if (len > client->tx_size && !is_ours(client, header->key) && !may_be_long(header->key)) {
            char what[64];
            text_format(what, sizeof(what), "the header %s", header->key);
            return fail_too_long(client, what, len, ESP_ERR_HTTP_HEADER_TOO_LONG);
        }
    }
    return ESP_OK;
}

static esp_err_t put_head(esp_http_client_handle_t client)
{
    client->tx_len = 0;
    esp_err_t err = put_request_line(client);
    for (size_t i = 0; err == ESP_OK && i < client->headers.count; i++) {
        const http_header_t *header = &client->headers.items[i];
        if (may_be_long(header->key)) {
            err = put_long_header(client, header->key, header->value);
        } else if (!is_ours(client, header->key)) {
            err = put_header(client, header->key, header->value);
        }
    }
    if (err == ESP_OK) {
        err = put_authorization(client);
    }
    if (err == ESP_OK) {
        err = put_body_header(client);
    }
    return err == ESP_OK ? put_line(client, NULL, 0, "the end", ESP_FAIL) : err;
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
        http_connection_close(client); /* part of the head may be out: nothing else can follow it */
        return err;
    }
    client->state = STATE_REQUEST_SENT;
    http_client_event(client, HTTP_EVENT_HEADERS_SENT, NULL, 0);
    return ESP_OK;
}

int esp_http_client_write(esp_http_client_handle_t client, const char *buffer, int len)
{
    if (client == NULL || len < 0 || client->state < STATE_REQUEST_SENT) {
        return -1;
    }
    if (len == 0) {
        return 0; /* allowed with any buffer, and also after the answer has come */
    }
    if (buffer == NULL || client->state != STATE_REQUEST_SENT) {
        return -1;
    }
    errno = 0;
    int n = send_all(client, buffer, (size_t)len);
    if (n >= 0) {
        return n;
    }
    http_client_fail(client, HTTP_STAGE_SEND, http_connection_error(client, n));
    return n == OTTER_IO_TIMEOUT ? 0 : -1;
}
