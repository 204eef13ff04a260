/* Whether a thread of this process uses the processor or has given it up, by the kernel's own account. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "otter/promise.h"

/** What the system has counted for a thread up to a moment. */
typedef struct {
    bool waits;      /* it is blocked now: in a system call, on a lock, on a page */
    uint64_t blocks; /* how often it has blocked since it started */
    uint64_t now_ns;
    uint64_t used_ns;    /* of a processor, and */
    uint64_t delayed_ns; /* when it could have run and others did; the rest of the time it was blocked */
} thread_state_t;

/** @param thread  a thread id of this process (gettid). @return false: there is no such thread, or no way to know */
OTTER_MUST_CHECK bool thread_state_read(pid_t thread, thread_state_t *state);

#define THREAD_BLOCKED_LEAST_NS 2000000u

/**
 * Has a thread been blocked between two looks, for THREAD_BLOCKED_LEAST_NS in all? Less may be the lock that the look itself
 * takes. The load of the machine makes no difference.
 */
bool thread_state_blocked(const thread_state_t *before, const thread_state_t *after);
