/* Holds each connection to a number of bytes a second. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACER_RATE_MAX (UINT64_C(1) << 33) /* bytes a second */

/** One for the server. */
typedef struct {
    uint64_t rate; /* bytes a second for each connection; 0: no limit */
    pthread_mutex_t mutex;
    pthread_cond_t stop_cond;
    bool is_stopping;
} pacer_t;

/** One for each connection, used by its thread only; zero it first. */
typedef struct {
    uint64_t due_ns; /* monotonic time from which the next byte may go */
} pacer_bucket_t;

void pacer_init(pacer_t *pacer, uint64_t rate);
void pacer_destroy(pacer_t *pacer);

/** Ends every wait, now and from now on. */
void pacer_stop(pacer_t *pacer);

/** Waits until something may be sent. @return how many of the `wanted` bytes, 0 after pacer_stop() */
size_t pacer_wait(pacer_t *pacer, const pacer_bucket_t *bucket, size_t wanted);

/** Notes what was sent after pacer_wait(). */
void pacer_charge(const pacer_t *pacer, pacer_bucket_t *bucket, size_t sent);
