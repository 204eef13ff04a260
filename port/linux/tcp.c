/* The transport seam on Linux sockets: non-blocking descriptors, every wait a poll() with a time limit, which Ctrl-C ends. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/transport.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp_log.h"
#include "linux/interrupt.h"
#include "linux/resolve.h"
#include "linux/slow_link.h"
#include "otter/system.h"

/*
 * While much more is certain to come, wait for GATHER bytes at once instead of being woken per segment: a third less CPU
 * on a fast line. A line that does not bring them within GATHER_MS gains nothing by it and is read as it comes.
 */
#define GATHER    (256 * 1024)
#define GATHER_MS 50

#define RATE_VARIABLE   "OTTER_NET_RATE" /* of `otter run --net-rate`: bytes a second */
#define PIECES_A_SECOND 20u

#define KEEP_ALIVE_DEFAULT_S     5
#define KEEP_ALIVE_DEFAULT_COUNT 3

typedef struct {
    otter_transport_t base;
    int fd;            /* -1: closed */
    uint64_t expected; /* bytes certain to come */
    bool gathering;    /* SO_RCVLOWAT is GATHER */
    uint32_t rate;     /* bytes a second that this line brings; 0: as many as come */
    int64_t free_us;   /* until then it is busy with what was read */
    otter_transport_error_t error;
} tcp_t;

static tcp_t *tcp_of(otter_transport_t *t)
{
    return (tcp_t *)t;
}

static void set_error(tcp_t *tcp, esp_err_t code, int sys_errno, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void set_error(tcp_t *tcp, esp_err_t code, int sys_errno, const char *format, ...)
{
    tcp->error.sys_errno = sys_errno;
    va_list args;
    va_start(args, format);
    otter_vfault(&tcp->error.fault, code, format, args);
    va_end(args);
}

static int ms_until(int64_t deadline_us)
{
    int64_t left_ms = (deadline_us - otter_now_us() + 999) / 1000;
    return left_ms <= 0 ? 0 : left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

/** @return 1 ready (or failed: the next call tells), 0 timeout, -1 with errno */
static int wait_for(int fd, short events, int64_t deadline_us)
{
    struct pollfd ready = {.fd = fd, .events = events};
    for (;;) {
        int n = interrupt_poll(&ready, 1, ms_until(deadline_us));
        if (n >= 0 || errno != EINTR) {
            return n;
        }
    }
}

/* ---- connecting ---- */

static bool set_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

static bool set_keep_alive(int fd, const otter_endpoint_t *endpoint)
{
    int idle = endpoint->keep_alive_idle_s > 0 ? endpoint->keep_alive_idle_s : KEEP_ALIVE_DEFAULT_S;
    int interval =
        endpoint->keep_alive_interval_s > 0 ? endpoint->keep_alive_interval_s : KEEP_ALIVE_DEFAULT_S;
    int count = endpoint->keep_alive_count > 0 ? endpoint->keep_alive_count : KEEP_ALIVE_DEFAULT_COUNT;
    return set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1) && set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle) &&
           set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval) &&
           set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, count);
}

/** False with the error set. */
static bool set_options(tcp_t *tcp, int fd, const otter_endpoint_t *endpoint)
{
    (void)set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* only slower without */
    if (endpoint->keep_alive && !set_keep_alive(fd, endpoint)) {
        set_error(tcp, ESP_ERR_ESP_TLS_SOCKET_SETOPT_FAILED, errno, "cannot set keep-alive: %s",
                  strerror(errno));
        return false;
    }
    if (endpoint->if_name != NULL && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, endpoint->if_name,
                                                (socklen_t)strlen(endpoint->if_name)) != 0) {
        set_error(tcp, ESP_ERR_ESP_TLS_SOCKET_SETOPT_FAILED, errno, "cannot bind to interface %s: %s",
                  endpoint->if_name, strerror(errno));
        return false;
    }
    return true;
}

/** 0, or the errno of the attempt; `how` is what ESP-IDF's log calls it. */
static int finish_connect(int fd, const struct addrinfo *address, int64_t deadline_us, const char **how)
{
    *how = "connect() error";
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0) {
        return 0;
    }
    if (errno != EINPROGRESS && errno != EINTR) {
        return errno;
    }
    int n = wait_for(fd, POLLOUT, deadline_us);
    if (n <= 0) {
        *how = n == 0 ? "select() timeout" : "select() error";
        return n == 0 ? ETIMEDOUT : errno;
    }
    *how = "delayed connect error";
    int code = 0;
    socklen_t len = sizeof(code);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len) == 0 ? code : errno;
}

