/* Text from a pipe on its way to standard output, and a word that is waited for in it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "otter/promise.h"

typedef struct {
    int from;         /* read end of the pipe; -1: there is none, or it has ended */
    char bytes[4096]; /* read and not yet written */
    size_t len, done;
    int error;        /* errno of a write that failed for good; 0: all were fine */
    const char *word; /* looked for; NULL: it was found */
    char *end;        /* owned: the last bytes, one fewer than the word has, in front of what comes */
    size_t end_len;
} console_tap_t;

/**
 * Makes the pipe. `word` must stay where it is, and must not be empty.
 * @return its write end, for whoever is to be listened to; -1 with errno
 */
OTTER_MUST_CHECK int console_tap_open(console_tap_t *tap, const char *word);

/** What to ask poll() for: standard output in `output`, to which other events may be added, and the pipe in `pipe`. */
void console_tap_prepare(const console_tap_t *tap, struct pollfd *output, struct pollfd *pipe);

/**
 * Reads and writes what can be had after that without waiting.
 * @param output  as poll() left it, with an error if nobody reads standard output: then what comes is dropped
 * @return true: the word has just come
 */
bool console_tap_pass(console_tap_t *tap, const struct pollfd *output);

/** Passes on all that is left in a pipe that nobody writes to any more, and closes it. As console_tap_pass(). */
OTTER_MUST_CHECK bool console_tap_close(console_tap_t *tap);
