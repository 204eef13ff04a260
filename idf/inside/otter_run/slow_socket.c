/* The sockets of ESP-IDF's program behind `otter run --link`: what it connects is as slow as that link. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "linux/link_model.h"
#include "otter_run.h"
#include "run_clock.h"

/*
 * ESP-IDF's network for target linux is the machine's: its code calls connect(), select(), read() ... of the C library. Between
 * the two lies the model of linux/link_model.h for each stream that the program connects; what it listens for is not slowed.
 */

#define PATIENCE 20 /* looks of a millisecond each, until other tasks have their turn, too */
#define OPEN     1  /* slow_t.ended, where the peer has not ended the stream */

typedef struct {
    link_model_t model;
    int64_t ready_us; /* when it is connected */
    int ended;        /* OPEN; 0: the peer has closed; below: -errno */
    bool late;        /* the next bytes have been waited for */
} slow_t;

static slow_t *sockets[FD_SETSIZE];

int __real_connect(int fd, const struct sockaddr *address, socklen_t len);
int __real_select(int count, fd_set *in, fd_set *out, fd_set *except, struct timeval *limit);
ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __real_recv(int fd, void *buf, size_t len, int flags);
ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __real_send(int fd, const void *buf, size_t len, int flags);
int __real_close(int fd);

static slow_t *slow_of(int fd)
{
    return fd >= 0 && fd < FD_SETSIZE ? sockets[fd] : NULL;
}

static void drop(int fd)
{
    slow_t *s = slow_of(fd);
    if (s != NULL) {
        sockets[fd] = NULL;
        link_model_end(&s->model);
        free(s);
    }
}

/** @return NULL: no stream to another machine, or no memory, which leaves it as fast as it is */
static slow_t *take_over(int fd, const struct sockaddr *address, const otter_run_link_t *link)
{
    int type = 0;
    socklen_t len = sizeof(type);
    drop(fd); /* of a socket that was closed behind our back */
    if (fd < 0 || fd >= FD_SETSIZE || (address->sa_family != AF_INET && address->sa_family != AF_INET6) ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_STREAM) {
        return NULL;
    }
    slow_t *s = calloc(1, sizeof(*s));
    if (s == NULL || !link_model_begin(&s->model, link)) {
        free(s);
        return NULL;
    }
    s->ended = OPEN;
    sockets[fd] = s;
    return s;
}

static bool is_blocking(int fd)
{
    const int flags = fcntl(fd, F_GETFL, 0);
    return flags >= 0 && (flags & O_NONBLOCK) == 0;
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len)
{
    const otter_run_link_t *link = otter_run_link();
    const int64_t begin = run_clock_us();
    const int status = __real_connect(fd, address, len);
    const int code = status == 0 ? 0 : errno;
    if (link == NULL || code == EALREADY || code == EISCONN) {
        return status;
    }
    slow_t *s = take_over(fd, address, link);
    const int64_t ready_us = begin + 2 * (int64_t)link->delay_us;
    if (s != NULL && !is_blocking(fd) && (code == 0 || code == EINPROGRESS)) {
        s->ready_us = ready_us; /* select() tells when */
        errno = EINPROGRESS;
        return -1;
    }
    if (s != NULL) {
        run_clock_wait_until(ready_us); /* a refusal takes as long */
    }
    if (code != 0) {
        drop(fd);
    }
    errno = code;
    return status;
}

/* ---- reading ---- */

/** What the peer has sent, on its way over the link. */
static void pull(int fd, slow_t *s)
{
    uint32_t room;
    for (uint8_t *at; s->ended == OPEN && (at = link_model_room(&s->model, &room), room > 0);) {
        const ssize_t n = __real_recv(fd, at, room, MSG_DONTWAIT);
        if (n > 0) {
            link_model_came(&s->model, (uint32_t)n, s->late, run_clock_us());
            s->late = false;
        } else if (n == 0) {
            s->ended = 0;
        } else if (errno != EINTR) {
            s->ended = errno == EAGAIN ? s->ended : -errno;
            return;
        }
    }
}

