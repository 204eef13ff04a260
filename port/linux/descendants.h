/* Ending every process that came from this one, however it got away from its own parent. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "otter/promise.h"

/** From now on a process below this one whose parent ends becomes a child of this one. @return false with errno */
OTTER_MUST_CHECK bool descendants_adopt(void);

/**
 * Kills all children, and whatever becomes a child by that, until there are none. To be called by a process that adopts,
 * with SIGCHLD blocked.
 * @return false with errno: some are left. They may not be killed (EPERM), multiply faster than they die (ETIMEDOUT, after
 *         DESCENDANTS_LIMIT_MS), or cannot be found: /proc is not there, no descriptor is left
 */
OTTER_MUST_CHECK bool descendants_end(void);

#define DESCENDANTS_LIMIT_MS 5000
