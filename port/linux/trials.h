/* Which versions have failed their trials in a run, and how often: an update that comes again each time is a loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TRIALS_MAX 8u /* versions that are remembered; of more, those whose trials ended last */

/** All zeros to begin with. */
typedef struct {
    struct {
        char version[33];
        uint32_t failures;
    } versions[TRIALS_MAX]; /* the last one first */
} trials_t;

/**
 * To be called when a trial has ended.
 * @param confirmed  false: the next boot goes back
 * @return how many trials of this version have failed since one was confirmed, this one included
 */
uint32_t trials_note(trials_t *trials, const char *version, bool confirmed);
