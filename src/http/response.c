/* Receiving: the head through http_parser, then the body straight into the reader's buffer. */
#include "http/client_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/content_range.h"
#include "otter/system.h"

/*
 * 1. A head is bounded in bytes (HEAD_MAX), in interim responses (INTERIM_MAX) and in time (timeout_ms as a whole).
 * 2. http_parser reads heads, and stops at the last byte of one; no body passes through it. It is lax, so
 *    http_head_check() looks at each byte before it does: two readers must never see two heads.
 * 3. A chunked body is decoded in place: bytes are read into the reader's own buffer and moved down over their framing.
 * 4. end_seen is set only where the framing says so; a body that ends with the connection needs a proper end of it.
 */
#define HEAD_MAX    65536u
#define INTERIM_MAX 8u
#define HEADERS_MAX 256u

/* --- the parser's callbacks --- */

static http_response_t *response_of(http_parser *parser)
{
    return &((esp_http_client_handle_t)parser->data)->response;
}

static bool append_line(http_response_t *response, const char *text, size_t len)
{
    size_t used = response->key_len + (response->in_value ? 1 + response->value_len : 0);
    if (len + 2 > response->line_size - used) {
        size_t size = 2 * (used + len) + 64;
        char *line = realloc(response->line, size);
        if (line == NULL) {
            return false;
        }
        response->line = line;
        response->line_size = size;
    }
    memcpy(response->line + used, text, len);
    response->line[used + len] = '\0';
    *(response->in_value ? &response->value_len : &response->key_len) += len;
    return true;
}

static bool finish_line(esp_http_client_handle_t client)
{
    http_response_t *response = &client->response;
    if (response->key_len == 0) {
        return true;
    }
    char *key = response->line;
    char *value = response->in_value ? key + response->key_len + 1 : key + response->key_len;
    if (response->parser.status_code / 100 != 1) {
        if (response->headers.count >= HEADERS_MAX) {
            response->why = "it has more than 256 header lines";
            return false;
        }
        esp_err_t err = http_headers_append(&response->headers, key, value);
        if (err != ESP_OK) {
            response->why =
                err == ESP_ERR_NO_MEM ? "out of memory" : "a header line has a character that none can have";
            return false;
        }
    }
    response->key_len = response->value_len = 0;
    response->in_value = false;
    return true;
}

static int on_header_field(http_parser *parser, const char *at, size_t len)
{
    http_response_t *response = response_of(parser);
    if (response->in_value && !finish_line(parser->data)) {
        return 1;
    }
    return append_line(response, at, len) ? 0 : 1;
}

static int on_header_value(http_parser *parser, const char *at, size_t len)
{
    http_response_t *response = response_of(parser);
    response->in_value = true;
    return append_line(response, at, len) ? 0 : 1;
}

static int on_headers_complete(http_parser *parser)
{
    if (!finish_line(parser->data)) {
        return -1;
    }
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
};

/* --- the head --- */

void http_response_free(http_response_t *response)
{
    http_headers_clear(&response->headers);
    free(response->line);
    memset(response, 0, sizeof(*response));
}

void http_response_reset(esp_http_client_handle_t client)
{
    http_response_t *response = &client->response;
    http_response_free(response);
    free(client->auth_data);
    client->auth_data = NULL;
    http_parser_init(&response->parser, HTTP_RESPONSE);
    response->parser.data = client;
    response->to_head = client->config.method == HTTP_METHOD_HEAD;
    response->content_length = -1;
    response->io_end = 1;
}

static bool refuse(esp_http_client_handle_t client, http_stage_t stage, const char *text)
{
    client->response.failed = true;
    client->response.persistent = false;
    errno = EBADMSG;
    http_client_fail(client, stage, NULL, ESP_ERR_INVALID_RESPONSE, text);
    return false;
}

static bool refuse_for(esp_http_client_handle_t client, http_stage_t stage, const char *why)
{
    char text[160];
    snprintf(text, sizeof(text), "the server's answer is not valid HTTP: %s", why);
    return refuse(client, stage, text);
}

/* Transfer codings besides chunked would have to be decoded; a list of them is a known way to smuggle. */
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

