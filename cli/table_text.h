/* The text of a partition table file: any of its encodings to UTF-8, lines, white space, environment variables. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otter/fault.h"
#include "otter/promise.h"

/**
 * Convert to UTF-8 without byte order mark. A mark selects UTF-8, UTF-16 or UTF-32; without one the text is UTF-8.
 * @param fault  what is wrong when NULL is returned: not a text, or out of memory
 * @return malloc'ed and 0-terminated; no other byte of it is 0. The caller frees.
 */
OTTER_MUST_CHECK char *table_text_decode(const uint8_t *data, size_t len, otter_fault_t *fault);

/** Cuts the first line off `*rest` and ends it with 0. @return NULL when nothing is left */
char *table_text_line(char **rest);

/** Moves past white space at the start and cuts it from the end. @return the new start */
char *table_text_strip(char *text);

/**
 * Replaces $NAME and ${NAME} by the environment's value; an unknown variable stays as it is.
 * @return malloc'ed; NULL when out of memory
 */
OTTER_MUST_CHECK char *table_text_expand(const char *line);
