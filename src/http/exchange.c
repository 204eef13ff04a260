/* A request and the head of its answer, over a kept connection where there is one, and once more where that was stale. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client_internal.h"

#include <errno.h>
#include <string.h>

#include "otter/promise.h"
#include "otter/system.h"

#define STATUS_REQUEST_TIMEOUT 408 /* esp_http_client.h has no name for it */

/* ---- asking ---- */

esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    client->write_len = write_len < 0 ? -1 : write_len;
    memset(&client->failure, 0, sizeof(client->failure));
    esp_err_t err = http_request_check(client);
    if (err != ESP_OK) {
        http_connection_close(client);
        http_response_reset(client); /* or the last answer would be taken for this request's */
        client->status = -1;
        return err;
    }
    if (http_connection_is_usable(client)) {
        client->reused = true;
        err = http_request_send(client);
        if (err != ESP_ERR_HTTP_WRITE_DATA) {
            return err;
        }
        /* The server gave up the kept connection: nothing of the request was answered, so it may be sent anew. */
    }
    http_connection_close(client);
    err = http_connection_open(client);
    return err == ESP_OK ? http_request_send(client) : err;
}

esp_err_t esp_http_client_request_send(esp_http_client_handle_t client, int write_len)
{
    return esp_http_client_open(client, write_len);
}

/**
 * Connects and sends the request anew, which the kept connection it went over did not answer. False, with nothing done: it
 * was the connection's first one, or has an effect; or that failed, and the state is STATE_INIT.
 */
static bool repeat(esp_http_client_handle_t client)
{
    const esp_http_client_method_t method = client->config.method;
    if (!client->reused || client->write_len != 0 || method == HTTP_METHOD_POST ||
        method == HTTP_METHOD_PATCH) {
        return false;
    }
    http_connection_close(client);
    return http_connection_open(client) == ESP_OK && http_request_send(client) == ESP_OK;
}

/* ---- the head of the answer ---- */

/** @return 1: head_done, or one of fetch_headers' negative results */
static int64_t receive_head(esp_http_client_handle_t client)
{
    int64_t deadline_us = otter_now_us() + (int64_t)client->timeout_ms * 1000;
    while (!client->response.head_done) {
        if (client->state != STATE_REQUEST_SENT) {
            return ESP_FAIL; /* a callback closed the connection */
        }
        int64_t left_ms = (deadline_us - otter_now_us() + 999) / 1000;
        int n = left_ms <= 0 ? OTTER_IO_TIMEOUT
                             : client->transport->ops->read(client->transport, client->rx, client->rx_size,
                                                            (int)left_ms);
        OTTER_ASSERT(n >= OTTER_IO_TIMEOUT && (n < 0 || (size_t)n <= client->rx_size));
        if (n > 0) {
            if (!http_response_take_head(client, client->rx, (size_t)n)) {
                return ESP_FAIL;
            }
            continue;
        }
        if (n != OTTER_IO_TIMEOUT && client->response.head.len == 0 && repeat(client)) {
            deadline_us = otter_now_us() + (int64_t)client->timeout_ms * 1000;
            continue;
        }
        if (client->state == STATE_INIT) {
            return ESP_FAIL; /* the repetition failed and told why */
        }
        http_client_fail(client, HTTP_STAGE_HEADER, http_connection_error(client, n));
        return n == OTTER_IO_TIMEOUT ? -ESP_ERR_HTTP_EAGAIN : ESP_FAIL;
    }
    return 1;
}

/** Reads the head if it is not there yet, and tells the application. @return as receive_head */
static int64_t read_head(esp_http_client_handle_t client)
{
    if (client->response.head_done) {
        return 1;
    }
    int64_t result = receive_head(client);
    /* 408: the server waited too long on the kept connection, and closes it. It has not seen the request that was just sent. */
    if (result > 0 && client->status == STATUS_REQUEST_TIMEOUT) {
        if (repeat(client)) {
            result = receive_head(client);
        } else if (client->state == STATE_INIT) {
            result = ESP_FAIL;
        }
    }
    if (result > 0) {
        http_response_begin(client);
    }
    return result;
}

int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client)
{
    if (client == NULL || client->state < STATE_REQUEST_SENT ||
        (client->response.failed && !client->response.head_done)) {
        return ESP_FAIL;
    }
    errno = 0;
    int64_t result = read_head(client);
    if (result < 0) {
        return result;
    }
    return client->response.content_length > 0 ? client->response.content_length : 0;
}
