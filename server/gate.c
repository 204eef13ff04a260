/*
 * Lets clients in, and sends away those that hold a place for nothing.
 *
 * A place is either waiting, from the client's arrival through the TLS handshake to the end of its request's head, or busy
 * with an answer. What counts against a waiting one is the whole of that time, however many bytes trickle in; against a
 * busy one, that the client takes nothing. One thread accepts and watches; connections are ended by shutting their sockets
 * down, which whoever serves them sees at once.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "say.h"

#define OTHER_FILES 24u /* descriptors that are none of connections */
#define TICK_MS                                                                                              \
    1000 /* between two looks at everybody, and until the next try where nothing tells when it will do */
#define SAFE_WAITING 1000 /* ms for which others who wait for a place do not get this one */
#define SAFE_BUSY    2000

struct gate {
    int listener, event; /* event: an eventfd, written when a place changes hands and at the end */
    gate_admit_t *admit;
    void *cls;
    int64_t timeout_ms;
    unsigned place_count; /* that there are */
    pthread_t thread;

    pthread_mutex_t mutex; /* over the rest */
    gate_place_t *places;
    unsigned held;    /* places in the list */
    unsigned pending; /* clients that were admitted and have not entered yet */
    bool is_closing;
    bool is_short, is_told; /* of descriptors or memory: nobody is let in until something changes */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void wake(const gate_t *gate)
{
    const uint64_t one = 1;
    /* Can fail only when the counter is full, and then the thread is awake. */
    ssize_t n = write(gate->event, &one, sizeof(one));
    (void)n;
}

/** Bytes that the client's kernel has said it has, of all that went to it. */
static uint64_t bytes_taken(int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 ? info.tcpi_bytes_acked : 0;
}

/* ---- the places ---- */

void gate_enter(gate_t *gate, gate_place_t *place, int fd)
{
    pthread_mutex_lock(&gate->mutex);
    place->fd = fd;
    place->since_ms = now_ms();
    place->next = gate->places;
    gate->places = place;
    gate->held++;
    gate->pending -= gate->pending > 0;
    pthread_mutex_unlock(&gate->mutex);
    wake(gate);
}

void gate_leave(gate_t *gate, gate_place_t *place)
{
    pthread_mutex_lock(&gate->mutex);
    gate_place_t **link = &gate->places;
    while (*link != place) {
        link = &(*link)->next;
    }
    *link = place->next;
    gate->held--;
    gate->is_short = false;
    pthread_mutex_unlock(&gate->mutex);
    wake(gate);
}

static void set_busy(gate_t *gate, gate_place_t *place, bool is_busy)
{
    uint64_t taken = is_busy ? bytes_taken(place->fd) : 0;
    pthread_mutex_lock(&gate->mutex);
    place->is_busy = is_busy;
    place->since_ms = now_ms();
    place->taken = taken;
    pthread_mutex_unlock(&gate->mutex);
}

void gate_request_came(gate_t *gate, gate_place_t *place)
{
    set_busy(gate, place, true);
}

void gate_answer_ended(gate_t *gate, gate_place_t *place)
{
    set_busy(gate, place, false);
}

/** What follows is done under the lock, by the thread. */
static void send_away(gate_place_t *place, gate_verdict_t verdict)
{
    place->verdict = verdict;
    shutdown(place->fd, SHUT_RDWR); /* fails if the client has gone, which is as good */
}

static void sample(gate_place_t *place, int64_t now)
{
    uint64_t taken = bytes_taken(place->fd);
    if (taken != place->taken) {
        place->taken = taken;
        place->since_ms = now;
    }
}

/** Sends away whoever is over time. */
static void watch(gate_t *gate, int64_t now)
{
    for (gate_place_t *place = gate->places; place != NULL; place = place->next) {
        if (place->verdict != GATE_NOT_SENT_AWAY) {
            continue;
        }
        if (place->is_busy) {
            sample(place, now);
        }
        if (now - place->since_ms >= gate->timeout_ms) {
            send_away(place, GATE_TOO_SLOW);
        }
    }
}

/** Somebody waits for a place: takes that of whoever has had it longest for nothing. @return ms until one may be taken */
static int64_t make_room(gate_t *gate, int64_t now)
{
    gate_place_t *longest = NULL;
    int64_t left = TICK_MS;
    for (gate_place_t *place = gate->places; place != NULL; place = place->next) {
        if (place->verdict != GATE_NOT_SENT_AWAY) {
            return TICK_MS; /* one is on its way out */
        }
        int64_t safe = place->since_ms + (place->is_busy ? SAFE_BUSY : SAFE_WAITING) - now;
        if (safe < left) {
            longest = place;
            left = safe;
        }
    }
    if (longest != NULL && left <= 0) {
        send_away(longest, GATE_NO_ROOM);
        return TICK_MS;
    }
    return left;
}

/* ---- the thread ---- */

/** The kernel has nothing left to make a socket of: told once until it has. */
static void note_shortage(gate_t *gate, int cause)
{
    static const char *const how = "connections wait; `ulimit -n` tells how many files a process may open";
    pthread_mutex_lock(&gate->mutex);
    bool is_new = !gate->is_told;
    gate->is_short = gate->is_told = true;
    pthread_mutex_unlock(&gate->mutex);
    if (is_new) {
        say_failure("cannot accept: %s; %s", strerror(cause), how);
    }
}

static void accept_one(gate_t *gate)
{
    union {
        struct sockaddr any;
        struct sockaddr_in6 largest;
    } address;
    socklen_t len = sizeof(address);
    int fd = accept4(gate->listener, &address.any, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        pthread_mutex_lock(&gate->mutex);
        gate->pending++;
        gate->is_told = false;
        pthread_mutex_unlock(&gate->mutex);
        gate->admit(gate->cls, fd, &address.any, len);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        note_shortage(gate, errno);
    } /* else the client has gone again */
}

/** One look at everybody. @return whether somebody may come in; *wait_ms: until the next look, -1: until an event */
static bool look(gate_t *gate, bool *is_closing, int *wait_ms)
{
    pthread_mutex_lock(&gate->mutex);
    int64_t now = now_ms();
    watch(gate, now);
    *is_closing = gate->is_closing;
    bool is_closed = gate->is_short || gate->held + gate->pending >= gate->place_count;
    int64_t tick = gate->timeout_ms / 4 < TICK_MS ? gate->timeout_ms / 4 : TICK_MS;
    int64_t room = is_closed ? make_room(gate, now) : tick;
    bool is_idle = gate->places == NULL && !is_closed;
    *wait_ms = is_idle ? -1 : (int)(room < tick ? room : tick);
    pthread_mutex_unlock(&gate->mutex);
    return !is_closed;
}

/** Time has passed, and nothing has happened. */
static void try_again(gate_t *gate)
{
    pthread_mutex_lock(&gate->mutex);
    gate->pending = 0; /* whoever has not entered by now never came to life */
    gate->is_short = false;
    pthread_mutex_unlock(&gate->mutex);
}

static void *run(void *cls)
{
    gate_t *gate = cls;
    for (;;) {
        bool is_closing;
        int wait_ms;
        bool is_open = look(gate, &is_closing, &wait_ms);
        if (is_closing) {
            return NULL;
        }
        struct pollfd fds[2] = {{.fd = gate->event, .events = POLLIN},
                                {.fd = gate->listener, .events = POLLIN}};
        if (poll(fds, is_open ? 2 : 1, wait_ms) == 0) {
            try_again(gate);
        }
        uint64_t count;
        ssize_t n = read(gate->event, &count, sizeof(count)); /* empties it, if there is something */
        (void)n;
        if (is_open && (fds[1].revents & POLLIN) != 0) {
            accept_one(gate);
        }
    }
}

/** As many as the process may have descriptors for: its socket, its file, and as much for those on their way out. */
static unsigned count_places(void)
{
    const rlim_t wanted = 2 * GATE_CONNECTION_LIMIT + OTHER_FILES;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return GATE_PLACES;
    }
    const struct rlimit raised = {limit.rlim_max < wanted ? limit.rlim_max : wanted, limit.rlim_max};
    if (limit.rlim_cur < wanted && setrlimit(RLIMIT_NOFILE, &raised) == 0) {
        limit = raised;
    }
    if (limit.rlim_cur >= wanted) {
        return GATE_PLACES;
    }
    unsigned count = limit.rlim_cur > OTHER_FILES ? (unsigned)(limit.rlim_cur - OTHER_FILES) / 3 : 0;
    return count > 0 ? count : 1;
}

gate_t *gate_new(int listener, unsigned timeout_s, gate_admit_t *admit, void *cls)
{
    gate_t *gate = calloc(1, sizeof(*gate));
    int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (gate == NULL || event < 0) {
        int cause = errno;
        if (event >= 0) {
            close(event);
        }
        close(listener);
        free(gate);
        errno = cause;
        return NULL;
    }
    *gate = (gate_t){.listener = listener,
                     .event = event,
                     .admit = admit,
                     .cls = cls,
                     .timeout_ms = (int64_t)timeout_s * 1000,
                     .place_count = count_places()};
    pthread_mutex_init(&gate->mutex, NULL);
    return gate;
}

bool gate_open(gate_t *gate)
{
    errno = pthread_create(&gate->thread, NULL, run, gate);
    return errno == 0;
}

void gate_close(gate_t *gate)
{
    pthread_mutex_lock(&gate->mutex);
    gate->is_closing = true;
    pthread_mutex_unlock(&gate->mutex);
    wake(gate);
    pthread_join(gate->thread, NULL);
}

void gate_free(gate_t *gate)
{
    close(gate->listener);
    close(gate->event);
    pthread_mutex_destroy(&gate->mutex);
    free(gate);
}
