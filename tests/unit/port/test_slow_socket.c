/* The sockets of ESP-IDF's program (idf/inside/otter_run/slow_socket.c): when bytes come, on a clock that the test owns. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "otter_run.h"
#include "run_clock.h"

#define ROUND_TRIP 40000

static struct {
    int64_t now_us;
    int peer;        /* what the program talks with */
    int outside;     /* looks at the world that no time was known for */
    uint32_t answer; /* bytes that the peer sends at the second of them */
} world;

/* ---- the clock, in place of run_clock.c ---- */

int64_t run_clock_us(void)
{
    return world.now_us;
}

void run_clock_wait_until(int64_t us)
{
    assert_true(us > world.now_us && us != RUN_CLOCK_NEVER);
    world.now_us = us;
}

static void send_all(int fd, uint32_t len)
{
    static uint8_t bytes[65536];
    for (uint32_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)(i % 251);
    }
    assert_int_equal(send(fd, bytes, len, 0), len);
}

void run_clock_waits_outside(void)
{
    assert_true(world.outside++ < 100); /* or it would wait for ever */
    world.now_us += 1000;
    if (world.outside == 2 && world.answer > 0) {
        send_all(world.peer, world.answer);
    }
}

void run_clock_waits_no_more(void)
{
}

void run_clock_rest(uint32_t ms)
{
    world.now_us += ms * 1000;
}

/* ---- the link, in place of otter_run.c ---- */

const otter_run_link_t *otter_run_link(void)
{
    static const otter_run_link_t link = {.rate = 1000000, .delay_us = 20000, .window = 5760};
    return &link;
}

/* ---- the program ---- */

static int listener;

/** A connected stream, whose peer is world.peer; the clock says when it was there. */
static int connect_to_peer(bool blocking)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    const int fd = socket(AF_INET, SOCK_STREAM | (blocking ? 0 : SOCK_NONBLOCK), 0);
    const int status = connect(fd, (struct sockaddr *)&address, len);
    if (blocking) {
        assert_int_equal(status, 0);
    } else {
        assert_true(status == -1 && errno == EINPROGRESS);
    }
    world.peer = accept(listener, NULL, NULL);
    assert_true(world.peer >= 0);
    return fd;
}

static int begin(void **state)
{
    (void)state;
    memset(&world, 0, sizeof(world));
    world.now_us = 5000000;
    return 0;
}

static void end(int fd)
{
    assert_int_equal(close(fd), 0);
    close(world.peer);
    close(listener);
}

static int wait_readable(int fd, int ms)
{
    fd_set in, except;
    struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    FD_ZERO(&in);
    FD_SET(fd, &in);
    except = in;
    const int ready = select(fd + 1, &in, NULL, &except, &limit);
    assert_int_equal(FD_ISSET(fd, &in), ready > 0);
    assert_false(FD_ISSET(fd, &except));
    return ready;
}

static int wait_writable(int fd, int ms)
{
    fd_set out;
    struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    FD_ZERO(&out);
    FD_SET(fd, &out);
    return select(fd + 1, NULL, &out, NULL, &limit);
}

static void connecting_takes_a_round_trip(void **state)
{
    (void)state;
    int64_t before = world.now_us;
    int fd = connect_to_peer(true);
    assert_int_equal(world.now_us - before, ROUND_TRIP);
    end(fd);

    before = world.now_us;
    fd = connect_to_peer(false);
    assert_int_equal(world.now_us - before, 0);
    assert_int_equal(wait_writable(fd, 30), 0); /* not yet */
    assert_int_equal(world.now_us - before, 30000);
    assert_int_equal(wait_writable(fd, 5000), 1);
    assert_int_equal(world.now_us - before, ROUND_TRIP);
    end(fd);
}

static void bytes_come_at_the_rate_of_the_link(void **state)
{
    (void)state;
    static uint8_t bytes[50000];
    const int fd = connect_to_peer(true);
    assert_int_equal(write(fd, bytes, 125), 125); /* 1 ms of the line */
    const int64_t before = world.now_us;
    send_all(world.peer, sizeof(bytes));
    size_t got = 0;
    while (got < sizeof(bytes)) {
        assert_int_equal(wait_readable(fd, 5000), 1);
        const ssize_t n = got % 2 == 0 ? read(fd, bytes + got, 1000) : recv(fd, bytes + got, 1000, 0);
        assert_true(n > 0);
        got += (size_t)n;
    }
    for (size_t i = 0; i < sizeof(bytes); i++) {
        assert_int_equal(bytes[i], i % 251);
    }
    const int64_t least = 1000 + ROUND_TRIP + (int64_t)sizeof(bytes) * 8;
    assert_in_range(world.now_us - before, least, least + 20000);
    assert_int_equal(world.outside, 0);
    end(fd);
}

