/* Receiving: what a head means, then the body straight into the reader's buffer. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/content_range.h"
#include "otter/promise.h"
#include "otter/system.h"

/*
 * 1. A head is bounded in bytes and lines (head.c), and in time (timeout_ms as a whole: exchange.c).
 * 2. A chunked body is decoded in place: bytes are read into the reader's own buffer and moved down over their framing.
 * 3. end_seen is set only where the framing says so; a body that ends with the connection needs a proper end of it.
 */

/* ---- the head ---- */

void http_response_free(http_response_t *response)
{
    http_head_free(&response->head);
    memset(response, 0, sizeof(*response));
}

void http_response_reset(esp_http_client_handle_t client)
{
    http_response_t *response = &client->response;
    http_response_free(response);
    free(client->auth_data);
    client->auth_data = NULL;
    response->to_head = client->config.method == HTTP_METHOD_HEAD;
    response->content_length = -1;
    response->io_end = 1;
}

#define NOT_HTTP "the server's answer is not valid HTTP: "

static bool refuse(esp_http_client_handle_t client, http_stage_t stage, const char *before, const char *why)
{
    client->response.failed = true;
    client->response.persistent = false;
    errno = EBADMSG;
    http_client_refuse(client, stage, ESP_ERR_INVALID_RESPONSE, "%s%s", before, why);
    return false;
}

/** Transfer codings besides chunked would have to be decoded; a list of them is a known way to smuggle. */
static bool coding_is_known(const http_headers_t *headers)
{
    unsigned count = 0;
    for (size_t i = 0; i < headers->count; i++) {
        if (http_name_equal(headers->items[i].key, "Transfer-Encoding")) {
            count++;
            if (!http_name_equal(headers->items[i].value, "chunked")) {
                return false;
            }
        }
    }
    return count <= 1;
}

/** How long the body is, and if the connection can be used after it. False: refused. */
static bool choose_body(esp_http_client_handle_t client)
{
    http_response_t *response = &client->response;
    const http_head_t *head = &response->head;
    /* The parser and the list of headers must agree. */
    bool coded = http_headers_get(&head->headers, "Transfer-Encoding") != NULL;
    if (!coding_is_known(&head->headers) || coded != head->chunked) {
        return refuse(client, HTTP_STAGE_HEADER, "",
                      "the server uses a transfer coding that nobody asked for");
    }
    if (head->has_length && head->content_length > INT64_MAX) {
        return refuse(client, HTTP_STAGE_HEADER, "", "Content-Length is beyond all bounds");
    }
    response->content_length = head->has_length ? (int64_t)head->content_length : -1;
    if (response->to_head || head->status == 204 || head->status == 304) {
        response->body = BODY_NONE;
        response->end_seen = true;
    } else if (head->chunked) {
        response->body = BODY_CHUNKED;
    } else if (head->has_length) {
        response->body = BODY_LENGTH;
        response->end_seen = response->content_length == 0;
    } else {
        response->body = BODY_UNTIL_CLOSE;
    }
    response->chunked_flag = response->content_length <= 0;
    response->persistent =
        response->body != BODY_UNTIL_CLOSE && (head->keep_alive || (response->to_head && !head->closes));
    return true;
}

bool http_response_take_head(esp_http_client_handle_t client, char *raw, size_t len)
{
    http_response_t *response = &client->response;
    size_t used;
    const char *wrong = http_head_take(&response->head, raw, len, &used);
    if (wrong != NULL) {
        return refuse(client, HTTP_STAGE_HEADER, NOT_HTTP, wrong);
    }
    if (!response->head.ended) {
        return true;
    }
    if (!choose_body(client)) {
        return false;
    }
    client->status = (int)response->head.status;
    if (client->status / 100 == 2) {
        client->auth_count = 0;
    }
    response->head_done = true;
    client->state = STATE_RESPONSE;
    response->early = raw + used;
    response->early_len = len - used;
    return true;
}

