/* One buffer for reading flash: large where memory allows. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define IO_BUFFER_SIZE       0x10000u
#define IO_BUFFER_SIZE_SMALL 0x1000u /* where there is no memory for the large one */

/** Zero it first; `bytes` is freed with free(). */
typedef struct {
    uint8_t *bytes; /* NULL until it is there */
    uint32_t size;  /* IO_BUFFER_SIZE, IO_BUFFER_SIZE_SMALL, or 0 */
} io_buffer_t;

/** Allocates it, unless that is done. @return false: no memory now, it may be tried again */
bool io_buffer_get(io_buffer_t *buffer);
