/*
 * Connections. Everything the server sends has a time at which it arrives; reading moves the world's clock to it, or to the
 * end of the wait.
 *
 * What is out of order here, as it can be on a network:
 *  - A request is answered some time after it was written, drawn for each. So connections are served in another order than
 *    they were opened: those of several devices (a device that waits lets another one live, see let_others_live), and one
 *    that was given up after the one that took its place. Its answer goes nowhere, but what the server did for it (another
 *    file published, the first 503 told, the nonce given out) is done.
 *  - TCP keeps the bytes of two connections apart, a proxy with connections of its own to the server may not: in some
 *    weather the late answer of a connection that was given up comes on the one that the device opened after it, before
 *    that one's own answer.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/system.h"
#include "sim/sim_system.h"
#include "world.h"

#define WAIT_USUAL_MS 20u
#define WAIT_LONG_MS  4000u
#define LIVE_PERCENT  3u /* of waits in which another device goes on */

typedef struct {
    otter_transport_t base;
    line_t *line;
    otter_transport_error_t error;
} end_t;

/* ---- time ---- */

static void move_clock_to(int64_t us)
{
    if (us > otter_now_us()) {
        sim_clock_advance_ms((uint32_t)((us - otter_now_us()) / 1000));
    }
}

/** Milliseconds from the write of a request to its answer. */
static uint32_t draw_wait(const line_t *line)
{
    chance_t *c = &line->device->world->chance;
    if (chance_percent(c, line->weather.late_percent)) {
        return chance_below(c, WAIT_LONG_MS);
    }
    return chance_below(c, WAIT_USUAL_MS);
}

/** The device sleeps in a read: the world goes on, with another device that is not in the middle of something. */
static void let_others_live(world_device_t *d)
{
    world_t *world = d->world;
    world_device_t *other = &world->devices[chance_below(&world->chance, world->device_count)];
    if (!world->calm && !other->busy && other->on && chance_percent(&world->chance, LIVE_PERCENT)) {
        int64_t start = otter_now_us();
        world->tally->nested++;
        story(world, d, "waits, and meanwhile device %c goes on", other->name);
        take_turn(other);
        d->others_us += otter_now_us() - start;
    }
}

/* ---- connections ---- */

static void free_connection(connection_t *c)
{
    uint8_t *answer = c->answer;
    memset(c, 0, offsetof(connection_t, request)); /* the request is guarded by its length */
    c->request_len = c->answer_len = 0;
    c->waiting = false;
    c->segment_count = c->segment = 0;
    c->used = c->max_read = 0;
    c->end_us = 0;
    c->answer = answer;
}

static connection_t *new_connection(world_t *world)
{
    network_t *network = &world->network;
    connection_t *oldest = NULL;
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        connection_t *c = &network->connections[i];
        if (c->number == 0 || (c->given_up && (oldest == NULL || c->number < oldest->number))) {
            oldest = c;
        }
        if (c->number == 0) {
            break;
        }
    }
    if (oldest == NULL || (oldest->answer == NULL && (oldest->answer = malloc(ANSWER_MAX)) == NULL)) {
        return NULL;
    }
    free_connection(oldest);
    oldest->number = ++network->opened;
    return oldest;
}

void connection_send(connection_t *c, uint32_t wait_ms, segment_t segment)
{
    int64_t now = otter_now_us();
    int64_t start = (c->end_us > now ? c->end_us : now) + (int64_t)wait_ms * 1000;
    if (c->segment_count == SEGMENTS_MAX || (segment.kind == SEGMENT_BYTES && segment.len == 0)) {
        return;
    }
    segment.start_us = c->end_us = start;
    if (segment.drip_len > 0) {
        c->end_us += (int64_t)((segment.len - 1) / segment.drip_len) * segment.drip_ms * 1000;
    }
    c->segments[c->segment_count++] = segment;
}

void network_clear(network_t *network)
{
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        free_connection(&network->connections[i]);
    }
    network->opened = 0;
}

void network_free(network_t *network)
{
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        free(network->connections[i].answer);
        network->connections[i].answer = NULL;
    }
}

/* ---- the server's order ---- */

static connection_t *next_waiting(world_t *world)
{
    connection_t *next = NULL;
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        connection_t *c = &world->network.connections[i];
        bool sooner = next == NULL || c->serve_us < next->serve_us ||
                      (c->serve_us == next->serve_us && c->number < next->number);
        next = c->number != 0 && c->waiting && sooner ? c : next;
    }
    return next;
}

static void note_order(world_t *world, const connection_t *served)
{
    bool overtakes = false;
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        const connection_t *c = &world->network.connections[i];
        overtakes = overtakes || (c->number != 0 && c->waiting && c->number < served->number);
    }
    world->tally->overtaken += overtakes;
    world->tally->late += served->given_up;
    if (overtakes || served->given_up) {
        story(world, served->device, "server: connection %u is served%s%s", served->number,
              overtakes ? " before an older one" : "",
              served->given_up ? ", which nobody waits for any more" : "");
    }
}

