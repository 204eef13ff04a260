/* What a handler asks of a request: its body, its fields, its query. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

#include "server.h"

exchange_t *exchange_of(const httpd_req_t *r)
{
    return r != NULL ? r->aux : NULL;
}

int httpd_req_to_sockfd(httpd_req_t *r)
{
    exchange_t *exchange = exchange_of(r);
    return exchange != NULL ? exchange->session->fd : -1;
}

/** With the lock held: waits for bytes, but not longer than recv_wait_timeout. @return what httpd_req_recv() does */
static int await_body(exchange_t *exchange)
{
    server_t *server = exchange->server;
    const struct timespec until = server_deadline(server->config.recv_wait_timeout);
    bool in_time = true;
    while (exchange->body_at == exchange->body_len) {
        if (exchange->over || exchange->body_over || exchange->state == EXCHANGE_FAILED || server->stopping) {
            return HTTPD_SOCK_ERR_FAIL;
        }
        if (!in_time) {
            return HTTPD_SOCK_ERR_TIMEOUT;
        }
        in_time = server_wait(server, &until);
    }
    return 1;
}

int httpd_req_recv(httpd_req_t *r, char *buf, size_t buf_len)
{
    exchange_t *exchange = exchange_of(r);
    if (exchange == NULL || buf == NULL) {
        return HTTPD_SOCK_ERR_INVALID;
    }
    server_t *server = exchange->server;
    server_lock(server);
    size_t wanted = buf_len < exchange->left ? buf_len : exchange->left;
    wanted = wanted < INT_MAX ? wanted : INT_MAX;
    int result = wanted > 0 ? await_body(exchange) : 0;
    if (result > 0) {
        size_t there = exchange->body_len - exchange->body_at;
        result = (int)(there < wanted ? there : wanted);
        memcpy(buf, exchange->body + exchange->body_at, (size_t)result);
        exchange->body_at += (size_t)result;
        exchange->left -= (size_t)result;
        if (exchange->body_at == exchange->body_len && !exchange->body_over) {
            exchange_resume(exchange);
        }
    }
    int fd = exchange->session->fd;
    server_unlock(server);
    if (result > 0) {
        const esp_http_server_event_data data = {.fd = fd, .data_len = result};
        server_post(HTTP_SERVER_EVENT_ON_DATA, &data, sizeof(data));
    }
    return result;
}

/* ---- fields ---- */

const char *request_field(const exchange_t *exchange, const char *field)
{
    for (const char *at = exchange->fields_of_request; *at != '\0';) {
        const char *value = at + strlen(at) + 1;
        if (strcasecmp(at, field) == 0) {
            return value;
        }
        at = value + strlen(value) + 1;
    }
    return NULL;
}

/** As much of it as fits, with a 0 behind. */
static esp_err_t copy_text(const char *text, size_t len, char *val, size_t val_size)
{
    size_t copied = len < val_size - 1 ? len : val_size - 1;
    memcpy(val, text, copied);
    val[copied] = '\0';
    return copied < len ? ESP_ERR_HTTPD_RESULT_TRUNC : ESP_OK;
}

size_t httpd_req_get_hdr_value_len(httpd_req_t *r, const char *field)
{
    exchange_t *exchange = exchange_of(r);
    const char *value = exchange != NULL && field != NULL ? request_field(exchange, field) : NULL;
    return value != NULL ? strlen(value) : 0;
}

