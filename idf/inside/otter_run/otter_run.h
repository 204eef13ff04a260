/* The firmware's side of otter/run_protocol.h, for the files of this folder. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "otter/run_protocol.h"

/** What the runner and its firmwares share. @return NULL: the program was started without a runner */
otter_run_shared_t *otter_run_shared(void);

/** Sends one message; nothing happens without a runner. */
void otter_run_tell(char message);

/** The last message: what was printed is flushed, and the process ends. */
void otter_run_end(char message) __attribute__((noreturn));
