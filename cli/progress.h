/* Progress of a transfer: a redrawn bar on a terminal, a plain line now and then elsewhere. On standard error. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    bool shown, terminal;
    int64_t start_us, next_us; /* when it began, when it may draw again */
} progress_t;

/** @param shown  false: the other two do nothing */
void progress_begin(progress_t *p, bool shown);

/** Call as often as you like; it draws a few times a second. `total` in bytes, -1 if unknown. */
void progress_show(progress_t *p, uint64_t done, int64_t total);

/** The last state, and the end of the line. */
void progress_end(progress_t *p, uint64_t done, int64_t total);
