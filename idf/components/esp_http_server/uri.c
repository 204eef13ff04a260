/* Which handler answers a request, and what comes of one that none does. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "esp_log.h"
#include "server.h"

static const char TAG[] = "httpd";

bool httpd_uri_match_wildcard(const char *uri_template, const char *uri_to_match, size_t match_upto)
{
    size_t len = strlen(uri_template);
    bool rest = false, optional = false; /* what ends in * or ?, in either order */
    while (len > 0 &&
           ((uri_template[len - 1] == '*' && !rest) || (uri_template[len - 1] == '?' && !optional))) {
        rest = rest || uri_template[len - 1] == '*';
        optional = optional || uri_template[len - 1] == '?';
        len--;
    }
    if (optional && len == 0) {
        return false; /* which character would it be? */
    }
    size_t must = optional ? len - 1 : len; /* the character before ? may be missing */
    if (match_upto < must || strncmp(uri_template, uri_to_match, must) != 0) {
        return false;
    }
    if (optional && match_upto > must && uri_template[must] != uri_to_match[must]) {
        return false;
    }
    return rest || match_upto <= len;
}

static bool matches(const server_t *server, const char *uri, const char *path, size_t len)
{
    return server->config.uri_match_fn != NULL ? server->config.uri_match_fn(uri, path, len)
                                               : strlen(uri) == len && strncmp(uri, path, len) == 0;
}

/** With the lock held. */
static httpd_uri_t *find_registered(server_t *server, const char *uri, int method)
{
    for (size_t i = 0; i < server->handler_count; i++) {
        if (strcmp(server->handlers[i].uri, uri) == 0 && (int)server->handlers[i].method == method) {
            return &server->handlers[i];
        }
    }
    return NULL;
}

