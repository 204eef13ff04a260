/* The slow link: what has come is held in a ring as large as the window, each piece with the time of its arrival. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/slow_link.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/number.h"
#include "linux/steady_clock.h"

#define SEGMENT       1440u   /* bytes: lwIP's TCP_MSS */
#define RETRANSMIT_US 200000u /* until a lost segment is missed: the least time-out of most systems */
#define SEED          2463534242u
#define NOTES         64u /* of what was read, and when; what is read in smaller pieces than a 64th is put together */

#define WINDOW_MIN 536u /* bytes, the least segment that TCP must take */
#define WINDOW_MAX (16u << 20)

/** Bytes up to this one of the stream were read by the program at that time. */
typedef struct {
    uint64_t upto;
    int64_t us;
} note_t;

/** A piece of what has come: where it ends in the stream, and when it arrives. */
typedef struct {
    uint64_t end;
    int64_t us;
} piece_t;

typedef struct {
    otter_transport_t base;
    otter_transport_t *lower;
    otter_run_link_t link;
    uint8_t *ring;   /* link.window bytes; byte n of the stream at n % window */
    piece_t *pieces; /* as many as there can be; from `first` on, in a ring */
    uint32_t pieces_max, first, count;
    uint64_t taken;   /* bytes of the stream that the program has read */
    uint64_t come;    /* that are in the ring, or were */
    int64_t sent_us;  /* when the peer has sent the last of them */
    int64_t knows_us; /* from then on the peer has what was written to it */
    int64_t last_us;  /* when the last of them arrives: nothing overtakes */
    uint32_t random;
    uint32_t to_segment; /* bytes until the next segment begins */
    note_t notes[NOTES];
    uint32_t note; /* the next one */
    int ended;     /* 1: not; how the lower one ended, behind what is in the ring */
    otter_transport_error_t error;
    bool timed_out; /* the last call did, here */
} slow_link_t;

static slow_link_t *link_of(otter_transport_t *t)
{
    return (slow_link_t *)t;
}

static int64_t line_us(const slow_link_t *s, uint64_t bytes)
{
    return (int64_t)(bytes * 8 * 1000000 / s->link.rate);
}

/** Everything as at the beginning of a connection; the generator goes on. */
static void forget(slow_link_t *s)
{
    s->first = s->count = s->to_segment = s->note = 0;
    s->taken = s->come = 0;
    s->sent_us = s->knows_us = s->last_us = 0;
    memset(s->notes, 0, sizeof(s->notes));
    s->ended = 1;
}

/** When the peer hears that the program has read so much of the stream that byte `upto` fits the window. */
static int64_t window_opens_us(const slow_link_t *s, uint64_t upto)
{
    if (upto <= s->link.window) {
        return 0;
    }
    const uint64_t needed = upto - s->link.window;
    int64_t us = INT64_MAX;
    for (uint32_t i = 0; i < NOTES; i++) {
        if (s->notes[i].upto >= needed && s->notes[i].us < us) {
            us = s->notes[i].us;
        }
    }
    return us != INT64_MAX ? us + s->link.delay_us : 0;
}

static void note_reading(slow_link_t *s, size_t len)
{
    note_t *last = &s->notes[(s->note + NOTES - 1) % NOTES];
    const uint32_t step = s->link.window / (NOTES / 2) + 1;
    s->taken += len;
    const note_t now = {s->taken, steady_clock_us()};
    const note_t *before = &s->notes[(s->note + NOTES - 2) % NOTES];
    if (s->taken - before->upto < step) {
        *last = now;
    } else {
        s->notes[s->note] = now;
        s->note = (s->note + 1) % NOTES;
    }
}

/** Is one of the segments that begin in the next `len` bytes lost? */
static bool loses(slow_link_t *s, uint32_t len)
{
    bool lost = false;
    while (len >= s->to_segment && s->link.loss_ppm != 0) {
        len -= s->to_segment;
        s->to_segment = SEGMENT;
        s->random ^= s->random << 13; /* xorshift */
        s->random ^= s->random >> 17;
        s->random ^= s->random << 5;
        lost = lost || s->random % 1000000u < s->link.loss_ppm;
    }
    s->to_segment -= len;
    return lost;
}

