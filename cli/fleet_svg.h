/* The picture that fleet verbs write. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "fleet/world.h"

/** @return false, after saying why */
bool fleet_write_svg(const char *verb, const char *path, const fleet_world_t *world);