esp_err_t httpd_register_uri_handler(httpd_handle_t handle, const httpd_uri_t *uri_handler)
{
    server_t *server = handle;
    if (server == NULL || uri_handler == NULL || uri_handler->uri == NULL || uri_handler->handler == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    char *uri = strdup(uri_handler->uri);
    if (uri == NULL) {
        return ESP_ERR_HTTPD_ALLOC_MEM;
    }
    esp_err_t err = ESP_OK;
    server_lock(server);
    if (find_registered(server, uri, (int)uri_handler->method) != NULL) {
        err = ESP_ERR_HTTPD_HANDLER_EXISTS;
    } else if (server->handler_count == server->config.max_uri_handlers) {
        err = ESP_ERR_HTTPD_HANDLERS_FULL;
    } else {
        server->handlers[server->handler_count] = *uri_handler;
        server->handlers[server->handler_count++].uri = uri;
    }
    server_unlock(server);
    if (err != ESP_OK) {
        ESP_LOGW(TAG, "no handler for %s: %s", uri,
                 err == ESP_ERR_HTTPD_HANDLER_EXISTS ? "it has one" : "max_uri_handlers are there already");
        free(uri);
    }
    return err;
}

/** With the lock held. */
static void remove_handler(server_t *server, httpd_uri_t *entry)
{
    free((void *)(uintptr_t)entry->uri);
    size_t behind = server->handler_count - 1 - (size_t)(entry - server->handlers);
    memmove(entry, entry + 1, behind * sizeof(*entry));
    server->handler_count--;
}

esp_err_t httpd_unregister_uri_handler(httpd_handle_t handle, const char *uri, httpd_method_t method)
{
    server_t *server = handle;
    if (server == NULL || uri == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    server_lock(server);
    httpd_uri_t *entry = find_registered(server, uri, (int)method);
    if (entry != NULL) {
        remove_handler(server, entry);
    }
    server_unlock(server);
    return entry != NULL ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t httpd_unregister_uri(httpd_handle_t handle, const char *uri)
{
    server_t *server = handle;
    if (server == NULL || uri == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = ESP_ERR_NOT_FOUND;
    server_lock(server);
    for (size_t i = server->handler_count; i > 0; i--) {
        if (strcmp(server->handlers[i - 1].uri, uri) == 0) {
            remove_handler(server, &server->handlers[i - 1]);
            err = ESP_OK;
        }
    }
    server_unlock(server);
    return err;
}

esp_err_t httpd_register_err_handler(httpd_handle_t handle, httpd_err_code_t error,
                                     httpd_err_handler_func_t handler_fn)
{
    server_t *server = handle;
    if (server == NULL || (unsigned)error >= HTTPD_ERR_CODE_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    server_lock(server);
    server->error_handlers[error] = handler_fn;
    server_unlock(server);
    return ESP_OK;
}

/* ---- a request ---- */

/** @return HTTPD_ERR_CODE_MAX, and the handler */
static httpd_err_code_t find_handler(exchange_t *exchange, httpd_uri_t *found)
{
    server_t *server = exchange->server;
    const char *uri = exchange->request.uri;
    size_t len = strcspn(uri, "?#");
    httpd_err_code_t error = HTTPD_404_NOT_FOUND;
    server_lock(server);
    for (size_t i = 0; i < server->handler_count && error != HTTPD_ERR_CODE_MAX; i++) {
        const httpd_uri_t *entry = &server->handlers[i];
        if (!matches(server, entry->uri, uri, len)) {
            continue;
        }
        error = HTTPD_405_METHOD_NOT_ALLOWED;
        if ((int)entry->method == exchange->request.method || (int)entry->method == HTTP_ANY) {
            *found = *entry;
            error = HTTPD_ERR_CODE_MAX;
        }
    }
    server_unlock(server);
    return error;
}

static esp_err_t handle_error(exchange_t *exchange, httpd_err_code_t error)
{
    server_lock(exchange->server);
    httpd_err_handler_func_t handler = exchange->server->error_handlers[error];
    server_unlock(exchange->server);
    if (handler != NULL) {
        return handler(&exchange->request, error);
    }
    (void)httpd_resp_send_err(&exchange->request, error, NULL); /* the connection ends in any case */
    return ESP_FAIL;
}

/** The connection's context, which a handler may change. */
static void load_context(exchange_t *exchange)
{
    server_lock(exchange->server);
    exchange->request.sess_ctx = exchange->session->ctx.ctx;
    exchange->request.free_ctx = exchange->session->ctx.free_ctx;
    server_unlock(exchange->server);
}

static void keep_context(exchange_t *exchange)
{
    const httpd_req_t *r = &exchange->request;
    session_t *session = exchange->session;
    server_lock(exchange->server);
    const context_t before = session->ctx;
    if (!r->ignore_sess_ctx_changes) {
        session->ctx = (context_t){r->sess_ctx, r->free_ctx};
    }
    server_unlock(exchange->server);
    if (!r->ignore_sess_ctx_changes && before.ctx != r->sess_ctx) {
        context_free(&before);
    }
}

esp_err_t uri_call(exchange_t *exchange, const httpd_uri_t *uri)
{
    exchange->request.user_ctx = uri->user_ctx;
    load_context(exchange);
    esp_err_t err = uri->handler(&exchange->request);
    keep_context(exchange);
    return err;
}

esp_err_t uri_handle(exchange_t *exchange)
{
    httpd_uri_t found;
    int fd = exchange->session->fd;
    server_post(HTTP_SERVER_EVENT_ON_HEADER, &fd, sizeof(fd));
    httpd_err_code_t error =
        exchange->error != HTTPD_ERR_CODE_MAX ? exchange->error : find_handler(exchange, &found);
    if (error != HTTPD_ERR_CODE_MAX) {
        return handle_error(exchange, error);
    }
    if (!found.is_websocket || !websocket_is_asked(exchange)) {
        return uri_call(exchange, &found);
    }
    esp_err_t err = websocket_accept(exchange, &found);
    if (err == ESP_OK) {
        err = uri_call(exchange, &found);
        websocket_handled(exchange->session, err);
    }
    return err;
}

void exchange_end(exchange_t *exchange, esp_err_t err)
{
    server_lock(exchange->server);
    bool is_websocket = exchange->session->websocket != NULL;
    bool closed = exchange->over || exchange->detached || is_websocket;
    if (!closed && exchange->state == EXCHANGE_OPEN && err == ESP_OK && !exchange->raw) {
        ESP_LOGW(TAG, "%s: the handler has returned without an answer; the connection is closed",
                 exchange->request.uri);
    }
    if (!closed) {
        exchange_fail(exchange); /* an answer that has its end has been sent: this one has none */
    }
    if (err != ESP_OK && !exchange->session->gone && !is_websocket) {
        session_shut(exchange->session);
    }
    exchange_release(exchange);
}