/* ---- what follows the head ---- */

/** An event handler has called esp_http_client_cancel_request(): the connection is a new one, and what came is dropped. */
static bool is_cancelled(esp_http_client_handle_t client)
{
    return client->state == STATE_CONNECTED;
}

/** In pieces of at most buffer_size, as ESP-IDF, which reads no more at once: a handler may have a buffer of that size. */
static void tell_body(esp_http_client_handle_t client, char *data, size_t len)
{
    while (len > 0 && !is_cancelled(client)) {
        size_t n = len < client->rx_size ? len : client->rx_size;
        http_client_event(client, HTTP_EVENT_ON_DATA, data, (int)n);
        data += n;
        len -= n;
    }
}

/** Raw bytes become body bytes at the same place. @return how many, -1: broken framing */
static int64_t decode_chunks(esp_http_client_handle_t client, char *raw, size_t len)
{
    http_response_t *response = &client->response;
    http_chunks_t *chunks = &response->chunks;
    char *begin = raw, *out = raw;
    while (len > 0 && !chunks->ended && chunks->broken == NULL && !is_cancelled(client)) {
        size_t data_len;
        size_t framing_len = http_chunks_take(chunks, raw, len, &data_len);
        memmove(out, raw + framing_len, data_len);
        raw += framing_len + data_len;
        len -= framing_len + data_len;
        if (data_len > 0) {
            response->body_done += (int64_t)data_len;
            tell_body(client, out, data_len);
            out += data_len;
        }
    }
    response->end_seen |= chunks->ended;
    response->failed = chunks->broken != NULL;
    if (response->failed || (chunks->ended && len > 0)) {
        response->persistent =
            false; /* bytes after the end answer no request, so the next answer on this connection could not be trusted */
    }
    return response->failed && out == begin ? -1 : out - begin;
}

/** Keeps what came behind the head: it is the beginning of the body. */
static void keep_early_body(esp_http_client_handle_t client)
{
    http_response_t *response = &client->response;
    char *raw = response->early;
    size_t len = response->early_len;
    response->cached = raw;
    if (response->body == BODY_CHUNKED) {
        int64_t n = decode_chunks(client, raw, len);
        response->cached_len = n > 0 ? (size_t)n : 0;
        return;
    }
    size_t limit = response->body == BODY_NONE ? 0 : SIZE_MAX;
    if (response->body == BODY_LENGTH && (uint64_t)response->content_length < limit) {
        limit = (size_t)response->content_length;
    }
    if (len > limit) {
        response->persistent = false; /* more than announced */
        len = limit;
    }
    response->cached_len = len;
    response->body_done = (int64_t)len;
    if (response->body == BODY_LENGTH) {
        response->end_seen = response->body_done == response->content_length;
        if (client->transport->ops->expect != NULL) {
            client->transport->ops->expect(client->transport,
                                           (uint64_t)(response->content_length - response->body_done));
        }
    }
    tell_body(client, raw, len);
}

/** The head is whole and good: now the application hears of it. */
static void tell_head(esp_http_client_handle_t client)
{
    const http_headers_t *headers = &client->response.head.headers;
    int status = client->status;
    http_client_event(client, HTTP_EVENT_ON_STATUS_CODE, &status, sizeof(status));
    for (size_t i = 0; i < headers->count && !is_cancelled(client); i++) {
        http_client_header_event(client, headers->items[i].key, headers->items[i].value);
    }
    if (!is_cancelled(client)) {
        http_client_event(client, HTTP_EVENT_ON_HEADERS_COMPLETE, NULL, 0);
    }
}

void http_response_begin(esp_http_client_handle_t client)
{
    tell_head(client);
    if (!is_cancelled(client)) {
        keep_early_body(client);
    }
}

/* ---- the body ---- */

size_t http_response_drop_cached(esp_http_client_handle_t client)
{
    size_t len = client->response.cached_len;
    client->response.cached_len = 0;
    return len;
}

