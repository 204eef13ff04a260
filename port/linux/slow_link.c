/* The slow link: the model between a transport and its reader, and the link as text. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/slow_link.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/number.h"
#include "linux/link_model.h"
#include "linux/steady_clock.h"

#define WINDOW_MIN 536u /* bytes, the least segment that TCP must take */
#define WINDOW_MAX (16u << 20)

typedef struct {
    otter_transport_t base;
    otter_transport_t *lower;
    link_model_t model;
    int ended; /* 1: not; how the lower one ended, behind what is on its way */
    otter_transport_error_t error;
    bool timed_out; /* the last call did, here */
} slow_link_t;

static slow_link_t *link_of(otter_transport_t *t)
{
    return (slow_link_t *)t;
}

/** Everything as at the beginning of a connection. */
static void forget(slow_link_t *s)
{
    link_model_forget(&s->model);
    s->ended = 1;
}

/** One read of the lower transport. @param late  it has to be waited for. @return what it said */
static int pull(slow_link_t *s, int timeout_ms, bool late)
{
    uint32_t room;
    uint8_t *at = link_model_room(&s->model, &room);
    if (room == 0) {
        return OTTER_IO_TIMEOUT;
    }
    const int n = s->lower->ops->read(s->lower, at, room, timeout_ms);
    if (n > 0) {
        link_model_came(&s->model, (uint32_t)n, late, steady_clock_us());
    } else if (n != OTTER_IO_TIMEOUT) {
        s->ended = n;
    }
    return n;
}

static int ms_until(int64_t deadline_us)
{
    const int64_t ms = (deadline_us - steady_clock_us() + 999) / 1000;
    return ms <= 0 ? 0 : ms < INT_MAX ? (int)ms : INT_MAX;
}

static int time_out(slow_link_t *s, int timeout_ms)
{
    s->timed_out = true;
    s->error = (otter_transport_error_t){.sys_errno = EAGAIN};
    otter_fault(&s->error.fault, ESP_ERR_TCP_TRANSPORT_CONNECTION_TIMEOUT, "nothing moved for %d ms",
                timeout_ms);
    return OTTER_IO_TIMEOUT;
}

static int link_read(otter_transport_t *t, void *buf, size_t len, int timeout_ms)
{
    slow_link_t *s = link_of(t);
    const int64_t deadline = steady_clock_us() + (int64_t)timeout_ms * 1000;
    len = len < INT_MAX ? len : INT_MAX;
    s->timed_out = false;
    for (;;) {
        while (s->ended == 1 && pull(s, 0, false) > 0) {
        }
        const size_t got = link_model_take(&s->model, buf, len, steady_clock_us());
        if (got > 0) {
            return (int)got;
        }
        const int64_t next = link_model_next_us(&s->model);
        if (next == LINK_MODEL_NEVER && s->ended != 1) {
            return s->ended;
        }
        if (steady_clock_us() >= deadline && next > steady_clock_us()) {
            return time_out(s, timeout_ms);
        }
        if (next != LINK_MODEL_NEVER) {
            steady_clock_wait_until(next < deadline ? next : deadline);
        } else if (pull(s, ms_until(deadline), true) == OTTER_IO_TIMEOUT) {
            return OTTER_IO_TIMEOUT;
        }
    }
}

static int link_write(otter_transport_t *t, const void *buf, size_t len, int timeout_ms)
{
    slow_link_t *s = link_of(t);
    s->timed_out = false;
    const int n = s->lower->ops->write(s->lower, buf, len, timeout_ms);
    if (n > 0) {
        link_model_written(&s->model, (size_t)n, steady_clock_us());
    }
    return n;
}

static esp_err_t link_connect(otter_transport_t *t, const otter_endpoint_t *endpoint)
{
    slow_link_t *s = link_of(t);
    const int64_t begin = steady_clock_us(), trip = 2 * (int64_t)s->model.link.delay_us;
    forget(s);
    s->timed_out = false;
    if (trip > (int64_t)endpoint->timeout_ms * 1000) {
        steady_clock_wait_until(begin + (int64_t)endpoint->timeout_ms * 1000);
        (void)time_out(s, endpoint->timeout_ms);
        return ESP_ERR_HTTP_CONNECT;
    }
    esp_err_t err = s->lower->ops->connect(s->lower, endpoint);
    steady_clock_wait_until(begin + trip); /* a refusal takes as long */
    return err;
}

