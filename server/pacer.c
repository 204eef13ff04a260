/* Holds each connection to a number of bytes a second: a token bucket, kept as the time at which its next byte is due. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "pacer.h"

#include <time.h>

#define SECOND_NS       UINT64_C(1000000000)
#define BURST_NS        (SECOND_NS / 20) /* what a late connection may catch up on: the depth of the bucket */
#define SLICES_A_SECOND 20u

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

void pacer_init(pacer_t *pacer, uint64_t rate)
{
    *pacer = (pacer_t){.rate = rate};
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&pacer->stop_cond, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&pacer->mutex, NULL);
}

void pacer_destroy(pacer_t *pacer)
{
    pthread_cond_destroy(&pacer->stop_cond);
    pthread_mutex_destroy(&pacer->mutex);
}

void pacer_stop(pacer_t *pacer)
{
    pthread_mutex_lock(&pacer->mutex);
    pacer->is_stopping = true;
    pthread_cond_broadcast(&pacer->stop_cond);
    pthread_mutex_unlock(&pacer->mutex);
}

size_t pacer_wait(pacer_t *pacer, const pacer_bucket_t *bucket, size_t wanted)
{
    if (pacer->rate == 0) {
        return wanted;
    }
    const struct timespec due = {.tv_sec = (time_t)(bucket->due_ns / SECOND_NS),
                                 .tv_nsec = (long)(bucket->due_ns % SECOND_NS)};
    pthread_mutex_lock(&pacer->mutex);
    while (!pacer->is_stopping && now_ns() < bucket->due_ns) {
        pthread_cond_timedwait(&pacer->stop_cond, &pacer->mutex, &due);
    }
    bool is_stopping = pacer->is_stopping;
    pthread_mutex_unlock(&pacer->mutex);

    uint64_t slice = pacer->rate / SLICES_A_SECOND;
    slice = slice > 0 ? slice : 1;
    if (is_stopping) {
        return 0;
    }
    return wanted < slice ? wanted : (size_t)slice;
}

void pacer_charge(const pacer_t *pacer, pacer_bucket_t *bucket, size_t sent)
{
    if (pacer->rate == 0) {
        return;
    }
    uint64_t now = now_ns();
    if (bucket->due_ns == 0) {
        bucket->due_ns = now; /* the first bytes: nothing to catch up on */
    } else if (bucket->due_ns + BURST_NS < now) {
        bucket->due_ns = now - BURST_NS;
    }
    bucket->due_ns += (uint64_t)sent * SECOND_NS / pacer->rate;
}
