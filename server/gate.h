/* Lets clients in, as many as there are places, and sends away those that hold a place for nothing. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "otter/promise.h"

#define GATE_PLACES           512u /* less where the process may not have two descriptors for each */
#define GATE_CONNECTION_LIMIT (GATE_PLACES + 64u) /* with those that are on their way out */

typedef struct gate gate_t;

/** Why a connection was ended from here. */
typedef enum {
    GATE_NOT_SENT_AWAY,
    GATE_TOO_SLOW, /* no whole request, or nothing taken of an answer, within the time limit */
    GATE_NO_ROOM,  /* others waited for a place, and this one had made the least of its own */
} gate_verdict_t;

/** One connection; its owner zeroes it and reads the verdict after gate_leave(), the rest is the gate's. */
typedef struct gate_place {
    gate_verdict_t verdict;
    struct gate_place *next;
    int fd;
    bool is_busy;     /* its request has come and is being answered */
    int64_t since_ms; /* waiting: from when; busy: when the client was last seen to take something */
    uint64_t taken;   /* busy: bytes that the client had taken then */
} gate_place_t;

/** Takes a new client's socket over, also when it fails. gate_enter() follows, from any thread, if it comes to life. */
typedef void gate_admit_t(void *cls, int fd, const struct sockaddr *address, socklen_t len);

/**
 * @param listener   listening socket, non-blocking; the gate's from here on, also when there is none
 * @param timeout_s  a request, from the client's arrival or the end of the answer before, must be there within this; the
 *                   client must take something of an answer as often
 * @return NULL with errno
 */
OTTER_MUST_CHECK gate_t *gate_new(int listener, unsigned timeout_s, gate_admit_t *admit, void *cls);

/** Starts to let clients in, in a thread of its own. @return false with errno */
OTTER_MUST_CHECK bool gate_open(gate_t *gate);

/** Ends what gate_open() began: no more clients are let in or sent away. */
void gate_close(gate_t *gate);

/** When it is not open, and no place is held any more. */
void gate_free(gate_t *gate);

/* What happens to a connection; for any thread. */
void gate_enter(gate_t *gate, gate_place_t *place, int fd);
void gate_request_came(gate_t *gate, gate_place_t *place);
void gate_answer_ended(gate_t *gate, gate_place_t *place);

/** Before the socket is closed. */
void gate_leave(gate_t *gate, gate_place_t *place);