static bool connect_to(tcp_t *tcp, const struct addrinfo *address, const otter_endpoint_t *endpoint,
                       int64_t deadline_us)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0) {
        set_error(tcp, ESP_ERR_ESP_TLS_CANNOT_CREATE_SOCKET, errno, "cannot create a socket: %s",
                  strerror(errno));
        return false;
    }
    if (!set_options(tcp, fd, endpoint)) {
        close(fd);
        return false;
    }
    const char *how;
    int code = finish_connect(fd, address, deadline_us, &how);
    if (code != 0) {
        /* the last address decides; a name whose first one fails has done nothing wrong */
        ESP_LOG_LEVEL(address->ai_next == NULL ? ESP_LOG_ERROR : ESP_LOG_DEBUG, "esp-tls", "[sock=%d] %s: %s",
                      fd, how, strerror(code));
        close(fd);
        esp_err_t err =
            code == ETIMEDOUT ? ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT : ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST;
        set_error(tcp, err, code, "cannot connect to %s port %u: %s", endpoint->host, endpoint->port,
                  strerror(code));
        return false;
    }
    tcp->fd = fd;
    return true;
}

/** Each address gets its share of what is left, so that a dead one leaves time for those after it. */
static bool connect_to_any(tcp_t *tcp, const struct addrinfo *list, const otter_endpoint_t *endpoint,
                           int64_t deadline_us)
{
    int left = 0;
    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
        left++;
    }
    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next, left--) {
        int64_t now = otter_now_us();
        int64_t share = deadline_us > now ? (deadline_us - now) / left : 0;
        if (connect_to(tcp, a, endpoint, now + share)) {
            return true;
        }
    }
    return false;
}

static void tcp_close(otter_transport_t *t)
{
    tcp_t *tcp = tcp_of(t);
    if (tcp->fd >= 0) {
        close(tcp->fd);
        tcp->fd = -1;
    }
    tcp->expected = 0;
    tcp->gathering = false;
}

static esp_err_t tcp_connect(otter_transport_t *t, const otter_endpoint_t *endpoint)
{
    tcp_t *tcp = tcp_of(t);
    tcp_close(t);
    tcp->error = (otter_transport_error_t){0};
    int64_t deadline_us = otter_now_us() + (int64_t)endpoint->timeout_ms * 1000;
    int family = endpoint->address_family == 4   ? AF_INET
                 : endpoint->address_family == 6 ? AF_INET6
                                                 : AF_UNSPEC;
    struct addrinfo *list = NULL;
    int code = resolve_host(endpoint->host, endpoint->port, family, endpoint->timeout_ms, &list);
    if (code != 0) {
        int sys_errno = code == EAI_SYSTEM   ? errno
                        : code == EAI_MEMORY ? ENOMEM
                        : code == EAI_AGAIN  ? EAGAIN
                                             : 0;
        if (code == RESOLVE_TIMED_OUT) {
            set_error(tcp, ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME, ETIMEDOUT,
                      "cannot resolve %s: no answer within %d ms", endpoint->host, endpoint->timeout_ms);
        } else {
            set_error(tcp, ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME, sys_errno, "cannot resolve %s: %s",
                      endpoint->host, gai_strerror(code));
        }
        return ESP_ERR_HTTP_CONNECT;
    }
    bool connected = connect_to_any(tcp, list, endpoint, deadline_us);
    freeaddrinfo(list);
    return connected ? ESP_OK : ESP_ERR_HTTP_CONNECT;
}

/* ---- moving bytes ---- */

static int io_failed(tcp_t *tcp, const char *what)
{
    int code = errno;
    set_error(tcp, code == ECONNRESET || code == EPIPE ? ESP_ERR_TCP_TRANSPORT_CONNECTION_FAILED : ESP_FAIL,
              code, "%s: %s", what, strerror(code));
    return OTTER_IO_ERROR;
}

static int io_timed_out(tcp_t *tcp, int timeout_ms)
{
    set_error(tcp, ESP_ERR_TCP_TRANSPORT_CONNECTION_TIMEOUT, EAGAIN, "nothing moved for %d ms", timeout_ms);
    return OTTER_IO_TIMEOUT;
}

static bool is_closed(tcp_t *tcp)
{
    if (tcp->fd < 0) {
        set_error(tcp, ESP_ERR_TCP_TRANSPORT_CONNECTION_FAILED, ENOTCONN, "not connected");
    }
    return tcp->fd < 0;
}

static void tcp_expect(otter_transport_t *t, uint64_t len)
{
    tcp_of(t)->expected = len;
}

static void set_gathering(tcp_t *tcp, bool on)
{
    if (tcp->gathering != on) {
        tcp->gathering = on && set_option(tcp->fd, SOL_SOCKET, SO_RCVLOWAT, GATHER);
        if (!on) {
            (void)set_option(tcp->fd, SOL_SOCKET, SO_RCVLOWAT, 1); /* cannot fail on an open socket */
        }
    }
}

