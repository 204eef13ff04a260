/* Bytes of the console, for the drivers that read and write it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "freertos/FreeRTOS.h"

/** Waits until all are there, but not longer than `ticks`; where input has ended, nobody types any more.
    @return how many; below 0: it cannot be read */
int console_read_bytes(void *to, size_t len, TickType_t ticks);
/** @return how many; below 0: it cannot be written */
int console_write_bytes(const void *from, size_t len);
/** How many bytes can be read at once. */
size_t console_bytes_there(void);
/** Waits for one. @return false: input has ended */
bool console_wait_for_bytes(void);
/** Drops them. */
void console_flush(void);
