/* A simulated rollout as one JSON object. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "fleet/world.h"

/** Prints it. @param good  what fleet_world_judge() says. @return EXIT_DONE, EXIT_FAILED after saying why */
int fleet_json_print(const char *verb, const fleet_world_t *world, bool good);