/** Waits a moment for the peer itself, whose time nobody knows. @param looks  how often that was done */
static void wait_outside(int fd, int looks)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    slow_t *s = slow_of(fd);
    run_clock_waits_outside();
    (void)poll(&ready, 1, 1);
    if (looks > PATIENCE) {
        run_clock_rest(1);
    }
    run_clock_waits_no_more();
    if (s != NULL) {
        s->late = true;
    }
}

/** When a read that finds nothing gives up. */
static int64_t deadline_of(int fd, int flags)
{
    struct timeval limit = {0};
    socklen_t len = sizeof(limit);
    if (!is_blocking(fd) || (flags & MSG_DONTWAIT) != 0) {
        return 0;
    }
    (void)getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &len);
    const int64_t us = (int64_t)limit.tv_sec * 1000000 + limit.tv_usec;
    return us != 0 ? run_clock_us() + us : RUN_CLOCK_NEVER;
}

static ssize_t slow_read(int fd, slow_t *s, void *buf, size_t len, int flags)
{
    const int64_t deadline = deadline_of(fd, flags);
    for (int looks = 0; len > 0; looks++) {
        pull(fd, s);
        const int64_t now = run_clock_us(), next = link_model_next_us(&s->model);
        if (next <= now) {
            return (ssize_t)((flags & MSG_PEEK) != 0 ? link_model_look(&s->model, buf, len, now)
                                                     : link_model_take(&s->model, buf, len, now));
        }
        if (next == LINK_MODEL_NEVER && s->ended != OPEN) {
            errno = -s->ended;
            return s->ended == 0 ? 0 : -1;
        }
        if (now >= deadline) {
            errno = EAGAIN;
            return -1;
        }
        if (next != LINK_MODEL_NEVER) {
            run_clock_wait_until(next < deadline ? next : deadline);
        } else {
            wait_outside(fd, looks);
        }
    }
    return 0;
}

/**
 * FreeRTOS's ticks are signals here, which end a call of the system as nothing does on a chip: there ESP-IDF never sees that a
 * socket which blocks has no bytes yet, and its TLS cannot resume a session behind it.
 * @param deadline  0 before the first time
 * @return the call is to be made again
 */
static bool was_interrupted(int fd, ssize_t result, int flags, int64_t *deadline)
{
    if (result >= 0 || errno != EINTR) {
        return false;
    }
    *deadline = *deadline != 0 ? *deadline : deadline_of(fd, flags);
    errno = EAGAIN;
    return run_clock_us() < *deadline;
}

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags)
{
    slow_t *s = slow_of(fd);
    if (s != NULL) {
        return slow_read(fd, s, buf, len, flags);
    }
    ssize_t n;
    int64_t deadline = 0;
    do {
        n = __real_recv(fd, buf, len, flags);
    } while (was_interrupted(fd, n, flags, &deadline));
    return n;
}

ssize_t __wrap_read(int fd, void *buf, size_t len)
{
    slow_t *s = slow_of(fd);
    if (s != NULL) {
        return slow_read(fd, s, buf, len, 0);
    }
    ssize_t n;
    int64_t deadline = 0;
    do {
        n = __real_read(fd, buf, len);
    } while (was_interrupted(fd, n, 0, &deadline));
    return n;
}

/* ---- writing, and the end ---- */

static ssize_t written(int fd, ssize_t n)
{
    slow_t *s = slow_of(fd);
    if (s != NULL && n > 0) {
        link_model_written(&s->model, (size_t)n, run_clock_us());
    }
    return n;
}

ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags)
{
    return written(fd, __real_send(fd, buf, len, flags));
}

ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
    return written(fd, __real_write(fd, buf, len));
}

int __wrap_close(int fd)
{
    drop(fd);
    return __real_close(fd);
}

/* ---- select() ---- */

/** One look at everything that a select() waits for. */
typedef struct {
    fd_set in, out, except; /* what is ready */
    int ready;              /* how many these are; below zero: errno says why not */
    int64_t next_us;        /* then something will be; RUN_CLOCK_NEVER: nobody knows */
    int fd;                 /* that the world outside has to make ready; -1: one that is not slow, or none */
    bool outside;           /* there is one */
} look_t;