/** Bytes that the lower transport has brought: when do they come over the link? @param late  it had to be waited for them */
static void schedule(slow_link_t *s, uint32_t len, bool late)
{
    int64_t begin = s->sent_us;
    const int64_t opens = window_opens_us(s, s->come + len);
    begin = begin > opens ? begin : opens;
    begin = begin > s->knows_us ? begin : s->knows_us;
    if (late && begin < steady_clock_us()) {
        begin = steady_clock_us(); /* the peer itself has not had them earlier */
    }
    s->sent_us = begin + line_us(s, len);
    int64_t us = s->sent_us + s->link.delay_us;
    us += loses(s, len) ? RETRANSMIT_US + 2 * (int64_t)s->link.delay_us : 0;
    s->last_us = s->last_us > us ? s->last_us : us;
    s->come += len;
    s->pieces[(s->first + s->count) % s->pieces_max] = (piece_t){s->come, s->last_us};
    s->count++;
}

/** One read of the lower transport into the ring. @return what it said */
static int pull(slow_link_t *s, int timeout_ms, bool late)
{
    const uint32_t window = s->link.window, held = (uint32_t)(s->come - s->taken);
    const uint32_t at = (uint32_t)(s->come % window);
    uint32_t room = window - held < window - at ? window - held : window - at;
    room = room < SEGMENT ? room : SEGMENT;
    if (room == 0 || s->count == s->pieces_max) {
        return OTTER_IO_TIMEOUT;
    }
    const int n = s->lower->ops->read(s->lower, s->ring + at, room, timeout_ms);
    if (n > 0) {
        schedule(s, (uint32_t)n, late);
    } else if (n != OTTER_IO_TIMEOUT) {
        s->ended = n;
    }
    return n;
}

/** Bytes of the ring that have arrived, into `buf`. */
static size_t take(slow_link_t *s, uint8_t *buf, size_t len)
{
    const uint32_t window = s->link.window;
    const int64_t now = steady_clock_us();
    size_t got = 0;
    while (got < len && s->count > 0 && s->pieces[s->first].us <= now) {
        const piece_t *piece = &s->pieces[s->first];
        const uint64_t from = s->taken + got;
        const uint32_t at = (uint32_t)(from % window);
        uint64_t n = piece->end - from;
        n = n < len - got ? n : len - got;
        n = n < window - at ? n : window - at;
        memcpy(buf + got, s->ring + at, (size_t)n);
        got += (size_t)n;
        if (from + n == piece->end) {
            s->first = (s->first + 1) % s->pieces_max;
            s->count--;
        }
    }
    if (got > 0) {
        note_reading(s, got);
    }
    return got;
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
        const size_t got = take(s, buf, len);
        if (got > 0) {
            return (int)got;
        }
        const int64_t next = s->count > 0 ? s->pieces[s->first].us : INT64_MAX;
        if (next == INT64_MAX && s->ended != 1) {
            return s->ended;
        }
        if (steady_clock_us() >= deadline && next > steady_clock_us()) {
            return time_out(s, timeout_ms);
        }
        if (next != INT64_MAX) {
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
        const int64_t now = steady_clock_us(), sent = s->knows_us - s->link.delay_us;
        s->knows_us = (sent > now ? sent : now) + line_us(s, (uint64_t)n) + s->link.delay_us;
    }
    return n;
}

static esp_err_t link_connect(otter_transport_t *t, const otter_endpoint_t *endpoint)
{
    slow_link_t *s = link_of(t);
    const int64_t begin = steady_clock_us(), trip = 2 * (int64_t)s->link.delay_us;
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
    free(s->pieces);
    free(s->ring);
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
    if (s != NULL) {
        s->pieces_max = 2 * (link->window / SEGMENT) + 64;
        s->ring = malloc(link->window);
        s->pieces = calloc(s->pieces_max, sizeof(*s->pieces));
    }
    if (s == NULL || s->ring == NULL || s->pieces == NULL) {
        lower->ops->destroy(lower);
        if (s != NULL) {
            free(s->ring);
            free(s->pieces);
        }
        free(s);
        return NULL;
    }
    s->base.ops = &link_ops;
    s->lower = lower;
    s->link = *link;
    s->random = SEED;
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
