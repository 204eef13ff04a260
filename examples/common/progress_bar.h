/* Progress of a download on the console: a bar that is redrawn on a terminal, a line for each tenth elsewhere. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "freertos/FreeRTOS.h"

typedef struct {
    int total; /* bytes, -1: unknown */
    TickType_t started, drawn;
    int tenth; /* last one told as a line */
    bool is_terminal;
} progress_bar_t;

/** @param total  bytes to come; -1 if unknown */
void progress_bar_begin(progress_bar_t *bar, int total);

/** Call as often as you like; it draws at most ten times a second. */
void progress_bar_update(progress_bar_t *bar, int received);

/** Draws the last state and leaves the bar's line. */
void progress_bar_end(progress_bar_t *bar, int received);
