/* What a simulated rollout came to: in words, as a picture of characters, and as one for a browser. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "fleet/live.h"
#include "fleet/world.h"

/** How long the updates of a rollout took, from the assignment to the last word: ms. Zeros: none has ended. */
typedef struct {
    int64_t median, most_of_all, longest; /* of half of them, of 95 in 100, of the slowest */
} fleet_times_t;

/** @return false: out of memory */
OTTER_MUST_CHECK bool fleet_report_times(const fleet_world_t *world, uint32_t rollout, fleet_times_t *times);

/** The curve alone, of characters. */
void fleet_report_curve(FILE *out, const fleet_world_t *world);

/** Of devices that asked a real server. */
void fleet_report_live(FILE *out, fleet_live_t *live);

/** All of it, after fleet_world_judge(). @return false: out of memory */
OTTER_MUST_CHECK bool fleet_report_text(FILE *out, const fleet_world_t *world);

/** The picture of it for a browser. */
void fleet_report_svg(FILE *out, const fleet_world_t *world);
