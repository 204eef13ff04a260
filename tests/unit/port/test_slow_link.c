/* The slow link (port/linux/slow_link.h): when bytes come, on a clock that the test owns. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linux/slow_link.h"
#include "linux/steady_clock.h"

#define LONG 100000u

static void the_words_are_checked_one_by_one(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wrong; /* wrong NULL: it is good */
        otter_run_link_t link;
    } rows[] = {
        {"1M,20ms,0", NULL, {1000000, 20000, 0, SLOW_LINK_WINDOW}},
        {"250k,0,1%", NULL, {250000, 0, 10000, SLOW_LINK_WINDOW}},
        {"1.5M,1.5s,0.1%,64K", NULL, {1500000, 1500000, 1000, 65536}},
        {"4G,60s,50%,536", NULL, {4000000000u, 60000000, 500000, 536}},
        {"", "wants RATE, bits a second, 1k to 4G, as 1M, not ''", {0}},
        {"1M", "wants DELAY, the time one way, 0 to 60s, as 20ms, too: it is missing", {0}},
        {"1M,20ms", "wants LOSS", {0}},
        {"1000000,20ms,0", "wants RATE", {0}},
        {"0,20ms,0", "wants RATE", {0}},
        {"-1M,20ms,0", "wants RATE", {0}},
        {"999999999999999999999G,20ms,0", "wants RATE", {0}},
        {"1M,20,0", "wants DELAY", {0}},
        {"1M,61s,0", "wants DELAY", {0}},
        {"1M,20ms,1", "wants LOSS", {0}},
        {"1M,20ms,51%", "wants LOSS", {0}},
        {"1M,20ms,-1%", "wants LOSS", {0}},
        {"1M,20ms,0,100", "wants WINDOW", {0}},
        {"1M,20ms,0,1G", "wants WINDOW", {0}},
        {"1M,20ms,0,5760,1", "there is more than RATE,DELAY,LOSS,WINDOW", {0}},
        {"1M,20ms,0,", "wants WINDOW", {0}},
        {"1M,,0", "wants DELAY", {0}},
        {"1M,20msxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx,0", "wants DELAY", {0}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        otter_run_link_t link, again;
        char wrong[OTTER_WHY_MAX] = "", text[SLOW_LINK_TEXT_SIZE];
        bool ok = slow_link_parse(rows[i].text, &link, wrong);
        if (ok != (rows[i].wrong == NULL) || (!ok && strstr(wrong, rows[i].wrong) == NULL)) {
            fail_msg("%s: %s", rows[i].text, wrong);
        }
        if (ok) {
            assert_memory_equal(&link, &rows[i].link, sizeof(link));
            slow_link_encode(&link, text);
            assert_true(otter_run_link_decode(text, &again));
            assert_memory_equal(&again, &link, sizeof(link));
        }
    }
}

/** A peer whose bytes are all there as soon as something was written to it; byte n of them is n % 251. */
typedef struct {
    otter_transport_t base;
    uint32_t there, given;
    int then; /* what it says behind them */
    otter_transport_error_t error;
} peer_t;

static esp_err_t peer_connect(otter_transport_t *t, const otter_endpoint_t *endpoint)
{
    (void)t, (void)endpoint;
    return ESP_OK;
}

static int peer_read(otter_transport_t *t, void *buf, size_t len, int timeout_ms)
{
    peer_t *peer = (peer_t *)t;
    uint8_t *bytes = buf;
    const uint32_t left = peer->there - peer->given, n = left < len ? left : (uint32_t)len;
    for (uint32_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)(peer->given++ % 251);
    }
    if (n == 0 && peer->then == OTTER_IO_TIMEOUT) {
        steady_clock_wait_until(steady_clock_us() + (int64_t)timeout_ms * 1000);
    }
    return n > 0 ? (int)n : peer->then;
}

static int peer_write(otter_transport_t *t, const void *buf, size_t len, int timeout_ms)
{
    (void)t, (void)buf, (void)timeout_ms;
    return (int)len;
}

static void peer_close(otter_transport_t *t)
{
    (void)t;
}

static const otter_transport_error_t *peer_error(otter_transport_t *t)
{
    return &((peer_t *)t)->error;
}

static const otter_transport_ops_t peer_ops = {.connect = peer_connect,
                                               .read = peer_read,
                                               .write = peer_write,
                                               .close = peer_close,
                                               .destroy = peer_close,
                                               .error = peer_error};

/** Reads `len` bytes, each of which is what it should be. */
static void read_all(otter_transport_t *t, uint32_t from, uint32_t len, size_t piece)
{
    static uint8_t bytes[LONG];
    for (uint32_t done = 0; done < len;) {
        const size_t want = piece < len - done ? piece : len - done;
        int n = t->ops->read(t, bytes, want, 60000);
        assert_true(n > 0 && (size_t)n <= want);
        for (int i = 0; i < n; i++) {
            assert_int_equal(bytes[i], (from + done + (uint32_t)i) % 251);
        }
        done += (uint32_t)n;
    }
}

static otter_transport_t *open_link(peer_t *peer, const otter_run_link_t *link, uint32_t there)
{
    const otter_endpoint_t endpoint = {.host = "h", .port = 1, .timeout_ms = 5000};
    *peer = (peer_t){.base.ops = &peer_ops, .there = there, .then = OTTER_IO_TIMEOUT};
    otter_transport_t *t = slow_link_new(&peer->base, link);
    assert_non_null(t);
    assert_int_equal(t->ops->connect(t, &endpoint), ESP_OK);
    assert_int_equal(t->ops->write(t, "GET", 125, 1000), 125); /* 1 ms of a line of 1 Mbit/s */
    return t;
}