static bool choose_body(esp_http_client_handle_t client, unsigned status)
{
    http_response_t *response = &client->response;
    const http_parser *parser = &response->parser;
    /* The parser and the list of headers must agree. */
    bool coded = http_headers_get(&response->headers, "Transfer-Encoding") != NULL;
    if (!coding_is_known(&response->headers) || coded != ((parser->flags & F_CHUNKED) != 0)) {
        return refuse(client, HTTP_STAGE_HEADER, "the server uses a transfer coding that nobody asked for");
    }
    bool has_length = (parser->flags & F_CONTENTLENGTH) != 0;
    if (has_length && parser->content_length > INT64_MAX) {
        return refuse(client, HTTP_STAGE_HEADER, "Content-Length is beyond all bounds");
    }
    response->content_length = has_length ? (int64_t)parser->content_length : -1;
    if (response->to_head || status == 204 || status == 304) {
        response->body = BODY_NONE;
        response->end_seen = true;
    } else if ((parser->flags & F_CHUNKED) != 0) {
        response->body = BODY_CHUNKED;
    } else if (has_length) {
        response->body = BODY_LENGTH;
        response->end_seen = response->content_length == 0;
    } else {
        response->body = BODY_UNTIL_CLOSE;
    }
    response->chunked_flag = response->content_length <= 0;
    response->persistent =
        response->body != BODY_UNTIL_CLOSE &&
        (http_should_keep_alive(parser) != 0 ||
         /* The parser would wait for the end of the connection where HEAD has no body. */
         (response->to_head && parser->http_minor > 0 && (parser->flags & F_CONNECTION_CLOSE) == 0));
    return true;
}

/* The parser stands before the last line feed of a head. False: refused. */
static bool finish_head(esp_http_client_handle_t client)
{
    http_response_t *response = &client->response;
    const http_parser *parser = &response->parser;
    unsigned status = parser->status_code;
    if (parser->http_major != 1 || status < 100 || status == 101) {
        return refuse(client, HTTP_STAGE_HEADER, "the server's answer is not an HTTP/1 response");
    }
    if (status / 100 == 1) {
        if (++response->interim_count > INTERIM_MAX) {
            return refuse(client, HTTP_STAGE_HEADER, "too many interim responses");
        }
        http_parser_init(&response->parser, HTTP_RESPONSE);
        memset(&response->head, 0, sizeof(response->head));
        return true;
    }
    if (!choose_body(client, status)) {
        return false;
    }
    client->status = (int)status;
    if (status / 100 == 2) {
        client->auth_count = 0;
    }
    response->head_done = true;
    client->state = STATE_RESPONSE;
    return true;
}

/* False: refused. What follows a whole head stays in the buffer: `early`. */
static bool parse_head(esp_http_client_handle_t client, char *raw, size_t len)
{
    http_response_t *response = &client->response;
    while (len > 0) {
        size_t head_len;
        const char *wrong = http_head_check(&response->head, raw, len, &head_len);
        if (wrong != NULL) {
            return refuse_for(client, HTTP_STAGE_HEADER, wrong);
        }
        size_t used = http_parser_execute(&response->parser, &settings, raw, head_len);
        enum http_errno why = HTTP_PARSER_ERRNO(&response->parser);
        response->head_len += used;
        if (response->head_len > HEAD_MAX) {
            return refuse(client, HTTP_STAGE_HEADER, "the response head is too long");
        }
        if (why == HPE_OK && !response->head.ended) {
            return true; /* all of it was head */
        }
        if (why != HPE_PAUSED || used + 1 != head_len || !response->head.ended) {
            bool agreed = why != HPE_OK && why != HPE_PAUSED; /* that it is broken */
            return refuse_for(client, HTTP_STAGE_HEADER,
                              response->why != NULL ? response->why
                              : agreed              ? http_errno_description(why)
                                                    : "its head has no clear end");
        }
        if (!finish_head(client)) {
            return false;
        }
        raw += head_len;
        len -= head_len;
        if (response->head_done) {
            response->early = raw;
            response->early_len = len;
            return true;
        }
    }
    return true;
}

/* --- what follows the head --- */

/* An event handler may do that; what came is of no use then, and the connection is a new one. */
static bool is_cancelled(esp_http_client_handle_t client)
{
    return client->state == STATE_CONNECTED;
}

/* Raw bytes become body bytes at the same place. @return how many, -1: broken framing */
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
            http_client_event(client, HTTP_EVENT_ON_DATA, out, (int)data_len);
            out += data_len;
        }
    }
    response->end_seen |= chunks->ended;
    response->failed = chunks->broken != NULL;
    if (response->failed || (chunks->ended && len > 0)) {
        response->persistent = false; /* bytes after the end: whatever they are, they answer no request */
    }
    return response->failed && out == begin ? -1 : out - begin;
}

/* What came behind the head is body. */
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
    if (len > 0) {
        http_client_event(client, HTTP_EVENT_ON_DATA, raw, (int)len);
    }
}

