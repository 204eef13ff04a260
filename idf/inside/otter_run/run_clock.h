/* The clock of a program: the machine's, and with `otter run --fast` what was skipped of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#define RUN_CLOCK_NEVER INT64_MAX

/** Microseconds. */
int64_t run_clock_us(void);

/** Whoever calls waits, and all other tasks have their turn. */
void run_clock_wait_until(int64_t us);

/**
 * Whoever calls works until then, as far as other tasks know: those of a higher priority alone have their turn, as on a chip
 * that suspends an erase for them.
 */
void run_clock_work_until(int64_t us);

/** Between these two somebody waits for the world outside, and nobody knows how long: time is not skipped. */
void run_clock_waits_outside(void);
void run_clock_waits_no_more(void);

/** Waits some ticks, as one who only looks again: no reason to skip time. */
void run_clock_rest(uint32_t ms);
