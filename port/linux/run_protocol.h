/* Both sides of the run protocol (otter/run_protocol.h): the facts as text, and the firmware's messages. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/promise.h"
#include "otter/run_protocol.h"

_Static_assert(sizeof(otter_run_shared_t) == 8192, "whole pages, zeros when power comes");

void run_boot_encode(const otter_run_boot_t *boot, char text[OTTER_RUN_BOOT_TEXT_SIZE]);

/** Sends one message; nothing happens when there is no runner. */
void run_protocol_tell(char message);

/** The program's last message: what was printed is flushed, and the process ends. */
void run_protocol_end(char message) __attribute__((noreturn));

/** In a process that was forked: it is not the firmware, and says nothing. */
void run_protocol_forsake(void);