/* The head is whole and good: now the application hears of it. */
static void tell_head(esp_http_client_handle_t client)
{
    const http_headers_t *headers = &client->response.headers;
    int status = client->status;
    http_client_event(client, HTTP_EVENT_ON_STATUS_CODE, &status, sizeof(status));
    for (size_t i = 0; i < headers->count && !is_cancelled(client); i++) {
        http_client_header_event(client, headers->items[i].key, headers->items[i].value);
    }
    if (!is_cancelled(client)) {
        http_client_event(client, HTTP_EVENT_ON_HEADERS_COMPLETE, NULL, 0);
    }
}

/* @return 1: head_done, or one of fetch_headers' negative results */
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
        if (n > 0) {
            if (!parse_head(client, client->rx, (size_t)n)) {
                return ESP_FAIL;
            }
            continue;
        }
        if (n != OTTER_IO_TIMEOUT && client->response.head_len == 0 && http_connection_repeat(client)) {
            deadline_us = otter_now_us() + (int64_t)client->timeout_ms * 1000;
            continue;
        }
        if (client->state == STATE_INIT) {
            return ESP_FAIL; /* the repetition failed and told why */
        }
        http_client_fail(client, HTTP_STAGE_HEADER, http_connection_error(client, n), ESP_FAIL, NULL);
        return n == OTTER_IO_TIMEOUT ? -ESP_ERR_HTTP_EAGAIN : ESP_FAIL;
    }
    return 1;
}

/* The same, with what follows from it. */
static int64_t read_head(esp_http_client_handle_t client)
{
    if (client->response.head_done) {
        return 1;
    }
    int64_t result = receive_head(client);
    /* A server that gives up a kept connection may say so; that is no answer to what was just asked. */
    if (result > 0 && client->status == HTTP_STATUS_REQUEST_TIMEOUT) {
        if (http_connection_repeat(client)) {
            result = receive_head(client);
        } else if (client->state == STATE_INIT) {
            result = ESP_FAIL;
        }
    }
    if (result > 0) {
        tell_head(client);
    }
    if (result > 0 && !is_cancelled(client)) {
        keep_early_body(client);
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

/* --- the body --- */

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

/* Bytes of an unchunked body as they are. @return their count, 0: the end, OTTER_IO_ERROR */
static int count_plain(esp_http_client_handle_t client, char *buffer, int n)
{
    http_response_t *response = &client->response;
    response->body_done += n;
    if (response->body == BODY_LENGTH) {
        response->end_seen = response->body_done == response->content_length;
    }
    http_client_event(client, HTTP_EVENT_ON_DATA, buffer, n);
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

/* The time of a read is up; what a timeout of the transport would say. */
static int wait_is_over(esp_http_client_handle_t client)
{
    (void)http_connection_error(client, OTTER_IO_TIMEOUT); /* sets errno */
    return OTTER_IO_TIMEOUT;
}

/* One wait's worth of body. @return > 0 bytes; 0 with end_seen, or framing without bytes; OTTER_IO_TIMEOUT, _ERROR */
static int read_piece(esp_http_client_handle_t client, char *buffer, size_t len, int timeout_ms)
{
    http_response_t *response = &client->response;
    if (response->failed) {
        return OTTER_IO_ERROR;
    }
    int n = response->io_end;
    if (n > 0) {
        n = client->transport->ops->read(client->transport, buffer, wanted(response, len), timeout_ms);
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
        (void)refuse_for(client, HTTP_STAGE_BODY, response->chunks.broken);
        return;
    }
    otter_transport_error_t cause =
        *http_connection_error(client, n == OTTER_IO_TIMEOUT ? n : response->io_end);
    if (response->io_end == OTTER_IO_EOF) {
        snprintf(cause.text, sizeof(cause.text), "the connection ended after %lld of %s%lld bytes",
                 (long long)response->body_done, response->body == BODY_LENGTH ? "" : "an unknown number of ",
                 (long long)(response->body == BODY_LENGTH ? response->content_length : 0));
        if (response->body != BODY_LENGTH) {
            snprintf(cause.text, sizeof(cause.text),
                     "the connection ended inside a chunked body, after %lld bytes",
                     (long long)response->body_done);
        }
    }
    http_client_fail(client, HTTP_STAGE_BODY, &cause, ESP_FAIL, NULL);
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
    /* The limit is for the call: bytes that drip within each wait must not hold it for ever. */
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

/* --- queries --- */

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
    const char *text = client != NULL ? http_client_response_header(client, "Content-Range") : NULL;
    return content_range_parse(text, &range) && range.satisfied ? range.total : -1;
}

esp_err_t esp_http_client_get_response_header(esp_http_client_handle_t client, const char *key, char **value)
{
    if (client == NULL || key == NULL || value == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *value = http_headers_get(&client->response.headers, key);
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
