/* The door of a server: clients are accepted, greeted by the application, and given to libmicrohttpd. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server.h"

#define RETRY_MS 100 /* where this machine has no descriptors for another client */

/** The server takes no more? Else it waits in door_close() until this one is in. */
static bool begin_to_enter(session_t *session)
{
    server_t *server = session->server;
    server_lock(server);
    session->entered = !server->stopping;
    server->entering += session->entered;
    server_unlock(server);
    return session->entered;
}

bool door_enter(session_t *session)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC}; /* applications ask the socket for it */
    server_t *server = session->server;
    if (!begin_to_enter(session)) {
        close(session->io);
        return false;
    }
    bool ok = MHD_add_connection(server->daemon, session->io, &nobody, sizeof(nobody)) == MHD_YES;
    server_lock(server);
    server->entering--;
    (void)pthread_cond_broadcast(&server->changed);
    server_unlock(server);
    return ok; /* else libmicrohttpd has closed it */
}

/** It has not been given to anybody. */
static void send_away(session_t *session)
{
    int fd = session->fd;
    session_end(session, true);
    close(fd);
}

/** What TLS and the application say to it. */
static bool greet(session_t *session)
{
    server_t *server = session->server;
    const httpd_open_func_t open_fn = server->config.open_fn;
    if (server->secure != NULL && server->secure(server, session->fd) != ESP_OK) {
        return false;
    }
    if (open_fn == NULL) {
        return true;
    }
    (void)pthread_mutex_lock(&server->greeting);
    bool ok = open_fn(server, session->fd) == ESP_OK;
    (void)pthread_mutex_unlock(&server->greeting);
    return ok;
}

static void let_in(session_t *session)
{
    int fd = session->fd;
    server_post(HTTP_SERVER_EVENT_ON_CONNECTED, &fd, sizeof(fd));
    if (session->linked) {
        link_run(session);
    } else if (!door_enter(session)) {
        session_end(session, false);
    }
}

/** In a thread of its own: a client that is slow here keeps no other one waiting. */
static void *receive_guest(void *arg)
{
    session_t *session = arg;
    server_t *server = session->server;
    if (greet(session)) {
        server_lock(server);
        session->linked = session->send_fn != NULL || session->recv_fn != NULL || session->pending_fn != NULL;
        server_unlock(server);
        let_in(session);
    } else {
        send_away(session);
    }
    server_lock(server);
    server->guests--;
    (void)pthread_cond_broadcast(&server->changed);
    server_release(server);
    return NULL;
}

/** @return false: there is no thread for it */
static bool begin_guest(session_t *session)
{
    server_t *server = session->server;
    pthread_t thread;
    server_lock(server);
    server->guests++;
    server->holders++;
    server_unlock(server);
    if (pthread_create(&thread, NULL, receive_guest, session) == 0) {
        (void)pthread_detach(thread); /* it is counted */
        return true;
    }
    server_lock(server);
    server->guests--;
    server_release(server);
    return false;
}

static void welcome(server_t *server, int fd)
{
    session_t *session = session_begin(server, fd);
    if (session == NULL) {
        close(fd);
    } else if (server->secure == NULL && server->config.open_fn == NULL) {
        let_in(session);
    } else if (!begin_guest(session)) {
        send_away(session);
    }
}

/** @return false: the server stops */
static bool wait_for_room(server_t *server)
{
    server_lock(server);
    while (!server->stopping && session_is_full(server)) {
        (void)server_wait(server, NULL);
    }
    bool goes_on = !server->stopping;
    server_unlock(server);
    return goes_on;
}

static void *stand_at_door(void *arg)
{
    server_t *server = arg;
    struct pollfd listener = {.fd = server->listener, .events = POLLIN};
    while (wait_for_room(server)) {
        (void)poll(&listener, 1, -1); /* door_close() ends it */
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            welcome(server, fd);
        } else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINVAL) {
            (void)poll(NULL, 0, RETRY_MS);
        }
    }
    return NULL;
}

bool door_open(server_t *server)
{
    return pthread_create(&server->door, NULL, stand_at_door, server) == 0;
}

/** With the lock held: who waits for TLS or open_fn. */
static bool has_guests_outside(const server_t *server)
{
    for (const session_t *session = server->sessions; session != NULL; session = session->next) {
        if (!session->entered) {
            return true;
        }
    }
    return false;
}

void door_close(server_t *server)
{
    (void)shutdown(server->listener, SHUT_RDWR);
    (void)pthread_join(server->door, NULL); /* it ends: `stopping` is set */
    close(server->listener);
    server_lock(server);
    for (const session_t *session = server->sessions; session != NULL; session = session->next) {
        session_shut(session);
    }
    while (server->entering > 0 || has_guests_outside(server)) {
        (void)server_wait(server, NULL);
    }
    server_unlock(server);
}

void door_closed(server_t *server)
{
    server_lock(server);
    while (server->guests > 0) {
        (void)server_wait(server, NULL);
    }
    server_unlock(server);
}
