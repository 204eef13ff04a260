/* The scripted transport: reads take from the script, writes are kept for the test. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_transport.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/system.h"
#include "sim/sim_system.h"

#define CONNECTIONS_MAX 16
#define SENT_MAX        65536

typedef struct {
    char server[128];
    char *sent;
    size_t sent_len;
} record_t;

struct sim_transport {
    otter_transport_t base;
    const sim_connection_t *connections;
    size_t count;
    sim_server_t server; /* NULL: connections are played */
    void *server_ctx;
    sim_connection_t answer; /* of the server to the open connection's last request */
    size_t request_start;    /* place of the next request in what was written */
    size_t connects;
    bool open;
    size_t step, used; /* place in the script of the open connection */
    unsigned requests; /* SIM_REQUEST steps passed */
    record_t records[CONNECTIONS_MAX];
    otter_transport_error_t error;
};

static sim_transport_t *sim_of(otter_transport_t *t)
{
    return (sim_transport_t *)t;
}

static int fail(sim_transport_t *sim, esp_err_t code, int sys_errno, const char *text)
{
    sim->error = (otter_transport_error_t){.sys_errno = sys_errno};
    otter_fault(&sim->error.fault, code, "%s", text);
    return OTTER_IO_ERROR;
}

/** The script of the last connect. */
static const sim_connection_t *current(const sim_transport_t *sim)
{
    return sim->server != NULL ? &sim->answer : &sim->connections[sim->connects - 1];
}

static record_t *current_record(sim_transport_t *sim)
{
    return &sim->records[sim->server != NULL ? 0 : sim->connects - 1];
}

static void greet(sim_transport_t *sim)
{
    sim->records[0].sent_len = 0;
    sim->request_start = 0;
    sim->answer = (sim_connection_t){0};
    sim->server(sim->server_ctx, NULL, &sim->answer);
}

static esp_err_t sim_connect(otter_transport_t *t, const otter_endpoint_t *endpoint)
{
    sim_transport_t *sim = sim_of(t);
    if (sim->server == NULL && (sim->connects >= sim->count || sim->connects >= CONNECTIONS_MAX)) {
        fail(sim, ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST, ECONNREFUSED, "the script has no such connection");
        return ESP_ERR_HTTP_CONNECT;
    }
    sim->connects++;
    record_t *record = current_record(sim);
    snprintf(record->server, sizeof(record->server), "%s:%u", endpoint->host, endpoint->port);
    if (sim->server != NULL) {
        greet(sim);
    }
    if (current(sim)->refuse) {
        fail(sim, ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST, ECONNREFUSED, "connection refused");
        return ESP_ERR_HTTP_CONNECT;
    }
    sim->open = true;
    sim->step = sim->used = 0;
    sim->requests = 0;
    return ESP_OK;
}

static unsigned count_requests(const record_t *record)
{
    unsigned count = 0;
    for (const char *p = record->sent; p != NULL && (p = strstr(p, "\r\n\r\n")) != NULL; p += 4) {
        count++;
    }
    return count;
}

static int take_bytes(sim_transport_t *sim, const sim_step_t *step, size_t max_read, void *buf, size_t len)
{
    size_t n = step->len - sim->used;
    if (n > len) {
        n = len;
    }
    if (max_read != 0 && n > max_read) {
        n = max_read;
    }
    memcpy(buf, step->data + sim->used, n);
    sim->used += n;
    if (sim->used == step->len) {
        sim->step++;
        sim->used = 0;
    }
    return (int)n;
}

/** True when the silence is over. */
static bool pass_delay(sim_transport_t *sim, const sim_step_t *step, int timeout_ms)
{
    uint32_t left_ms = step->ms - (uint32_t)sim->used;
    bool over = left_ms <= (uint32_t)timeout_ms;
    uint32_t passed_ms = over ? left_ms : (uint32_t)timeout_ms;
    sim_clock_advance_ms(passed_ms);
    sim->used += passed_ms;
    if (over) {
        sim->step++;
        sim->used = 0;
    }
    return over;
}

/** The next request, if all of it was written, is answered. */
static bool serve_request(sim_transport_t *sim)
{
    record_t *record = &sim->records[0];
    char *start = record->sent != NULL ? record->sent + sim->request_start : NULL;
    char *end = start != NULL && sim->request_start < record->sent_len ? strstr(start, "\r\n\r\n") : NULL;
    if (sim->server == NULL || end == NULL) {
        return false;
    }
    sim->request_start += (size_t)(end - start) + 4;
    sim->answer = (sim_connection_t){0};
    sim->server(sim->server_ctx, start, &sim->answer);
    sim->step = sim->used = 0;
    return sim->answer.count > 0;
}

