/* The same devices against a real server, in real time: their requests go over sockets, so many at a time. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <openssl/ssl.h>

#include "fleet/world.h"
#include "otter/promise.h"

#define FLEET_CONNECTIONS_MAX 1000u

typedef struct fleet_live {
    fleet_world_t *world;
    SSL_CTX *tls; /* NULL: http:// alone */
    uint32_t connections;

    uint64_t answers[6]; /* by the hundreds of their status; [0]: none came */
    uint32_t *times;     /* ms from the start of a request to its end, of those that had an answer */
    uint32_t time_count, time_room;
    uint32_t succeeded, failed; /* devices that the server has told it knows how an action ended */
    uint64_t refused;           /* answers that were 429 */

    /* private */
    struct fleet_call **active, *first, *last; /* that have a connection; that wait for one */
    uint32_t active_count;
    int64_t began_ms;
} fleet_live_t;

/** Puts the world's devices on this wire. @return false: out of memory */
OTTER_MUST_CHECK bool fleet_live_open(fleet_live_t *live, fleet_world_t *world, SSL_CTX *tls,
                                      uint32_t connections);
void fleet_live_close(fleet_live_t *live);

/** Goes on for `ms` milliseconds of real time. @return false: each device has told how an action ended */
bool fleet_live_run(fleet_live_t *live, uint32_t ms);

/** Milliseconds in which half of the answers came, 95 of 100, and all. */
void fleet_live_times(fleet_live_t *live, uint32_t times[3]);
