/* A clock that goes on over the boots of a device; tests can take it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/** Microseconds. */
int64_t steady_clock_us(void);

/** Returns when the clock says `us`: what is waited for is known to come then, and nothing ends it earlier. */
void steady_clock_wait_until(int64_t us);

/** From now on time moves by steady_clock_wait_until() alone, which returns at once. For tests with one thread. */
void steady_clock_take(void);
