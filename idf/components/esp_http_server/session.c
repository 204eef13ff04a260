/* What belongs to a connection, for as long as it or a request of it lives. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp_log.h"
#include "server.h"

static const char TAG[] = "httpd";

session_t *session_find(server_t *server, int fd)
{
    session_t *session = server->sessions;
    while (session != NULL && session->fd != fd) {
        session = session->next;
    }
    return session;
}

void context_free(const context_t *context)
{
    if (context->ctx != NULL && context->free_ctx != NULL) {
        context->free_ctx(context->ctx);
    } else {
        free(context->ctx); /* ESP-IDF's rule: without a function, it is the heap's */
    }
}

/** @param at  offset of one of its two contexts */
static context_t *context_at(session_t *session, size_t at)
{
    return (context_t *)(void *)((char *)session + at);
}

void session_release(session_t *session)
{
    server_t *server = session->server;
    if (!session->gone || session->users > 0) {
        server_unlock(server);
        return;
    }
    server_unlock(server);
    context_free(&session->ctx);
    context_free(&session->transport_ctx);
    frames_end(session->websocket);
    free(session);
    server_lock(server);
    server_release(server);
}

bool session_is_full(const server_t *server)
{
    size_t count = 0;
    for (const session_t *session = server->sessions; session != NULL; session = session->next) {
        count++;
    }
    return count >= server->config.max_open_sockets + (server->config.lru_purge_enable ? 1u : 0u);
}

void session_shut(const session_t *session)
{
    (void)shutdown(session->io, SHUT_RDWR); /* libmicrohttpd sees its end */
    if (session->fd != session->io) {
        (void)shutdown(session->fd, SHUT_RDWR); /* its link may wait for the client */
    }
}

void session_make_room(server_t *server)
{
    size_t count = 0;
    session_t *oldest = NULL;
    for (session_t *session = server->sessions; session != NULL; session = session->next) {
        count++;
        unsigned idle = session->linked ? 1 : 0;
        if (session->users == idle && (oldest == NULL || session->used < oldest->used)) {
            oldest = session;
        }
    }
    if (count >= server->config.max_open_sockets && oldest != NULL) {
        session_shut(oldest);
    }
}

session_t *session_begin(server_t *server, int fd)
{
    session_t *session = calloc(1, sizeof(*session));
    if (session == NULL) {
        return NULL;
    }
    server_lock(server);
    if (server->config.lru_purge_enable) {
        session_make_room(server);
    }
    *session = (session_t){
        .next = server->sessions, .server = server, .fd = fd, .io = fd, .used = ++server->requests};
    server->sessions = session;
    server->holders++;
    server_unlock(server);
    return session;
}

/** A close_fn of ESP-IDF's closes the socket itself; whoever has it here will do that, and must find it open. */
static void tell_close(server_t *server, int fd)
{
    int kept = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    server->config.close_fn(server, fd);
    if (kept >= 0) {
        if (fcntl(fd, F_GETFD) < 0) {
            (void)dup3(kept, fd, O_CLOEXEC);
        }
        close(kept);
    }
}

/** What TLS says at its end is said while the socket is open. */
static void free_transport(session_t *session)
{
    server_lock(session->server);
    const context_t transport = session->transport_ctx;
    session->transport_ctx = (context_t){0};
    server_unlock(session->server);
    context_free(&transport);
}

void session_end(session_t *session, bool is_open)
{
    server_t *server = session->server;
    int fd = session->fd;
    free_transport(session);
    if (is_open && server->config.close_fn != NULL) {
        tell_close(server, fd);
    }
    server_lock(server);
    session_t **link = &server->sessions;
    while (*link != session) {
        link = &(*link)->next;
    }
    *link = session->next;
    session->gone = true;
    (void)pthread_cond_broadcast(&server->changed); /* there is room at the door */
    session_release(session);
    server_post(HTTP_SERVER_EVENT_DISCONNECTED, &fd, sizeof(fd));
}

void session_left(session_t *session)
{
    server_lock(session->server);
    session->io = -1;
    (void)pthread_cond_broadcast(&session->server->changed);
    server_unlock(session->server);
}

/** With the lock held. */
static session_t *find_by_io(server_t *server, int io)
{
    session_t *session = server->sessions;
    while (session != NULL && (session->io != io || !session->entered)) {
        session = session->next;
    }
    return session;
}

void session_notify(void *cls, struct MHD_Connection *connection, void **context,
                    enum MHD_ConnectionNotificationCode code)
{
    server_t *server = cls;
    session_t *session = *context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        server_lock(server);
        *context = info != NULL ? find_by_io(server, info->connect_fd) : NULL;
        server_unlock(server);
    } else if (session != NULL) {
        *context = NULL;
        if (session->linked) {
            session_left(session);
        } else {
            session_end(session, true);
        }
    }
}

/* ---- for applications ---- */