static size_t take_cached(http_response_t *response, char *buffer, size_t len)
{
    size_t n = response->cached_len < len ? response->cached_len : len;
    if (n > 0) {
        memcpy(buffer, response->cached, n);
        response->cached += n;
        response->cached_len -= n;
    }
    return n;
}

/** Bytes of an unchunked body as they are. @return their count, 0: the end, OTTER_IO_ERROR */
static int count_plain(esp_http_client_handle_t client, char *buffer, int n)
{
    http_response_t *response = &client->response;
    response->body_done += n;
    if (response->body == BODY_LENGTH) {
        response->end_seen = response->body_done == response->content_length;
    }
    tell_body(client, buffer, (size_t)n);
    return n;
}

static size_t wanted(const http_response_t *response, size_t len)
{
    if (response->body == BODY_LENGTH &&
        (uint64_t)len > (uint64_t)(response->content_length - response->body_done)) {
        len = (size_t)(response->content_length - response->body_done);
    }
    return len < INT_MAX ? len : INT_MAX;
}

/** The time of a read is over: as if the transport had timed out. */
static int wait_is_over(esp_http_client_handle_t client)
{
    (void)http_connection_error(client, OTTER_IO_TIMEOUT); /* sets errno */
    return OTTER_IO_TIMEOUT;
}

/** One wait's worth of body. @return > 0 bytes; 0 with end_seen, or framing without bytes; OTTER_IO_TIMEOUT, _ERROR */
static int read_piece(esp_http_client_handle_t client, char *buffer, size_t len, int timeout_ms)
{
    http_response_t *response = &client->response;
    if (response->failed) {
        return OTTER_IO_ERROR;
    }
    int n = response->io_end;
    if (n > 0) {
        const size_t most = wanted(response, len);
        n = client->transport->ops->read(client->transport, buffer, most, timeout_ms);
        OTTER_ASSERT(n >= OTTER_IO_TIMEOUT && (n < 0 || (size_t)n <= most));
    }
    if (n == OTTER_IO_TIMEOUT) {
        (void)http_connection_error(client,
                                    n); /* sets errno; the failure is told where no bytes can be returned */
        return n;
    }
    if (n <= 0) {
        if (response->io_end > 0 || n == OTTER_IO_EOF) {
            (void)http_connection_error(client, n);
        }
        response->io_end = n;
        if (n == OTTER_IO_EOF && response->body == BODY_UNTIL_CLOSE) {
            response->end_seen = true;
            return 0;
        }
        return OTTER_IO_ERROR;
    }
    return response->body == BODY_CHUNKED ? (int)decode_chunks(client, buffer, (size_t)n)
                                          : count_plain(client, buffer, n);
}

static void tell_body_failure(esp_http_client_handle_t client, int n)
{
    http_response_t *response = &client->response;
    if (response->failed) {
        (void)refuse(client, HTTP_STAGE_BODY, NOT_HTTP, response->chunks.broken);
        return;
    }
    otter_transport_error_t cause =
        *http_connection_error(client, n == OTTER_IO_TIMEOUT ? n : response->io_end);
    const long long done = (long long)response->body_done;
    if (response->io_end == OTTER_IO_EOF && response->body == BODY_LENGTH) {
        otter_fault(&cause.fault, cause.fault.code, "the connection ended after %lld of %lld bytes", done,
                    (long long)response->content_length);
    } else if (response->io_end == OTTER_IO_EOF) {
        otter_fault(&cause.fault, cause.fault.code,
                    "the connection ended inside a chunked body, after %lld bytes", done);
    }
    http_client_fail(client, HTTP_STAGE_BODY, &cause);
}

