/* A named file, or what comes out of a pipe, as flash that can only be read. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otter/fault.h"
#include "otter/flash.h"
#include "otter/promise.h"

/** Must stay where it is while it is open: the flash points to it. */
typedef struct {
    otter_flash_t flash; /* `size` bytes, then 0xFF up to the end of a sector: published files end anywhere */
    uint32_t size;       /* bytes there are */
    int fd;              /* -1: none */
    uint8_t *piped;      /* owned: all that came out of a pipe; NULL: read from fd */
} file_view_t;

/**
 * @param path   "-" is standard input. A FIFO is read to its end; whatever else has no length is refused
 * @param fault  says on failure what is wrong with "it", to go behind the path: it cannot be opened, has more than 2 GiB (a
 *               pipe: more than 128 MiB, the largest flash of a chip)
 */
OTTER_MUST_CHECK bool file_view_open(file_view_t *view, const char *path, otter_fault_t *fault);

/** Harmless twice, and after an open that failed. */
void file_view_close(file_view_t *view);