/** Where the answer to a connection that was given up comes out; NULL: nowhere. */
static connection_t *mixed_up_with(const connection_t *c)
{
    connection_t *open = c->device->line.connection;
    bool mixes =
        c->device->line.weather.mixes && open != NULL && open->waiting && strcmp(open->host, c->host) == 0;
    return mixes ? open : NULL;
}

static void serve(world_t *world, connection_t *c)
{
    char *request = c->request;
    char *end = strstr(request, "\r\n\r\n");
    c->waiting = false;
    note_order(world, c);
    connection_t *to = c->given_up ? mixed_up_with(c) : c;
    if (to != NULL && to != c) {
        world->tally->mixed_up++;
        story(world, c->device, "proxy: the answer for connection %u goes to connection %u", c->number,
              to->number);
    }
    if (to != NULL && to->segment == to->segment_count) {
        to->segment = to->segment_count = 0;
        to->used = to->answer_len = 0;
    }
    server_answer(c, request, to);
    size_t len = (size_t)(end - request) + 4;
    memmove(request, request + len, c->request_len - len + 1);
    c->request_len -= len;
    if (c->given_up) {
        free_connection(c);
    }
}

void network_run(world_t *world)
{
    connection_t *c;
    while ((c = next_waiting(world)) != NULL && c->serve_us <= otter_now_us()) {
        serve(world, c);
    }
}

/* ---- the transport ---- */

static int fail(end_t *end, esp_err_t code, int sys_errno, const char *text)
{
    end->error = (otter_transport_error_t){.sys_errno = sys_errno};
    otter_fault(&end->error.fault, code, "%s", text);
    return OTTER_IO_ERROR;
}

static void hang_up(line_t *line)
{
    connection_t *c = line->connection;
    line->connection = NULL;
    if (c != NULL && c->waiting) {
        c->given_up = true;
    } else if (c != NULL) {
        free_connection(c);
    }
}

static esp_err_t line_connect(otter_transport_t *t, const otter_endpoint_t *endpoint)
{
    end_t *end = (end_t *)t;
    line_t *line = end->line;
    world_device_t *d = line->device;
    network_run(d->world);
    line->connects++;
    line->vain++;
    connection_t *c = new_connection(d->world);
    if (c == NULL) {
        fail(end, ESP_ERR_NO_MEM, ENOMEM, "out of memory");
        return ESP_ERR_HTTP_CONNECT;
    }
    c->device = d;
    c->port = endpoint->port;
    snprintf(c->host, sizeof(c->host), "%s", endpoint->host);
    if (d->flash.sim.dead) {
        free_connection(c);
        fail(end, ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST, ENETDOWN, "no power");
        return ESP_ERR_HTTP_CONNECT;
    }
    esp_err_t err = ESP_OK;
    if (chance_percent(&d->world->chance, line->weather.refuse_percent)) {
        err = trouble_meet(line, line->weather.only_trouble, c, endpoint->timeout_ms, &end->error);
    }
    if (err != ESP_OK) {
        free_connection(c);
        return err;
    }
    line->connection = c;
    return ESP_OK;
}

/** Bytes of a segment that have arrived by now. */
static size_t arrived(const segment_t *s, int64_t now)
{
    if (s->start_us > now) {
        return 0;
    }
    uint64_t bytes = s->drip_len == 0
                         ? (s->endless ? SIZE_MAX : s->len)
                         : (uint64_t)s->drip_len * (1 + (uint64_t)(now - s->start_us) / 1000 / s->drip_ms);
    return s->endless || bytes < s->len ? (size_t)bytes : s->len;
}

/** When there will be more than `have` bytes of it. */
static int64_t arrival_us(const segment_t *s, size_t have)
{
    return s->start_us + (s->drip_len > 0 ? (int64_t)(have / s->drip_len) * s->drip_ms * 1000 : 0);
}

static int take_bytes(connection_t *c, const segment_t *s, size_t there, void *buf, size_t len)
{
    size_t n = there - c->used < len ? there - c->used : len;
    if (c->max_read != 0 && n > c->max_read) {
        n = c->max_read;
    }
    for (size_t done = 0; done < n;) {
        size_t at = (c->used + done) % s->len;
        size_t piece = n - done < s->len - at ? n - done : s->len - at;
        memcpy((uint8_t *)buf + done, c->answer + s->from + at, piece);
        done += piece;
    }
    c->used += n;
    if (!s->endless && c->used == s->len) {
        c->segment++;
        c->used = 0;
    }
    return (int)n;
}

