/* A link: bytes between a client and libmicrohttpd that pass through functions of the session's own, such as TLS. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server.h"

#define PIECE 16384 /* a record of TLS */

/** Bytes that have come from the client, and wait for libmicrohttpd. */
typedef struct {
    session_t *session;
    int inside; /* the end of the pair that is ours */
    char bytes[PIECE];
    size_t at, len;
    bool over; /* the client sends no more */
} relay_t;

static int receive_plain(int fd, char *buf, size_t len)
{
    ssize_t got = recv(fd, buf, len, MSG_DONTWAIT);
    return got >= 0 ? (int)got : errno == EAGAIN ? HTTPD_SOCK_ERR_TIMEOUT : HTTPD_SOCK_ERR_FAIL;
}

static int send_plain(const server_t *server, int fd, const char *buf, size_t len)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    ssize_t sent = send(fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN && poll(&ready, 1, server->config.send_wait_timeout * 1000) == 1) {
        sent = send(fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    return sent > 0 ? (int)sent : HTTPD_SOCK_ERR_FAIL;
}

/** @return false: the client is gone */
static bool receive(relay_t *relay)
{
    session_t *session = relay->session;
    server_lock(session->server);
    const httpd_recv_func_t recv_fn = session->recv_fn;
    server_unlock(session->server);
    int got = recv_fn != NULL ? recv_fn(session->server, session->fd, relay->bytes, PIECE, 0)
                              : receive_plain(session->fd, relay->bytes, PIECE);
    if (got > PIECE || (got < 0 && got != HTTPD_SOCK_ERR_TIMEOUT)) {
        return false;
    }
    relay->at = 0;
    relay->len = got > 0 ? (size_t)got : 0;
    relay->over = got == 0;
    if (relay->over) {
        (void)shutdown(relay->inside, SHUT_WR); /* libmicrohttpd may still have something to say */
    }
    return true;
}

/** @return false: libmicrohttpd takes no more */
static bool pass_on(relay_t *relay)
{
    ssize_t sent = send(relay->inside, relay->bytes + relay->at, relay->len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
        return errno == EAGAIN;
    }
    relay->at += (size_t)sent;
    relay->len -= (size_t)sent;
    return true;
}

/** Sends what libmicrohttpd says. @return false: it has ended, or the client takes no more */
static bool send_out(const relay_t *relay)
{
    session_t *session = relay->session;
    char bytes[PIECE];
    ssize_t got = recv(relay->inside, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (got <= 0) {
        return got < 0 && errno == EAGAIN;
    }
    server_lock(session->server);
    const httpd_send_func_t send_fn = session->send_fn;
    server_unlock(session->server);
    for (size_t at = 0; at < (size_t)got;) {
        int sent = send_fn != NULL ? send_fn(session->server, session->fd, bytes + at, (size_t)got - at, 0)
                                   : send_plain(session->server, session->fd, bytes + at, (size_t)got - at);
        if (sent <= 0 || (size_t)sent > (size_t)got - at) {
            return false;
        }
        at += (size_t)sent;
    }
    return true;
}

/** Whether bytes can be received of which the socket does not tell. */
static bool is_pending(const session_t *session)
{
    server_lock(session->server);
    const httpd_pending_func_t pending_fn = session->pending_fn;
    server_unlock(session->server);
    return pending_fn != NULL && pending_fn(session->server, session->fd) > 0;
}

/** Waits, and moves what there is. @return false: one side has ended */
static bool move_some(relay_t *relay)
{
    const bool wants = relay->len == 0 && !relay->over;
    const bool pending = wants && is_pending(relay->session);
    struct pollfd fds[] = {
        {.fd = wants ? relay->session->fd : -1, .events = POLLIN},
        {.fd = relay->inside, .events = (short)(POLLIN | (relay->len > 0 ? POLLOUT : 0))},
    };
    (void)poll(fds, 2, pending ? 0 : -1); /* httpd_stop() ends both of them */
    if ((fds[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !send_out(relay)) {
        return false;
    }
    if ((fds[1].revents & POLLOUT) != 0 && !pass_on(relay)) {
        return false;
    }
    return (!pending && fds[0].revents == 0) || receive(relay);
}

/** Until libmicrohttpd knows of it no more: it sees the end of the pair when the request under way has ended. */
static void await_end(session_t *session)
{
    server_t *server = session->server;
    server_lock(server);
    while (session->io >= 0) {
        (void)server_wait(server, NULL);
    }
    session->users--; /* our own: now it may go */
    server_unlock(server);
}

/** @return false: there are no descriptors for it */
static bool begin(session_t *session, relay_t *relay)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return false;
    }
    relay->session = session;
    relay->inside = pair[1];
    server_lock(session->server);
    session->users++;
    session->io = pair[0];
    server_unlock(session->server);
    if (!door_enter(session)) {
        session_left(session);
    }
    return true;
}

void link_run(session_t *session)
{
    relay_t relay = {0};
    int fd = session->fd;
    if (begin(session, &relay)) {
        while (move_some(&relay)) {
        }
        close(relay.inside);
        await_end(session);
    }
    session_end(session, true);
    close(fd);
}
