/* What libmicrohttpd's thread does with a request: it keeps the body until it is asked for, and sends what it is given. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "server.h"

void exchange_resume(exchange_t *exchange)
{
    if (exchange->suspended) {
        exchange->suspended = false;
        MHD_resume_connection(exchange->connection);
    }
}

/** With the lock held: until the handler, or who answers for it, has something to say. */
static void suspend(exchange_t *exchange)
{
    if (!exchange->suspended && !exchange->server->stopping) {
        exchange->suspended = true;
        MHD_suspend_connection(exchange->connection);
    }
}

void exchange_fail(exchange_t *exchange)
{
    exchange->state = EXCHANGE_FAILED;
    exchange->out = NULL;
    exchange->out_len = 0;
    exchange_resume(exchange);
    (void)pthread_cond_broadcast(&exchange->server->changed);
}

void exchange_release(exchange_t *exchange)
{
    server_t *server = exchange->server;
    if (--exchange->holders > 0) {
        server_unlock(server);
        return;
    }
    session_t *session = exchange->session;
    server_unlock(server);
    if (exchange->response != NULL) {
        MHD_destroy_response(exchange->response);
    }
    free(exchange->fields);
    free(exchange->fields_of_request);
    free(exchange);
    server_lock(server);
    session->users--;
    session_release(session);
    server_lock(server);
    server_release(server);
}

void exchange_over(exchange_t *exchange)
{
    exchange->over = true;
    exchange->suspended = false;
    exchange->session->exchange = NULL;
    (void)pthread_cond_broadcast(&exchange->server->changed);
    exchange_release(exchange);
}

/* ---- a request begins ---- */

/** The first that libmicrohttpd tells of a request, which gets what is made here as its context. */
void *transfer_see_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
    server_t *server = cls;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    session_t *session = info != NULL ? info->socket_context : NULL;
    exchange_t *exchange = session != NULL ? calloc(1, sizeof(*exchange)) : NULL;
    if (exchange == NULL) {
        return NULL; /* the connection is closed when its head is complete */
    }
    exchange->server = server;
    exchange->session = session;
    exchange->connection = connection;
    exchange->error = HTTPD_ERR_CODE_MAX;
    exchange->holders = 1;
    exchange->status_line = HTTPD_200;
    exchange->type = HTTPD_TYPE_TEXT;
    exchange->request.handle = server;
    exchange->request.aux = exchange;
    size_t len = strlen(uri);
    if (len >= sizeof(exchange->request.uri) || len > server->config.max_uri_len) {
        exchange->error = HTTPD_414_URI_TOO_LONG;
        len = 0;
    }
    memcpy((char *)(uintptr_t)exchange->request.uri, uri, len);
    server_lock(server);
    server->holders++;
    session->users++;
    session->exchange = exchange;
    session->used = ++server->requests;
    server_unlock(server);
    return exchange;
}

/** -1: it is none of HTTP's */
static int method_of(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } methods[] = {
#define METHOD(number, name, string) {#string, number},
        HTTP_METHOD_MAP(METHOD)
#undef METHOD
    };
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strcmp(methods[i].name, name) == 0) {
            return methods[i].number;
        }
    }
    return -1;
}

typedef struct {
    char *text;
    size_t used, room;
} fields_t;

/** libmicrohttpd forgets the fields when it has done with a request, and an application may ask later. */
static enum MHD_Result measure_field(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    fields_t *fields = cls;
    fields->room += strlen(name) + strlen(value != NULL ? value : "") + 2;
    return MHD_YES;
}

static enum MHD_Result keep_field(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    fields_t *fields = cls;
    fields->used +=
        (size_t)snprintf(fields->text + fields->used, fields->room - fields->used, "%s", name) + 1;
    fields->used += (size_t)snprintf(fields->text + fields->used, fields->room - fields->used, "%s",
                                     value != NULL ? value : "") +
                    1;
    return MHD_YES;
}