static void *get_context(server_t *server, int sockfd, size_t at)
{
    if (server == NULL) {
        return NULL;
    }
    server_lock(server);
    session_t *session = session_find(server, sockfd);
    void *ctx = session != NULL ? context_at(session, at)->ctx : NULL;
    server_unlock(server);
    return ctx;
}

static void set_context(server_t *server, int sockfd, size_t at, context_t context)
{
    if (server == NULL) {
        return;
    }
    context_t before = {0};
    server_lock(server);
    session_t *session = session_find(server, sockfd);
    if (session != NULL) {
        before = *context_at(session, at);
        *context_at(session, at) = context;
    }
    server_unlock(server);
    if (before.ctx != context.ctx) {
        context_free(&before);
    }
}

void *httpd_sess_get_ctx(httpd_handle_t handle, int sockfd)
{
    return get_context(handle, sockfd, offsetof(session_t, ctx));
}

void httpd_sess_set_ctx(httpd_handle_t handle, int sockfd, void *ctx, httpd_free_ctx_fn_t free_fn)
{
    set_context(handle, sockfd, offsetof(session_t, ctx), (context_t){ctx, free_fn});
}

void *httpd_sess_get_transport_ctx(httpd_handle_t handle, int sockfd)
{
    return get_context(handle, sockfd, offsetof(session_t, transport_ctx));
}

void httpd_sess_set_transport_ctx(httpd_handle_t handle, int sockfd, void *ctx, httpd_free_ctx_fn_t free_fn)
{
    set_context(handle, sockfd, offsetof(session_t, transport_ctx), (context_t){ctx, free_fn});
}

esp_err_t httpd_sess_trigger_close(httpd_handle_t handle, int sockfd)
{
    server_t *server = handle;
    if (server == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    server_lock(server);
    session_t *session = session_find(server, sockfd);
    if (session != NULL) {
        session_shut(session);
    }
    server_unlock(server);
    return session != NULL ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t httpd_sess_update_lru_counter(httpd_handle_t handle, int sockfd)
{
    server_t *server = handle;
    if (server == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    server_lock(server);
    session_t *session = session_find(server, sockfd);
    if (session != NULL) {
        session->used = ++server->requests;
    }
    server_unlock(server);
    return session != NULL ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t httpd_get_client_list(httpd_handle_t handle, size_t *fds, int *client_fds)
{
    server_t *server = handle;
    if (server == NULL || fds == NULL || client_fds == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    size_t count = 0, room = *fds;
    server_lock(server);
    for (session_t *session = server->sessions; session != NULL; session = session->next) {
        if (count < room) {
            client_fds[count] = session->fd;
        }
        count++;
    }
    server_unlock(server);
    if (count > room) {
        return ESP_ERR_INVALID_ARG;
    }
    *fds = count;
    return ESP_OK;
}

/* ---- functions of its own for a session's bytes ---- */

/** With the lock held. @return ESP_OK: its functions may be set */
static esp_err_t may_override(const session_t *session)
{
    if (session == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    if (session->entered && !session->linked) {
        ESP_LOGE(TAG,
                 "functions of a session's own are set in open_fn here: libmicrohttpd has this one already");
        return ESP_ERR_NOT_SUPPORTED;
    }
    return ESP_OK;
}

typedef enum { OVERRIDE_SEND, OVERRIDE_RECV, OVERRIDE_PENDING } override_t;

typedef union {
    httpd_send_func_t send;
    httpd_recv_func_t recv;
    httpd_pending_func_t pending;
} function_t;

static esp_err_t set_function(server_t *server, int sockfd, override_t which, function_t function)
{
    if (server == NULL || function.send == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    server_lock(server);
    session_t *session = session_find(server, sockfd);
    esp_err_t err = may_override(session);
    if (err == ESP_OK && which == OVERRIDE_SEND) {
        session->send_fn = function.send;
    } else if (err == ESP_OK && which == OVERRIDE_RECV) {
        session->recv_fn = function.recv;
    } else if (err == ESP_OK) {
        session->pending_fn = function.pending;
    }
    server_unlock(server);
    return err;
}

esp_err_t httpd_sess_set_send_override(httpd_handle_t hd, int sockfd, httpd_send_func_t send_func)
{
    return set_function(hd, sockfd, OVERRIDE_SEND, (function_t){.send = send_func});
}

esp_err_t httpd_sess_set_recv_override(httpd_handle_t hd, int sockfd, httpd_recv_func_t recv_func)
{
    return set_function(hd, sockfd, OVERRIDE_RECV, (function_t){.recv = recv_func});
}

esp_err_t httpd_sess_set_pending_override(httpd_handle_t hd, int sockfd, httpd_pending_func_t pending_func)
{
    return set_function(hd, sockfd, OVERRIDE_PENDING, (function_t){.pending = pending_func});
}