/** What is there of the segment. @return OTTER_IO_TIMEOUT: nothing yet */
static int take_segment(end_t *end, connection_t *c, const segment_t *s, void *buf, size_t len)
{
    int64_t now = otter_now_us();
    if (s->start_us > now) {
        return OTTER_IO_TIMEOUT;
    }
    switch (s->kind) {
    case SEGMENT_BYTES: {
        size_t there = arrived(s, now);
        return there > c->used ? take_bytes(c, s, there, buf, len) : OTTER_IO_TIMEOUT;
    }
    case SEGMENT_SILENCE:
        return OTTER_IO_TIMEOUT;
    case SEGMENT_FIN:
        if (!end->line->plain) {
            return fail(end, ESP_ERR_ESP_TLS_TCP_CLOSED_FIN, 0, "closed without TLS's close notify");
        }
        return OTTER_IO_EOF;
    case SEGMENT_GOODBYE:
        return OTTER_IO_EOF;
    case SEGMENT_RESET:
        return fail(end, ESP_ERR_TCP_TRANSPORT_CONNECTION_FAILED, ECONNRESET, "connection reset");
    case SEGMENT_BROKEN:
        return fail(end, ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED, 0, "TLS failed: bad record mac");
    }
    return OTTER_IO_TIMEOUT;
}

/** The next time at which something happens to this connection or to any request; INT64_MAX: never. */
static int64_t next_event_us(world_t *world, const connection_t *c)
{
    const connection_t *waiting = next_waiting(world);
    int64_t next = waiting != NULL ? waiting->serve_us : INT64_MAX;
    if (c->segment < c->segment_count && c->segments[c->segment].kind != SEGMENT_SILENCE) {
        int64_t arrival = arrival_us(&c->segments[c->segment], c->used);
        next = arrival < next ? arrival : next;
    }
    return next;
}

static int line_read(otter_transport_t *t, void *buf, size_t len, int timeout_ms)
{
    end_t *end = (end_t *)t;
    connection_t *c = end->line->connection;
    world_device_t *d = end->line->device;
    int64_t deadline = otter_now_us() + (int64_t)timeout_ms * 1000;
    if (c == NULL) {
        return fail(end, ESP_ERR_TCP_TRANSPORT_CONNECTION_FAILED, ENOTCONN, "not connected");
    }
    for (;;) {
        network_run(d->world);
        int n = c->segment < c->segment_count ? take_segment(end, c, &c->segments[c->segment], buf, len)
                                              : OTTER_IO_TIMEOUT;
        if (n != OTTER_IO_TIMEOUT) {
            return n;
        }
        int64_t next = next_event_us(d->world, c);
        if (next > deadline) {
            move_clock_to(deadline);
            return OTTER_IO_TIMEOUT;
        }
        let_others_live(d);
        move_clock_to(next);
    }
}

/** A whole request goes to the server, which has some time to think about it. */
static void pass_on(connection_t *c)
{
    if (!c->waiting && strstr(c->request, "\r\n\r\n") != NULL) {
        c->waiting = true;
        c->serve_us = otter_now_us() + (int64_t)draw_wait(&c->device->line) * 1000;
    }
}

static int line_write(otter_transport_t *t, const void *buf, size_t len, int timeout_ms)
{
    end_t *end = (end_t *)t;
    connection_t *c = end->line->connection;
    if (c == NULL) {
        return fail(end, ESP_ERR_TCP_TRANSPORT_CONNECTION_FAILED, ENOTCONN, "not connected");
    }
    if (c->writes_fail) {
        return fail(end, ESP_ERR_TCP_TRANSPORT_CONNECTION_FAILED, EPIPE, "broken pipe");
    }
    if (c->writes_stall) {
        move_clock_to(otter_now_us() + (int64_t)timeout_ms * 1000);
        return OTTER_IO_TIMEOUT;
    }
    if (len > REQUEST_MAX - c->request_len) {
        return fail(end, ESP_ERR_TCP_TRANSPORT_CONNECTION_FAILED, ECONNRESET,
                    "a request too long for this server");
    }
    memcpy(c->request + c->request_len, buf, len);
    c->request_len += len;
    c->request[c->request_len] = '\0';
    pass_on(c);
    return (int)len;
}

static void line_close(otter_transport_t *t)
{
    hang_up(((end_t *)t)->line);
}

static void line_destroy(otter_transport_t *t)
{
    line_close(t);
    free(t);
}

static int line_descriptor(otter_transport_t *t)
{
    (void)t;
    return -1;
}

static const otter_transport_error_t *line_error(otter_transport_t *t)
{
    return &((end_t *)t)->error;
}

otter_transport_t *line_transport(line_t *line)
{
    static const otter_transport_ops_t ops = {
        .connect = line_connect,
        .read = line_read,
        .write = line_write,
        .close = line_close,
        .destroy = line_destroy,
        .descriptor = line_descriptor,
        .error = line_error,
    };
    end_t *end = calloc(1, sizeof(*end));
    if (end == NULL) {
        return NULL;
    }
    end->base.ops = &ops;
    end->line = line;
    return &end->base;
}