static void earlier(look_t *look, int64_t us)
{
    look->next_us = us < look->next_us ? us : look->next_us;
}

static void look_at_reading(look_t *look, int fd, slow_t *s, int64_t now, fd_set *ready)
{
    FD_CLR(fd, &look->in);
    if (s->ready_us > now) {
        earlier(look, s->ready_us);
        return;
    }
    pull(fd, s);
    const int64_t next = link_model_next_us(&s->model);
    if (next <= now || (next == LINK_MODEL_NEVER && s->ended != OPEN)) {
        FD_SET(fd, ready);
        look->ready++;
    } else if (next == LINK_MODEL_NEVER) {
        look->outside = true;
        look->fd = fd;
    } else {
        earlier(look, next);
    }
}

static void look_at_writing(look_t *look, int fd, const slow_t *s, int64_t now)
{
    if (s != NULL && s->ready_us > now) {
        FD_CLR(fd, &look->out);
        earlier(look, s->ready_us);
    } else {
        look->outside = true;
    }
}

/** The sets of `look` are what is waited for; then what of them is ready. */
static void look_at_all(look_t *look, int count)
{
    const int64_t now = run_clock_us();
    fd_set slow_ones;
    FD_ZERO(&slow_ones);
    for (int fd = 0; fd < count; fd++) {
        slow_t *s = slow_of(fd);
        if (FD_ISSET(fd, &look->in) && s != NULL) {
            look_at_reading(look, fd, s, now, &slow_ones);
        } else if (FD_ISSET(fd, &look->in)) {
            look->outside = true;
        }
        if (FD_ISSET(fd, &look->out)) {
            look_at_writing(look, fd, s, now);
        }
    }
    struct timeval none = {0};
    const int others = __real_select(count, &look->in, &look->out, &look->except, &none);
    for (int fd = 0; fd < count && others >= 0; fd++) {
        if (FD_ISSET(fd, &slow_ones)) {
            FD_SET(fd, &look->in);
        }
    }
    look->ready = others < 0 ? others : look->ready + others;
}

static bool has_slow_one(int count, const fd_set *in, const fd_set *out)
{
    for (int fd = 0; fd < count; fd++) {
        if (slow_of(fd) != NULL && ((in != NULL && FD_ISSET(fd, in)) || (out != NULL && FD_ISSET(fd, out)))) {
            return true;
        }
    }
    return false;
}

static void copy(fd_set *to, const fd_set *from)
{
    if (from != NULL) {
        *to = *from;
    } else {
        FD_ZERO(to);
    }
}

static void hand_out(const look_t *look, fd_set *in, fd_set *out, fd_set *except)
{
    if (in != NULL) {
        *in = look->in;
    }
    if (out != NULL) {
        *out = look->out;
    }
    if (except != NULL) {
        *except = look->except;
    }
}

int __wrap_select(int count, fd_set *in, fd_set *out, fd_set *except, struct timeval *limit)
{
    count = count < FD_SETSIZE ? count : FD_SETSIZE;
    if (!has_slow_one(count, in, out)) {
        run_clock_waits_outside();
        const int ready = __real_select(count, in, out, except, limit);
        run_clock_waits_no_more();
        return ready;
    }
    const int64_t deadline =
        limit != NULL ? run_clock_us() + (int64_t)limit->tv_sec * 1000000 + limit->tv_usec : RUN_CLOCK_NEVER;
    for (int looks = 0;; looks++) {
        look_t look = {.next_us = deadline, .fd = -1};
        copy(&look.in, in);
        copy(&look.out, out);
        copy(&look.except, except);
        look_at_all(&look, count);
        if (look.ready != 0 || run_clock_us() >= deadline) { /* none is ready: the sets are empty */
            hand_out(&look, in, out, except);
            return look.ready;
        }
        if (look.outside) {
            wait_outside(look.fd, looks);
        } else {
            run_clock_wait_until(look.next_us);
        }
    }
}