static int sim_read(otter_transport_t *t, void *buf, size_t len, int timeout_ms)
{
    sim_transport_t *sim = sim_of(t);
    if (!sim->open) {
        return fail(sim, ESP_ERR_TCP_TRANSPORT_CONNECTION_FAILED, ENOTCONN, "not connected");
    }
    const sim_connection_t *connection = current(sim);
    while (sim->step < connection->count || serve_request(sim)) {
        const sim_step_t *step = &connection->steps[sim->step];
        switch (step->kind) {
        case SIM_REQUEST:
            if (count_requests(current_record(sim)) <= sim->requests) {
                return OTTER_IO_TIMEOUT;
            }
            sim->requests++;
            sim->step++;
            break;
        case SIM_BYTES:
            return take_bytes(sim, step, connection->max_read, buf, len);
        case SIM_DELAY:
            if (!pass_delay(sim, step, timeout_ms)) {
                return OTTER_IO_TIMEOUT;
            }
            timeout_ms = 0; /* what follows comes at once, or not in this wait */
            break;
        case SIM_EOF:
            return OTTER_IO_EOF;
        case SIM_RESET:
            return fail(sim, ESP_ERR_TCP_TRANSPORT_CONNECTION_FAILED, ECONNRESET, "connection reset");
        }
    }
    sim_clock_advance_ms((uint32_t)timeout_ms);
    return OTTER_IO_TIMEOUT;
}

static int sim_write(otter_transport_t *t, const void *buf, size_t len, int timeout_ms)
{
    (void)timeout_ms;
    sim_transport_t *sim = sim_of(t);
    if (!sim->open) {
        return fail(sim, ESP_ERR_TCP_TRANSPORT_CONNECTION_FAILED, ENOTCONN, "not connected");
    }
    const sim_connection_t *connection = current(sim);
    if (connection->writes_fail) {
        return fail(sim, ESP_ERR_TCP_TRANSPORT_CONNECTION_FAILED, EPIPE, "broken pipe");
    }
    if (connection->writes_time_out) {
        return OTTER_IO_TIMEOUT;
    }
    if (connection->max_write != 0 && len > connection->max_write) {
        len = connection->max_write;
    }
    record_t *record = current_record(sim);
    if (record->sent == NULL) {
        record->sent = calloc(1, SENT_MAX + 1);
    }
    if (record->sent == NULL || len > SENT_MAX - record->sent_len) {
        return fail(sim, ESP_ERR_NO_MEM, ENOMEM, "more was written than the simulator keeps");
    }
    memcpy(record->sent + record->sent_len, buf, len);
    record->sent_len += len;
    record->sent[record->sent_len] = '\0';
    return (int)len;
}

static void sim_close(otter_transport_t *t)
{
    sim_of(t)->open = false;
}

static void sim_destroy(otter_transport_t *t)
{
    sim_transport_t *sim = sim_of(t);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        free(sim->records[i].sent);
    }
    free(sim);
}

static int sim_descriptor(otter_transport_t *t)
{
    (void)t;
    return -1;
}

static const otter_transport_error_t *sim_error(otter_transport_t *t)
{
    return &sim_of(t)->error;
}

static const otter_transport_ops_t sim_ops = {
    .connect = sim_connect,
    .read = sim_read,
    .write = sim_write,
    .close = sim_close,
    .destroy = sim_destroy,
    .descriptor = sim_descriptor,
    .error = sim_error,
};

sim_transport_t *sim_transport_new(const sim_connection_t *connections, size_t count)
{
    sim_transport_t *sim = calloc(1, sizeof(*sim));
    if (sim != NULL) {
        sim->base.ops = &sim_ops;
        sim->connections = connections;
        sim->count = count;
    }
    return sim;
}

sim_transport_t *sim_transport_serve(sim_server_t server, void *ctx)
{
    sim_transport_t *sim = sim_transport_new(NULL, 0);
    if (sim == NULL) {
        return NULL;
    }
    sim->server = server;
    sim->server_ctx = ctx;
    sim->records[0].sent =
        calloc(1, SENT_MAX + 1); /* now, and not in an update whose memory is being counted */
    if (sim->records[0].sent == NULL) {
        free(sim);
        return NULL;
    }
    return sim;
}

size_t sim_transport_connects(const sim_transport_t *t)
{
    return t->connects;
}

const char *sim_transport_sent(const sim_transport_t *t, size_t index)
{
    return index < CONNECTIONS_MAX && t->records[index].sent != NULL ? t->records[index].sent : "";
}

const char *sim_transport_server(const sim_transport_t *t, size_t index)
{
    return index < CONNECTIONS_MAX ? t->records[index].server : "";
}