static void bytes_come_at_the_rate_behind_the_delay_and_no_faster_than_the_window(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        otter_run_link_t link;
        uint32_t len;
        int64_t us; /* from the begin of connecting */
    } rows[] = {
        {"a round trip to connect, one for the answer, and the bits",
         {1000000, 20000, 0, 65536},
         1250,
         40000 + 1000 + 40000 + 10000},
        {"the rate", {1000000, 0, 0, 65536}, LONG, 1000 + 800000},
        {"half of it", {500000, 0, 0, 65536}, LONG, 2000 + 1600000},
        /* each window's bytes wait for the round trip: 2000 of them every 200 ms and their own 16 ms */
        {"the window", {1000000, 100000, 0, 2000}, 10000, 200000 + 1000 + 5 * (200000 + 16000)},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        peer_t peer;
        const int64_t before = steady_clock_us();
        otter_transport_t *t = open_link(&peer, &rows[i].link, rows[i].len);
        read_all(t, 0, rows[i].len, 4096);
        const int64_t us = steady_clock_us() - before;
        if (us < rows[i].us - rows[i].us / 50 || us > rows[i].us + rows[i].us / 50) {
            fail_msg("%s: %lld us", rows[i].name, (long long)us);
        }
        t->ops->destroy(t);
    }
}

static void what_the_window_holds_comes_while_nobody_reads(void **state)
{
    (void)state;
    const otter_run_link_t link = {1000000, 0, 0, 5760};
    peer_t peer;
    otter_transport_t *t = open_link(&peer, &link, LONG);
    read_all(t, 0, 1250, 1250);
    steady_clock_wait_until(steady_clock_us() + 1000000);
    const int64_t before = steady_clock_us();
    read_all(t, 1250, 5760, 512); /* was there */
    assert_true(steady_clock_us() - before < 100);
    read_all(t, 1250 + 5760, 1250, 512);                       /* was not: nobody had made room */
    assert_in_range(steady_clock_us() - before, 10000, 14000); /* up to a segment */
    t->ops->destroy(t);
}

static void a_lost_segment_comes_late_and_the_same_ones_are_lost_each_time(void **state)
{
    (void)state;
    const otter_run_link_t lossy = {1000000, 20000, 20000, 5760}, whole = {1000000, 20000, 0, 5760};
    int64_t took[3];
    for (int i = 0; i < 3; i++) {
        peer_t peer;
        const int64_t before = steady_clock_us();
        otter_transport_t *t = open_link(&peer, i < 2 ? &lossy : &whole, LONG);
        read_all(t, 0, LONG, 4096);
        took[i] = steady_clock_us() - before;
        t->ops->destroy(t);
    }
    assert_int_equal(took[0], took[1]);
    assert_in_range(took[0], took[2] + 100000, took[2] + 10 * 240000);
}

static void time_outs_and_ends_are_those_of_the_line(void **state)
{
    (void)state;
    const otter_run_link_t link = {1000000, 300000, 0, 5760};
    uint8_t bytes[16];
    peer_t peer;
    otter_transport_t *t = open_link(&peer, &link, 10);
    int64_t before = steady_clock_us();
    assert_int_equal(t->ops->read(t, bytes, sizeof(bytes), 500),
                     OTTER_IO_TIMEOUT); /* it is still on its way */
    assert_int_equal(steady_clock_us() - before, 500000);
    assert_int_equal(t->ops->error(t)->fault.code, ESP_ERR_TCP_TRANSPORT_CONNECTION_TIMEOUT);
    assert_int_equal(t->ops->read(t, bytes, sizeof(bytes), 0), OTTER_IO_TIMEOUT);
    assert_int_equal(t->ops->read(t, bytes, sizeof(bytes), 500), 10);
    assert_int_equal(t->ops->read(t, bytes, sizeof(bytes), 500),
                     OTTER_IO_TIMEOUT); /* the peer says nothing */
    peer.then = OTTER_IO_ERROR;
    peer.error.sys_errno = 104;
    assert_int_equal(t->ops->read(t, bytes, sizeof(bytes), 500), OTTER_IO_ERROR);
    assert_int_equal(t->ops->error(t)->sys_errno, 104);

    const otter_endpoint_t hurried = {.host = "h", .port = 1, .timeout_ms = 100};
    before = steady_clock_us();
    assert_int_equal(t->ops->connect(t, &hurried), ESP_ERR_HTTP_CONNECT);
    assert_int_equal(steady_clock_us() - before, 100000);
    t->ops->destroy(t);

    t = open_link(&peer, &link, 10);
    peer.then = OTTER_IO_EOF;
    assert_int_equal(t->ops->read(t, bytes, sizeof(bytes), 5000), 10);
    assert_int_equal(t->ops->read(t, bytes, sizeof(bytes), 5000), OTTER_IO_EOF);
    t->ops->destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_words_are_checked_one_by_one),
        cmocka_unit_test(bytes_come_at_the_rate_behind_the_delay_and_no_faster_than_the_window),
        cmocka_unit_test(what_the_window_holds_comes_while_nobody_reads),
        cmocka_unit_test(a_lost_segment_comes_late_and_the_same_ones_are_lost_each_time),
        cmocka_unit_test(time_outs_and_ends_are_those_of_the_line),
    };
    steady_clock_take();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
