/* What start-up code tells esp_sleep.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "linux/run_protocol.h"

/** @param pause  in the memory that is shared with the runner. @param woken  this boot comes from deep sleep */
void deep_sleep_begin(otter_run_pause_t *pause, bool woken);
