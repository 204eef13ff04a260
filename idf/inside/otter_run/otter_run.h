/* The firmware's side of otter/run_protocol.h, for the files of this folder. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "otter/run_protocol.h"

/** What the runner and its firmwares share. @return NULL: the program was started without a runner */
otter_run_shared_t *otter_run_shared(void);

/** What is written to for each flash operation, an otter_run_op_t. @return below zero: nobody reads */
int otter_run_trace(void);

/** How long the flash takes. @return NULL: no time */
const otter_run_flash_speed_t *otter_run_flash_speed(void);

/** What lies between the program and its network. @return NULL: nothing */
const otter_run_link_t *otter_run_link(void);

/** Whether waits whose end is known may be skipped. */
bool otter_run_is_fast(void);

/** Sends one message; nothing happens without a runner. */
void otter_run_tell(char message);

/** The last message: what was printed is flushed, and the process ends. */
void otter_run_end(char message) __attribute__((noreturn));