int esp_http_client_read(esp_http_client_handle_t client, char *buffer, int len)
{
    if (client == NULL || (buffer == NULL && len > 0) || len < 0) {
        return -1;
    }
    if (client->state != STATE_RESPONSE) {
        errno = ENOTCONN;
        return -1;
    }
    errno = 0;
    http_response_t *response = &client->response;
    /* The limit holds for the whole call: a server that sends a byte now and then must not make it last for ever. */
    int64_t deadline_us = otter_now_us() + (int64_t)client->timeout_ms * 1000;
    size_t got = take_cached(response, buffer, (size_t)len);
    while (got < (size_t)len && !response->end_seen) {
        int left_ms = (int)((deadline_us - otter_now_us() + 999) / 1000);
        int n =
            left_ms > 0 ? read_piece(client, buffer + got, (size_t)len - got, left_ms) : wait_is_over(client);
        if (client->state != STATE_RESPONSE) {
            break; /* closed by a callback */
        }
        if (n < 0) {
            if (got > 0) {
                break; /* the next call tells */
            }
            tell_body_failure(client, n);
            return n == OTTER_IO_TIMEOUT ? -ESP_ERR_HTTP_EAGAIN : -1;
        }
        got += (size_t)n;
    }
    return (int)got;
}

int esp_http_client_read_response(esp_http_client_handle_t client, char *buffer, int len)
{
    if (client == NULL || (buffer == NULL && len > 0) || len < 0 || client->state != STATE_RESPONSE) {
        return -1;
    }
    int got = 0;
    while (got < len) {
        int n = esp_http_client_read(client, buffer + got, len - got);
        if (n <= 0) {
            break;
        }
        got += n;
    }
    return got;
}

esp_err_t esp_http_client_flush_response(esp_http_client_handle_t client, int *len)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    int64_t dropped = (int64_t)http_response_drop_cached(client);
    int n = 1;
    while (n > 0 && !esp_http_client_is_complete_data_received(client)) {
        n = esp_http_client_read(client, client->rx,
                                 client->rx_size < INT_MAX ? (int)client->rx_size : INT_MAX);
        dropped += n > 0 ? n : 0;
    }
    if (len != NULL) {
        *len = dropped < INT_MAX ? (int)dropped : INT_MAX;
    }
    return esp_http_client_is_complete_data_received(client) ? ESP_OK : ESP_FAIL;
}

/* ---- queries ---- */

int esp_http_client_get_status_code(esp_http_client_handle_t client)
{
    return client != NULL ? client->status : -1;
}

int64_t esp_http_client_get_content_length(esp_http_client_handle_t client)
{
    return client != NULL ? client->response.content_length : -1;
}

bool esp_http_client_is_chunked_response(esp_http_client_handle_t client)
{
    return client != NULL && client->response.chunked_flag;
}

esp_err_t esp_http_client_get_chunk_length(esp_http_client_handle_t client, int *len)
{
    if (client == NULL || len == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!client->response.chunked_flag) {
        return ESP_FAIL;
    }
    int64_t size = client->response.chunks.size;
    *len = size < INT_MAX ? (int)size : INT_MAX;
    return ESP_OK;
}

bool esp_http_client_is_complete_data_received(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return false;
    }
    const http_response_t *response = &client->response;
    if (!response->head_done) {
        return client->status == 0; /* nothing was requested, so nothing is missing */
    }
    return response->end_seen && response->cached_len == 0;
}

bool esp_http_client_is_persistent_connection(esp_http_client_handle_t client)
{
    return client != NULL && client->response.head_done && client->response.persistent;
}

int64_t esp_http_client_get_content_range(esp_http_client_handle_t client)
{
    content_range_t range;
    const char *text =
        client != NULL ? http_headers_get(&client->response.head.headers, "Content-Range") : NULL;
    return content_range_parse(text, &range) && range.satisfied ? range.total : -1;
}

esp_err_t esp_http_client_get_response_header(esp_http_client_handle_t client, const char *key, char **value)
{
    if (client == NULL || key == NULL || value == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *value = http_headers_get(&client->response.head.headers, key);
    return *value != NULL ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t esp_http_client_clear_response_buffer(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    (void)http_response_drop_cached(client);
    return ESP_OK;
}