/** What the head says of the body. */
static void see_length(exchange_t *exchange)
{
    const char *coding =
        MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, "Transfer-Encoding");
    const char *length = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, "Content-Length");
    if (coding != NULL) {
        exchange->error = HTTPD_411_LENGTH_REQUIRED;
    } else if (length != NULL) { /* libmicrohttpd has checked that it is a number */
        exchange->request.content_len = strtoull(length, NULL, 10);
        exchange->left = exchange->request.content_len;
    }
}

/** The head is complete: the task is told. @return false: no memory */
static bool begin(exchange_t *exchange, const char *method)
{
    server_t *server = exchange->server;
    fields_t fields = {.room = 1};
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, measure_field, &fields);
    fields.text = calloc(1, fields.room);
    if (fields.text == NULL) {
        return false;
    }
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, keep_field, &fields);
    exchange->fields_of_request = fields.text;
    exchange->request.method = method_of(method);
    if (exchange->request.method < 0) {
        exchange->error = HTTPD_501_METHOD_NOT_IMPLEMENTED;
    } else if (exchange->error == HTTPD_ERR_CODE_MAX && fields.room > server->config.max_req_hdr_len) {
        exchange->error = HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE;
    } else if (exchange->error == HTTPD_ERR_CODE_MAX) {
        see_length(exchange);
    }
    server_lock(server);
    exchange->queued = true;
    bool runs = !server->stopping;
    if (runs) {
        exchange->holders++;
        *server->last = exchange;
        server->last = &exchange->next;
        (void)pthread_cond_broadcast(&server->changed);
    }
    server_unlock(server);
    return runs;
}

/* ---- its body, and its answer ---- */

/** With the lock held: keeps what there is room for; the rest is offered again when httpd_req_recv() has made some. */
static void take_body(exchange_t *exchange, const char *data, size_t *size)
{
    if (exchange->state != EXCHANGE_OPEN || exchange->error != HTTPD_ERR_CODE_MAX) {
        exchange->taken += *size;
        *size = 0; /* nobody asks for it any more */
        (void)pthread_cond_broadcast(&exchange->server->changed);
        return;
    }
    if (exchange->body_at == exchange->body_len) {
        exchange->body_at = exchange->body_len = 0;
    }
    size_t taken = sizeof(exchange->body) - exchange->body_len;
    taken = taken < *size ? taken : *size;
    memcpy(exchange->body + exchange->body_len, data, taken);
    exchange->body_len += taken;
    *size -= taken;
    if (*size > 0) {
        suspend(exchange);
    }
    (void)pthread_cond_broadcast(&exchange->server->changed);
}

enum MHD_Result transfer_go_on(void *cls, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *data, size_t *size,
                               void **context)
{
    (void)connection, (void)url, (void)version;
    server_t *server = cls;
    exchange_t *exchange = *context;
    if (exchange == NULL) {
        return MHD_NO;
    }
    if (!exchange->queued) {
        return begin(exchange, method) ? MHD_YES : MHD_NO;
    }
    server_lock(server);
    enum MHD_Result result = MHD_YES;
    bool answered = false;
    if (exchange->state == EXCHANGE_FAILED || server->stopping) {
        result = MHD_NO;
    } else if (*size > 0) {
        take_body(exchange, data, size);
    } else if (exchange->state == EXCHANGE_ANSWERED) {
        answered = true;
    } else {
        exchange->body_over = true;
        (void)pthread_cond_broadcast(&server->changed);
        suspend(exchange);
    }
    server_unlock(server);
    /* Without the lock, which give_bytes() takes under libmicrohttpd's own. */
    return answered ? MHD_queue_response(connection, exchange->status, exchange->response) : result;
}

void transfer_end(void *cls, struct MHD_Connection *connection, void **context,
                  enum MHD_RequestTerminationCode why)
{
    (void)connection;
    server_t *server = cls;
    exchange_t *exchange = *context;
    if (exchange == NULL) {
        return;
    }
    *context = NULL;
    if (exchange->upgraded) {
        websocket_ended(exchange);
        return;
    }
    server_lock(server);
    exchange->sent = why == MHD_REQUEST_TERMINATED_COMPLETED_OK && exchange->state == EXCHANGE_ANSWERED;
    exchange_over(exchange);
}