static void link_close(otter_transport_t *t)
{
    slow_link_t *s = link_of(t);
    s->lower->ops->close(s->lower);
    forget(s);
}

static void link_destroy(otter_transport_t *t)
{
    slow_link_t *s = link_of(t);
    s->lower->ops->destroy(s->lower);
    link_model_end(&s->model);
    free(s);
}

static int link_descriptor(otter_transport_t *t)
{
    slow_link_t *s = link_of(t);
    return s->lower->ops->descriptor(s->lower);
}

static const otter_transport_error_t *link_error(otter_transport_t *t)
{
    slow_link_t *s = link_of(t);
    return s->timed_out ? &s->error : s->lower->ops->error(s->lower);
}

static const otter_transport_ops_t link_ops = {
    .connect = link_connect,
    .read = link_read,
    .write = link_write,
    .close = link_close,
    .destroy = link_destroy,
    .descriptor = link_descriptor,
    .error = link_error,
};

otter_transport_t *slow_link_new(otter_transport_t *lower, const otter_run_link_t *link)
{
    slow_link_t *s = calloc(1, sizeof(*s));
    if (s == NULL || !link_model_begin(&s->model, link)) {
        lower->ops->destroy(lower);
        free(s);
        return NULL;
    }
    s->base.ops = &link_ops;
    s->lower = lower;
    forget(s);
    return &s->base;
}

/* ---- as text ---- */

bool slow_link_parse(const char *text, otter_run_link_t *link, char *wrong)
{
    static const number_unit_t rates[] = {{"k", 1000}, {"M", 1000000}, {"G", 1000000000}, {NULL, 0}};
    static const number_unit_t delays[] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}, {NULL, 0}};
    static const number_unit_t losses[] = {{"%", 10000}, {NULL, 0}};
    static const number_unit_t windows[] = {{"", 1}, {"K", 1024}, {NULL, 0}};
    const struct {
        const char *what, *wants;
        const number_unit_t *units;
        uint32_t min, max;
        uint32_t *value;
        bool zero; /* may stand there without a unit */
    } parts[] = {
        {"RATE", "bits a second, 1k to 4G, as 1M", rates, 1000, 4000000000u, &link->rate, false},
        {"DELAY", "the time one way, 0 to 60s, as 20ms", delays, 0, 60000000, &link->delay_us, true},
        {"LOSS", "the part of segments that is lost, 0 to 50%, as 1%", losses, 0, 500000, &link->loss_ppm,
         true},
        {"WINDOW", "bytes, 536 to 16384K, as 5760", windows, WINDOW_MIN, WINDOW_MAX, &link->window, false},
    };
    const size_t most = sizeof(parts) / sizeof(parts[0]);
    *link = (otter_run_link_t){.window = SLOW_LINK_WINDOW};
    size_t i = 0;
    for (const char *p = text; p != NULL && i < most; i++) {
        const size_t len = strcspn(p, ",");
        char part[32];
        snprintf(part, sizeof(part), "%.*s", (int)len, p);
        const bool is_zero = parts[i].zero && strcmp(part, "0") == 0; /* the structure holds it */
        if (len >= sizeof(part) || (!is_zero && !number_parse_unit(part, parts[i].units, parts[i].min,
                                                                   parts[i].max, parts[i].value))) {
            snprintf(wrong, OTTER_WHY_MAX, "wants %s, %s, not '%s'", parts[i].what, parts[i].wants, part);
            return false;
        }
        p = p[len] == ',' ? p + len + 1 : NULL;
        if (p != NULL && i + 1 == most) {
            snprintf(wrong, OTTER_WHY_MAX, "there is more than RATE,DELAY,LOSS,WINDOW in '%.64s'", text);
            return false;
        }
    }
    if (i < 3) {
        snprintf(wrong, OTTER_WHY_MAX, "wants %s, %s, too: it is missing", parts[i].what, parts[i].wants);
    }
    return i >= 3;
}

void slow_link_encode(const otter_run_link_t *link, char text[SLOW_LINK_TEXT_SIZE])
{
    snprintf(text, SLOW_LINK_TEXT_SIZE, "rate=%u delay=%u loss=%u window=%u", (unsigned)link->rate,
             (unsigned)link->delay_us, (unsigned)link->loss_ppm, (unsigned)link->window);
}