esp_err_t httpd_req_get_hdr_value_str(httpd_req_t *r, const char *field, char *val, size_t val_size)
{
    exchange_t *exchange = exchange_of(r);
    if (exchange == NULL || field == NULL || val == NULL || val_size == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    const char *value = request_field(exchange, field);
    return value != NULL ? copy_text(value, strlen(value), val, val_size) : ESP_ERR_NOT_FOUND;
}

static const char *query_of(const httpd_req_t *r)
{
    const char *mark = r != NULL ? strchr(r->uri, '?') : NULL;
    return mark != NULL ? mark + 1 : "";
}

size_t httpd_req_get_url_query_len(httpd_req_t *r)
{
    return strcspn(query_of(r), "#");
}

esp_err_t httpd_req_get_url_query_str(httpd_req_t *r, char *buf, size_t buf_len)
{
    if (r == NULL || buf == NULL || buf_len == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    size_t len = httpd_req_get_url_query_len(r);
    return len > 0 ? copy_text(query_of(r), len, buf, buf_len) : ESP_ERR_NOT_FOUND;
}

esp_err_t httpd_query_key_value(const char *qry, const char *key, char *val, size_t val_size)
{
    if (qry == NULL || key == NULL || val == NULL || val_size == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    const size_t key_len = strlen(key);
    while (*qry != '\0') {
        size_t len = strcspn(qry, "&"), name_len = strcspn(qry, "=&");
        if (name_len == key_len && qry[name_len] == '=' && strncasecmp(qry, key, key_len) == 0) {
            return copy_text(qry + name_len + 1, len - name_len - 1, val, val_size);
        }
        qry += len + (qry[len] == '&');
    }
    return ESP_ERR_NOT_FOUND;
}

esp_err_t httpd_req_get_cookie_val(httpd_req_t *req, const char *cookie_name, char *val, size_t *val_size)
{
    exchange_t *exchange = exchange_of(req);
    if (exchange == NULL || cookie_name == NULL || val == NULL || val_size == NULL || *val_size == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    const char *at = request_field(exchange, "Cookie");
    const size_t name_len = strlen(cookie_name);
    while (at != NULL && *at != '\0') {
        at += strspn(at, "; ");
        size_t len = strcspn(at, ";");
        if (len > name_len && at[name_len] == '=' && strncmp(at, cookie_name, name_len) == 0) {
            size_t value_len = len - name_len - 1, room = *val_size;
            *val_size = value_len + 1;
            return copy_text(at + name_len + 1, value_len, val, room);
        }
        at += len;
    }
    return ESP_ERR_NOT_FOUND;
}

/* ---- bytes of the application's own ---- */

/** Sends all, waiting for room. @return how many, or what httpd_req_recv() does */
static int send_raw(int fd, const char *buf, size_t len, int flags, unsigned wait_s)
{
    size_t sent = 0;
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    while (sent < len) {
        ssize_t now = send(fd, buf + sent, len - sent, flags | MSG_NOSIGNAL | MSG_DONTWAIT);
        if (now > 0) {
            sent += (size_t)now;
        } else if (errno != EAGAIN) {
            return HTTPD_SOCK_ERR_FAIL;
        } else if (poll(&ready, 1, (int)wait_s * 1000) == 0) {
            return HTTPD_SOCK_ERR_TIMEOUT;
        }
    }
    return (int)sent;
}

int httpd_send(httpd_req_t *r, const char *buf, size_t buf_len)
{
    exchange_t *exchange = exchange_of(r);
    if (exchange == NULL || buf == NULL || buf_len > INT_MAX) {
        return HTTPD_SOCK_ERR_INVALID;
    }
    server_t *server = exchange->server;
    server_lock(server);
    bool ok = exchange->state == EXCHANGE_OPEN && !exchange->over && !server->stopping;
    exchange->raw = ok || exchange->raw;
    server_unlock(server);
    return ok ? send_raw(exchange->session->io, buf, buf_len, 0, server->config.send_wait_timeout)
              : HTTPD_SOCK_ERR_FAIL;
}

int httpd_socket_send(httpd_handle_t hd, int sockfd, const char *buf, size_t buf_len, int flags)
{
    server_t *server = hd;
    if (server == NULL || buf == NULL || buf_len > INT_MAX) {
        return HTTPD_SOCK_ERR_INVALID;
    }
    server_lock(server);
    session_t *session = session_find(server, sockfd);
    bool ok = session != NULL && !server->stopping;
    if (ok) {
        session->users++; /* the socket stays open meanwhile */
        if (session->exchange != NULL) {
            session->exchange->raw = true;
        }
    }
    server_unlock(server);
    if (!ok) {
        return session == NULL ? HTTPD_SOCK_ERR_INVALID : HTTPD_SOCK_ERR_FAIL;
    }
    int sent = send_raw(session->io, buf, buf_len, flags, server->config.send_wait_timeout);
    server_lock(server);
    session->users--;
    session_release(session);
    return sent;
}

/** Bytes behind what libmicrohttpd has read. */
static int receive_raw(int fd, char *buf, size_t len, int flags, unsigned wait_s)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    ssize_t got = recv(fd, buf, len, flags | MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN && (flags & MSG_DONTWAIT) == 0 &&
        poll(&ready, 1, (int)wait_s * 1000) == 1) {
        got = recv(fd, buf, len, flags | MSG_DONTWAIT);
    }
    return got >= 0 ? (int)got : errno == EAGAIN ? HTTPD_SOCK_ERR_TIMEOUT : HTTPD_SOCK_ERR_FAIL;
}

/** With the lock held: until libmicrohttpd has come to the end of the body, and reads nothing meanwhile. */
static bool await_quiet(exchange_t *exchange)
{
    server_t *server = exchange->server;
    const struct timespec until = server_deadline(server->config.recv_wait_timeout);
    bool in_time = true;
    while (!exchange->body_over && !exchange->over && exchange->state == EXCHANGE_OPEN && !server->stopping &&
           in_time) {
        in_time = server_wait(server, &until);
    }
    return exchange->body_over && exchange->suspended && !server->stopping;
}

int httpd_socket_recv(httpd_handle_t hd, int sockfd, char *buf, size_t buf_len, int flags)
{
    server_t *server = hd;
    if (server == NULL || buf == NULL || buf_len > INT_MAX) {
        return HTTPD_SOCK_ERR_INVALID;
    }
    server_lock(server);
    session_t *session = session_find(server, sockfd);
    exchange_t *exchange = session != NULL ? session->exchange : NULL;
    if (exchange == NULL) { /* then it is libmicrohttpd that reads */
        server_unlock(server);
        return session != NULL ? HTTPD_SOCK_ERR_FAIL : HTTPD_SOCK_ERR_INVALID;
    }
    exchange->holders++;
    const bool body = exchange->left > 0;
    const bool quiet = !body && await_quiet(exchange);
    const int io = session->io;
    server_unlock(server);
    int got = body    ? httpd_req_recv(&exchange->request, buf, buf_len)
              : quiet ? receive_raw(io, buf, buf_len, flags, server->config.recv_wait_timeout)
                      : HTTPD_SOCK_ERR_FAIL;
    server_lock(server);
    exchange_release(exchange);
    return got;
}

/* ---- answered by another task ---- */

esp_err_t httpd_req_async_handler_begin(httpd_req_t *r, httpd_req_t **out)
{
    exchange_t *exchange = exchange_of(r);
    if (exchange == NULL || out == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    httpd_req_t *copy = malloc(sizeof(*copy));
    if (copy == NULL) {
        return ESP_ERR_NO_MEM;
    }
    memcpy((void *)copy, r, sizeof(*copy)); /* its uri is const */
    server_lock(exchange->server);
    exchange->detached = true;
    exchange->holders++;
    server_unlock(exchange->server);
    *out = copy;
    return ESP_OK;
}

esp_err_t httpd_req_async_handler_complete(httpd_req_t *r)
{
    exchange_t *exchange = exchange_of(r);
    if (exchange == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    free(r);
    server_lock(exchange->server);
    exchange->detached = false;
    server_unlock(exchange->server);
    exchange_end(exchange, ESP_OK);
    return ESP_OK;
}
