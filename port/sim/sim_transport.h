/* A transport that plays a script: what the server says on each connection, byte by byte if need be, and how it fails. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otter/promise.h"
#include "otter/transport.h"

typedef enum {
    SIM_REQUEST, /* says nothing until one more request head (up to its empty line) has been written */
    SIM_BYTES,   /* data, len */
    SIM_DELAY,   /* ms of silence; the simulated clock moves (sim_clock_take) */
    SIM_EOF,     /* the peer closes properly, now and for good */
    SIM_RESET,   /* the connection breaks, now and for good */
} sim_step_kind_t;

typedef struct {
    sim_step_kind_t kind;
    const char *data;
    size_t len;
    uint32_t ms;
} sim_step_t;

#define SIM_SAY(text)                                                                                        \
    {                                                                                                        \
        .kind = SIM_BYTES, .data = (text), .len = sizeof(text) - 1                                           \
    }

/** After the last step the server says nothing more: every read times out. */
typedef struct {
    const sim_step_t *steps;
    size_t count;
    size_t max_read;  /* a read brings at most so many bytes; 0: no limit */
    size_t max_write; /* a write takes at most so many; 0: no limit */
    bool refuse;      /* connect() fails */
    bool writes_fail; /* every write breaks the connection */
    bool writes_time_out;
} sim_connection_t;

typedef struct sim_transport sim_transport_t;

/**
 * Plays connections[0] for the first connect, and so on; a connect after the last fails. The arrays stay the caller's.
 * Give it to a client as esp_http_client_config_t.transport, which destroys it.
 */
OTTER_MUST_CHECK sim_transport_t *sim_transport_new(const sim_connection_t *connections, size_t count);

/**
 * A server's answer to one request, whose head `request` is (terminated, to its empty line): fill in the steps to play,
 * which stay the caller's. `request` NULL: a client connects; set `refuse`, `writes_fail` or nothing.
 */
typedef void (*sim_server_t)(void *ctx, const char *request, sim_connection_t *answer);

/** Asks `server` for each script instead. Of what was written only the last connection is kept. */
OTTER_MUST_CHECK sim_transport_t *sim_transport_serve(sim_server_t server, void *ctx);

/** Connects so far. */
size_t sim_transport_connects(const sim_transport_t *t);

/** What was written to connection `index`, terminated; "" if nothing. */
const char *sim_transport_sent(const sim_transport_t *t, size_t index);

/** "host:port" of connection `index`. */
const char *sim_transport_server(const sim_transport_t *t, size_t index);
