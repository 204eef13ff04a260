/* Files that somebody names: input that neither waits for ever nor outgrows its limit, output that comes whole or not at all. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "otter/fault.h"
#include "otter/promise.h"

typedef enum {
    INPUT_ORDINARY, /* a file that has a size */
    INPUT_OR_PIPE,  /* also what /dev/stdin or a shell's <(command) may be */
} input_kinds_t;

/**
 * Opens a file to read. Never waits: of a FIFO that nobody has open for writing, nothing will come.
 * @param st     of the open file
 * @param fault  says on failure what is wrong with "it", to go behind the path
 * @return descriptor, -1: cannot be opened, or is of another kind (directory, device, socket; FIFO)
 */
OTTER_MUST_CHECK int input_open(const char *path, input_kinds_t kinds, struct stat *st, otter_fault_t *fault);

/**
 * All that an open input holds. Waits for a pipe that somebody has open for writing, until a signal is handled.
 * @param st   what input_open() told
 * @param max  bytes; more are refused
 * @return malloc'ed bytes plus one 0 behind them, *len without it; the caller frees. NULL: as above
 */
OTTER_MUST_CHECK uint8_t *input_read(int fd, const struct stat *st, size_t max, size_t *len,
                                     otter_fault_t *fault);

/** Both in one call. */
OTTER_MUST_CHECK uint8_t *input_load(const char *path, input_kinds_t kinds, size_t max, size_t *len,
                                     otter_fault_t *fault);

/**
 * Where a file of this name is, or would be, behind all symbolic links that its last part is. What lies beside a file lies
 * there. @return malloc'ed, the caller frees; NULL with errno
 */
OTTER_MUST_CHECK char *path_behind_links(const char *path);

/**
 * An output. An ordinary file, new or old, is written under a temporary name beside it and replaced when it is complete; at
 * the end of links, so that they stay, and with the old one's permissions. Anything else (device, FIFO) is written in place.
 */
typedef struct {
    int fd;       /* to write to */
    char *target; /* owned; NULL: in place */
    char *temp;   /* owned */
    bool durable;
} output_t;

/**
 * @param durable  output_close() returns when the medium has it
 * @param fault    says on failure the cause, to go behind "cannot write PATH: "
 */
OTTER_MUST_CHECK bool output_open(output_t *out, const char *path, bool durable, otter_fault_t *fault);

/** All `len` bytes. @return false with errno */
OTTER_MUST_CHECK bool output_write(int fd, const void *data, size_t len);

/**
 * Ends what output_open() began, in any case.
 * @param complete  false: the name keeps what it had before, unless it is written in place
 * @return false with errno: it did not get its name, or `complete` was false
 */
OTTER_MUST_CHECK bool output_close(output_t *out, bool complete);

/** The whole of it in one call. @return false: as above */
OTTER_MUST_CHECK bool output_replace(const char *path, const void *data, size_t len, bool durable,
                                     otter_fault_t *fault);

/** The same of bytes that are secret: a new file is its owner's alone from the first byte; an old one is no more for others. */
OTTER_MUST_CHECK bool output_replace_secret(const char *path, const void *data, size_t len,
                                            otter_fault_t *fault);