/** Wait for bytes: for many, as long as what is left is surely more than that. Results as wait_for(). */
static int wait_readable(tcp_t *tcp, int64_t deadline_us)
{
    set_gathering(tcp, tcp->expected >= GATHER);
    if (tcp->gathering) {
        int64_t soon_us = otter_now_us() + GATHER_MS * 1000;
        int ready = wait_for(tcp->fd, POLLIN, soon_us < deadline_us ? soon_us : deadline_us);
        if (ready != 0) {
            return ready;
        }
        tcp->expected = 0;
        set_gathering(tcp, false);
    }
    return wait_for(tcp->fd, POLLIN, deadline_us);
}

/** Waits for what a slow line has still to bring of the bytes before. @return how many it brings next, at most `len` */
static size_t pace(tcp_t *tcp, size_t len)
{
    if (tcp->rate == 0) {
        return len < INT_MAX ? len : INT_MAX;
    }
    while (tcp->free_us > otter_now_us() && interrupt_poll(NULL, 0, ms_until(tcp->free_us)) == 0) {
    }
    const size_t piece = tcp->rate / PIECES_A_SECOND + 1;
    return len < piece ? len : piece;
}

static int tcp_read(otter_transport_t *t, void *buf, size_t len, int timeout_ms)
{
    tcp_t *tcp = tcp_of(t);
    if (is_closed(tcp)) {
        return OTTER_IO_ERROR;
    }
    len = pace(tcp, len);
    int64_t deadline_us = 0; /* from the first wait on: mostly there is something */
    for (;;) {
        ssize_t n = recv(tcp->fd, buf, len, 0);
        if (n >= 0) {
            tcp->free_us = tcp->rate != 0 ? otter_now_us() + (int64_t)n * 1000000 / tcp->rate : 0;
            tcp->expected -= (uint64_t)n < tcp->expected ? (uint64_t)n : tcp->expected;
            return (int)n;
        }
        if (errno == EINTR) {
            continue;
        }
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            return io_failed(tcp, "receiving failed");
        }
        deadline_us = deadline_us != 0 ? deadline_us : otter_now_us() + (int64_t)timeout_ms * 1000;
        int ready = wait_readable(tcp, deadline_us);
        if (ready <= 0) {
            return ready == 0 ? io_timed_out(tcp, timeout_ms) : io_failed(tcp, "waiting failed");
        }
    }
}

static int tcp_write(otter_transport_t *t, const void *buf, size_t len, int timeout_ms)
{
    tcp_t *tcp = tcp_of(t);
    if (is_closed(tcp)) {
        return OTTER_IO_ERROR;
    }
    int64_t deadline_us = otter_now_us() + (int64_t)timeout_ms * 1000;
    for (;;) {
        ssize_t n = send(tcp->fd, buf, len < INT_MAX ? len : INT_MAX, MSG_NOSIGNAL);
        if (n > 0) {
            return (int)n;
        }
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            return io_failed(tcp, "sending failed");
        }
        int ready = wait_for(tcp->fd, POLLOUT, deadline_us);
        if (ready <= 0) {
            return ready == 0 ? io_timed_out(tcp, timeout_ms) : io_failed(tcp, "waiting failed");
        }
    }
}

static void tcp_destroy(otter_transport_t *t)
{
    tcp_close(t);
    free(tcp_of(t));
}

static int tcp_descriptor(otter_transport_t *t)
{
    return tcp_of(t)->fd;
}

static const otter_transport_error_t *tcp_error(otter_transport_t *t)
{
    return &tcp_of(t)->error;
}

static const otter_transport_ops_t tcp_ops = {
    .connect = tcp_connect,
    .read = tcp_read,
    .write = tcp_write,
    .expect = tcp_expect,
    .close = tcp_close,
    .destroy = tcp_destroy,
    .descriptor = tcp_descriptor,
    .error = tcp_error,
};

otter_transport_t *otter_tcp_new(void)
{
    tcp_t *tcp = calloc(1, sizeof(*tcp));
    if (tcp == NULL) {
        return NULL;
    }
    tcp->base.ops = &tcp_ops;
    tcp->fd = -1;
    const char *rate = getenv(RATE_VARIABLE), *slow = getenv(OTTER_RUN_ENV_LINK);
    tcp->rate = rate != NULL ? (uint32_t)strtoul(rate, NULL, 10) : 0;
    otter_run_link_t link;
    return slow != NULL && otter_run_link_decode(slow, &link) ? slow_link_new(&tcp->base, &link) : &tcp->base;
}
