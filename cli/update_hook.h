/* The command that `otter update --on-updated` runs when the update is in its slot. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/promise.h"
#include "update_report.h"

/**
 * Has a shell run `command`, with OTTER_FLASH, OTTER_SLOT, OTTER_VERSION and OTTER_FROM_VERSION in its environment, and waits for
 * it. The flash is closed by then. A signal to this process is handed on to it. Says when it failed.
 * @param quiet_output  what it writes to standard output goes to standard error
 * @param limit_ms      it is ended after so long; 0: after an hour
 * @return true if it ended with status 0
 */
OTTER_MUST_CHECK bool update_hook_run(const char *command, const char *flash, const update_outcome_t *outcome,
                                      bool quiet_output, uint32_t limit_ms);
