/* What `otter boot` decided, kept for as long as the machine runs: for who asks again, and for who wants to know what runs. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "otter/fault.h"
#include "otter/promise.h"

/**
 * The decision that was made on this flash since the machine started.
 * @param fault  why there is none, to go behind the path
 * @return its keys (docs/JSON.md, `otter boot`), which the caller frees; NULL: there is none, it is of an earlier start, of
 *         another flash, or cannot be read
 */
OTTER_MUST_CHECK cJSON *decision_load(const char *path, const char *flash, otter_fault_t *fault);

/** Keeps a decision, there whole or not at all. @return false, and the fault as above */
OTTER_MUST_CHECK bool decision_save(const char *path, const char *flash, const cJSON *decision,
                                    otter_fault_t *fault);

#define DECISION_START_SIZE 64u /* bytes of a start's name, with its end */

/** Which start of this machine this is: a name that the kernel makes up anew at each. @return false: it does not tell */
OTTER_MUST_CHECK bool decision_name_start(char id[DECISION_START_SIZE]);

/** True if one start of this machine can be told from the next. */
OTTER_MUST_CHECK bool decision_can_be_kept(void);