static void what_the_peer_takes_comes_on_top(void **state)
{
    (void)state;
    uint8_t bytes[100];
    const int fd = connect_to_peer(true);
    world.answer = sizeof(bytes);
    const int64_t before = world.now_us;
    assert_int_equal(recv(fd, bytes, sizeof(bytes), MSG_PEEK), sizeof(bytes));
    assert_int_equal(world.now_us - before, 2000 + 800 + 20000); /* two looks, its bits, and the way here */
    assert_int_equal(read(fd, bytes, sizeof(bytes)), sizeof(bytes)); /* it was left there */
    end(fd);
}

static void a_wait_that_finds_nothing_ends_in_time(void **state)
{
    (void)state;
    uint8_t bytes[10];
    const int fd = connect_to_peer(true);
    int64_t before = world.now_us;
    assert_int_equal(wait_readable(fd, 10), 0); /* the peer says nothing */
    assert_int_equal(world.now_us - before, 10000);

    struct timeval limit = {.tv_usec = 5000};
    socklen_t len = sizeof(limit);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, len), 0);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &len), 0); /* in ticks of the kernel */
    send_all(world.peer, sizeof(bytes));
    before = world.now_us;
    assert_true(read(fd, bytes, sizeof(bytes)) == -1 && errno == EAGAIN); /* it is still on its way */
    assert_int_equal(world.now_us - before, limit.tv_usec);
    assert_true(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) == -1 && errno == EAGAIN);
    assert_int_equal(wait_readable(fd, 5000), 1);
    assert_int_equal(read(fd, bytes, sizeof(bytes)), sizeof(bytes));
    end(fd);
}

static void the_end_of_a_stream_comes_behind_its_bytes(void **state)
{
    (void)state;
    uint8_t bytes[100];
    const int fd = connect_to_peer(true);
    send_all(world.peer, sizeof(bytes));
    assert_int_equal(shutdown(world.peer, SHUT_WR), 0);
    assert_int_equal(read(fd, bytes, sizeof(bytes)), sizeof(bytes));
    assert_int_equal(wait_readable(fd, 5000), 1);
    assert_int_equal(read(fd, bytes, sizeof(bytes)), 0);
    end(fd);
}

static void what_was_not_connected_is_as_fast_as_it_was(void **state)
{
    (void)state;
    int pair[2];
    uint8_t bytes[1000];
    const int fd = connect_to_peer(true);
    const int64_t before = world.now_us;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    send_all(pair[0], sizeof(bytes));
    assert_int_equal(wait_readable(pair[1], 1000), 1);
    assert_int_equal(read(pair[1], bytes, sizeof(bytes)), sizeof(bytes));
    assert_int_equal(send(world.peer, "x", 1, 0), 1);
    assert_int_equal(world.now_us - before, 1000); /* the look of select(), by the clock of this test */
    close(pair[0]);
    close(pair[1]);
    end(fd);
}

static int ticks, sends_to;

static void tick(int signal)
{
    (void)signal;
    world.now_us += 10000;
    if (++ticks == 3 && sends_to >= 0) {
        (void)!write(sends_to, "x", 1);
    }
}

static void ticks_end_no_call(void **state)
{
    (void)state;
    int pair[2];
    uint8_t byte;
    const struct sigaction action = {.sa_handler = tick}; /* no SA_RESTART: as FreeRTOS has it */
    const struct itimerval every = {{.tv_usec = 2000}, {.tv_usec = 2000}}, never = {{0}, {0}};
    const struct timeval limit = {.tv_usec = 60000};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &every, NULL), 0);
    for (int i = 0; i < 2; i++) {
        ticks = 0;
        sends_to = pair[0];
        assert_int_equal(i == 0 ? read(pair[1], &byte, 1) : recv(pair[1], &byte, 1, 0), 1);
        assert_true(ticks >= 3);
    }
    sends_to = -1;
    assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    ticks = 0;
    assert_true(recv(pair[1], &byte, 1, 0) == -1 &&
                errno == EAGAIN); /* and the limit is not begun anew by each */
    assert_true(ticks >= 6);
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    close(pair[0]);
    close(pair[1]);
}

static void a_refusal_takes_a_round_trip(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    const int held = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(held, (struct sockaddr *)&address, len), 0); /* nobody listens */
    assert_int_equal(getsockname(held, (struct sockaddr *)&address, &len), 0);
    const int64_t before = world.now_us;
    assert_true(connect(fd, (struct sockaddr *)&address, len) == -1 && errno == ECONNREFUSED);
    assert_int_equal(world.now_us - before, ROUND_TRIP);
    close(fd);
    close(held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(connecting_takes_a_round_trip, begin),
        cmocka_unit_test_setup(bytes_come_at_the_rate_of_the_link, begin),
        cmocka_unit_test_setup(what_the_peer_takes_comes_on_top, begin),
        cmocka_unit_test_setup(a_wait_that_finds_nothing_ends_in_time, begin),
        cmocka_unit_test_setup(the_end_of_a_stream_comes_behind_its_bytes, begin),
        cmocka_unit_test_setup(what_was_not_connected_is_as_fast_as_it_was, begin),
        cmocka_unit_test_setup(ticks_end_no_call, begin),
        cmocka_unit_test_setup(a_refusal_takes_a_round_trip, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
