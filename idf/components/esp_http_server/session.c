/* What belongs to a connection, for as long as it or a request of it lives. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server.h"

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
    if (!session->gone || session->open_requests > 0) {
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

/** With the lock held: where there is one too many, closes the one that has been idle longest. */
static void make_room(server_t *server)
{
    size_t count = 0;
    session_t *oldest = NULL;
    for (session_t *session = server->sessions; session != NULL; session = session->next) {
        count++;
        if (session->open_requests == 0 && (oldest == NULL || session->used < oldest->used)) {
            oldest = session;
        }
    }
    if (count >= server->config.max_open_sockets && oldest != NULL) {
        (void)shutdown(oldest->fd, SHUT_RDWR); /* libmicrohttpd sees its end */
    }
}

static void begin_session(server_t *server, int fd, void **context)
{
    session_t *session = calloc(1, sizeof(*session));
    if (session == NULL) { /* its requests have none, and are refused */
        return;
    }
    server_lock(server);
    if (server->config.lru_purge_enable) {
        make_room(server);
    }
    *session = (session_t){.next = server->sessions, .server = server, .fd = fd, .used = ++server->requests};
    server->sessions = session;
    server->holders++;
    server_unlock(server);
    *context = session;
    httpd_open_func_t open_fn = server->config.open_fn;
    if (open_fn != NULL && open_fn(server, fd) != ESP_OK) {
        (void)shutdown(fd, SHUT_RDWR); /* libmicrohttpd sees its end */
    }
    server_post(HTTP_SERVER_EVENT_ON_CONNECTED, &fd, sizeof(fd));
}

/** A close_fn of ESP-IDF's closes the socket itself; libmicrohttpd will do that here, and must find it open. */
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

static void end_session(server_t *server, session_t *session)
{
    int fd = session->fd;
    if (server->config.close_fn != NULL) {
        tell_close(server, fd);
    }
    server_lock(server);
    session_t **link = &server->sessions;
    while (*link != session) {
        link = &(*link)->next;
    }
    *link = session->next;
    session->gone = true;
    session_release(session);
    server_post(HTTP_SERVER_EVENT_DISCONNECTED, &fd, sizeof(fd));
}

void session_notify(void *cls, struct MHD_Connection *connection, void **context,
                    enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        if (info != NULL) {
            begin_session(cls, info->connect_fd, context);
        }
    } else if (*context != NULL) {
        end_session(cls, *context);
        *context = NULL;
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
        (void)shutdown(session->fd, SHUT_RDWR); /* libmicrohttpd sees its end */
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
