/* A clock that goes on over the boots of a device; tests can take it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>
#include <time.h>

/** Microseconds. */
int64_t steady_clock_us(void);

/** Returns when the clock says `us`: what is waited for is known to come then, and nothing ends it earlier. */
void steady_clock_wait_until(int64_t us);

/**
 * From now on waits may be skipped: steady_clock_wait_until() calls `wait`, which returns when the clock says so, or has it say
 * so by steady_clock_skip(). NULL: each wait is skipped, which is for a program with one thread.
 */
void steady_clock_hurry(void (*wait)(int64_t us));

/** Puts the clock forward, for all threads. */
void steady_clock_skip(int64_t us);

/** What the machine's monotonic clock says when this one says `us`, if nothing more is skipped. */
struct timespec steady_clock_by_machine(int64_t us);

/** From now on time moves by steady_clock_wait_until() alone, which returns at once. For tests with one thread. */
void steady_clock_take(void);
