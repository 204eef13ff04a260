/* What a handler answers: collected here, sent by libmicrohttpd's thread while the handler waits. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "esp_log.h"
#include "server.h"

static const char TAG[] = "httpd";

#define PIECE_BYTES 16384

/** In libmicrohttpd's thread: the next bytes. */
static ssize_t give_bytes(void *cls, uint64_t at, char *to, size_t room)
{
    (void)at;
    exchange_t *exchange = cls;
    ssize_t result = 0;
    server_lock(exchange->server);
    if (exchange->state == EXCHANGE_FAILED || exchange->server->stopping) {
        result = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (exchange->out_len > 0) {
        size_t taken = exchange->out_len < room ? exchange->out_len : room;
        memcpy(to, exchange->out, taken);
        exchange->out += taken;
        exchange->out_len -= taken;
        exchange->taken += taken;
        (void)pthread_cond_broadcast(&exchange->server->changed);
        result = (ssize_t)taken;
    } else if (exchange->out_over) {
        result = MHD_CONTENT_READER_END_OF_STREAM;
    } else if (!exchange->suspended) {
        exchange->suspended = true;
        MHD_suspend_connection(exchange->connection);
    }
    server_unlock(exchange->server);
    return result;
}

/** The head of the answer. @param size MHD_SIZE_UNKNOWN: in chunks */
static esp_err_t begin_answer(exchange_t *exchange, uint64_t size)
{
    unsigned long status = strtoul(exchange->status_line, NULL, 10);
    if (status < 200 || status > 999) {
        ESP_LOGE(TAG, "'%s' is no status", exchange->status_line);
        return ESP_ERR_INVALID_ARG;
    }
    struct MHD_Response *response =
        MHD_create_response_from_callback(size, PIECE_BYTES, give_bytes, exchange, NULL);
    if (response == NULL) {
        return ESP_ERR_HTTPD_ALLOC_MEM;
    }
    bool ok = MHD_add_response_header(response, "Content-Type", exchange->type) == MHD_YES;
    for (size_t i = 0; ok && i < exchange->field_count; i++) {
        ok = MHD_add_response_header(response, exchange->fields[i].field, exchange->fields[i].value) ==
             MHD_YES;
    }
    if (!ok) {
        ESP_LOGE(TAG, "a field of the answer has characters that none may have");
        MHD_destroy_response(response);
        return ESP_ERR_HTTPD_RESP_HDR;
    }
    server_lock(exchange->server);
    exchange->response = response;
    exchange->status = (unsigned)status;
    if (exchange->state == EXCHANGE_OPEN) {
        exchange->state = EXCHANGE_ANSWERED;
    }
    server_unlock(exchange->server);
    int fd = exchange->session->fd;
    server_post(HTTP_SERVER_EVENT_HEADERS_SENT, &fd, sizeof(fd));
    return ESP_OK;
}

/** With the lock held: what of the exchange still moves, a body that is dropped included. */
static uint64_t progress_of(const exchange_t *exchange)
{
    return exchange->taken + exchange->body_over;
}

/** Hands bytes over, and waits until they are taken; with the last of them, until all is sent. */
static esp_err_t send_bytes(exchange_t *exchange, const char *buf, size_t len, bool last)
{
    server_t *server = exchange->server;
    server_lock(server);
    exchange->out = buf;
    exchange->out_len = len;
    exchange->out_over = last;
    exchange->body_at = exchange->body_len = 0;
    exchange_resume(exchange);
    uint64_t before = progress_of(exchange);
    struct timespec until = server_deadline(server->config.send_wait_timeout);
    while (!exchange->over && exchange->state == EXCHANGE_ANSWERED && (exchange->out_len > 0 || last)) {
        bool in_time = server_wait(server, &until);
        if (progress_of(exchange) != before) {
            before = progress_of(exchange);
            until = server_deadline(server->config.send_wait_timeout);
        } else if (!in_time) {
            exchange_fail(exchange);
        }
    }
    bool ok = exchange->over ? exchange->sent : exchange->state == EXCHANGE_ANSWERED; /* HEAD is over early */
    exchange->out = NULL;
    exchange->out_len = 0;
    int fd = exchange->session->fd;
    server_unlock(server);
    const esp_http_server_event_data data = {.fd = fd, .data_len = (int)len};
    server_post(ok ? HTTP_SERVER_EVENT_SENT_DATA : HTTP_SERVER_EVENT_ERROR, &data, sizeof(data));
    return ok ? ESP_OK : ESP_ERR_HTTPD_RESP_SEND;
}

static size_t length_of(const char *buf, ssize_t buf_len)
{
    if (buf == NULL || buf_len < HTTPD_RESP_USE_STRLEN) {
        return 0;
    }
    return buf_len == HTTPD_RESP_USE_STRLEN ? strlen(buf) : (size_t)buf_len;
}

esp_err_t httpd_resp_send(httpd_req_t *r, const char *buf, ssize_t buf_len)
{
    exchange_t *exchange = exchange_of(r);
    if (exchange == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (exchange->response != NULL) {
        ESP_LOGE(TAG, "%s is answered twice", r->uri);
        return ESP_ERR_HTTPD_INVALID_REQ;
    }
    size_t len = length_of(buf, buf_len);
    esp_err_t err = begin_answer(exchange, len);
    return err == ESP_OK ? send_bytes(exchange, buf, len, true) : err;
}

esp_err_t httpd_resp_send_chunk(httpd_req_t *r, const char *buf, ssize_t buf_len)
{
    exchange_t *exchange = exchange_of(r);
    if (exchange == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (exchange->out_over) {
        ESP_LOGE(TAG, "%s: a chunk comes behind the last one", r->uri);
        return ESP_ERR_HTTPD_INVALID_REQ;
    }
    size_t len = length_of(buf, buf_len);
    esp_err_t err = exchange->response == NULL ? begin_answer(exchange, MHD_SIZE_UNKNOWN) : ESP_OK;
    return err == ESP_OK ? send_bytes(exchange, buf, len, len == 0) : err;
}

/** ESP_OK: the head is not made yet. */
static esp_err_t check_open(const exchange_t *exchange, const void *value)
{
    if (exchange == NULL || value == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return exchange->response == NULL ? ESP_OK : ESP_ERR_HTTPD_INVALID_REQ;
}

esp_err_t httpd_resp_set_status(httpd_req_t *r, const char *status)
{
    esp_err_t err = check_open(exchange_of(r), status);
    if (err == ESP_OK) {
        exchange_of(r)->status_line = status;
    }
    return err;
}

esp_err_t httpd_resp_set_type(httpd_req_t *r, const char *type)
{
    esp_err_t err = check_open(exchange_of(r), type);
    if (err == ESP_OK) {
        exchange_of(r)->type = type;
    }
    return err;
}

esp_err_t httpd_resp_set_hdr(httpd_req_t *r, const char *field, const char *value)
{
    exchange_t *exchange = exchange_of(r);
    esp_err_t err = check_open(exchange, value);
    if (err != ESP_OK || field == NULL) {
        return err != ESP_OK ? err : ESP_ERR_INVALID_ARG;
    }
    size_t max = exchange->server->config.max_resp_headers;
    if (exchange->fields == NULL) {
        exchange->fields = calloc(max + 1, sizeof(*exchange->fields));
    }
    if (exchange->fields == NULL || exchange->field_count == max) {
        return ESP_ERR_HTTPD_RESP_HDR;
    }
    exchange->fields[exchange->field_count].field = field;
    exchange->fields[exchange->field_count++].value = value;
    return ESP_OK;
}

static const struct {
    const char *status, *text;
} errors[HTTPD_ERR_CODE_MAX] = {
    [HTTPD_500_INTERNAL_SERVER_ERROR] = {HTTPD_500, "Server has encountered an unexpected error"},
    [HTTPD_501_METHOD_NOT_IMPLEMENTED] = {"501 Method Not Implemented",
                                          "Server does not support this method"},
    [HTTPD_505_VERSION_NOT_SUPPORTED] = {"505 Version Not Supported", "HTTP version not supported by server"},
    [HTTPD_400_BAD_REQUEST] = {HTTPD_400, "Bad request syntax"},
    [HTTPD_401_UNAUTHORIZED] = {"401 Unauthorized", "No permission -- see authorization schemes"},
    [HTTPD_403_FORBIDDEN] = {"403 Forbidden", "Request forbidden -- authorization will not help"},
    [HTTPD_404_NOT_FOUND] = {HTTPD_404, "Nothing matches the given URI"},
    [HTTPD_405_METHOD_NOT_ALLOWED] = {"405 Method Not Allowed",
                                      "Specified method is invalid for this resource"},
    [HTTPD_408_REQ_TIMEOUT] = {HTTPD_408, "Server closed this connection"},
    [HTTPD_411_LENGTH_REQUIRED] = {"411 Length Required", "Client must specify Content-Length"},
    [HTTPD_413_CONTENT_TOO_LARGE] = {"413 Content Too Large", "Content is too large"},
    [HTTPD_414_URI_TOO_LONG] = {"414 URI Too Long", "URI is too long"},
    [HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE] = {"431 Request Header Fields Too Large",
                                            "Header fields are too long"},
};

esp_err_t httpd_resp_send_custom_err(httpd_req_t *req, const char *status, const char *msg)
{
    if (req == NULL || status == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    ESP_LOGW(TAG, "%s: %s - %s", req->uri, status, msg != NULL ? msg : "");
    esp_err_t err = httpd_resp_set_status(req, status);
    err = err == ESP_OK ? httpd_resp_set_type(req, HTTPD_TYPE_TEXT) : err;
    return err == ESP_OK ? httpd_resp_sendstr(req, msg) : err;
}

esp_err_t httpd_resp_send_err(httpd_req_t *req, httpd_err_code_t error, const char *msg)
{
    size_t i = (unsigned)error < HTTPD_ERR_CODE_MAX ? (size_t)error : HTTPD_500_INTERNAL_SERVER_ERROR;
    return httpd_resp_send_custom_err(req, errors[i].status, msg != NULL ? msg : errors[i].text);
}
