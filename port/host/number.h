/* Numbers that people type. Strict: what is no plain number is refused, so that a slip is not taken for another number. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/promise.h"

/** Decimal without leading zeros, or 0x and hexadecimal digits; no sign, no space, nothing behind. Within [min, max]. */
OTTER_MUST_CHECK bool number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *value);

/** The same with an optional K, KB, M, MB, G or GB behind it, in any case: powers of two. */
OTTER_MUST_CHECK bool number_parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *value);

/** A unit behind a number, and what it is worth in what is kept; a list ends with a name of NULL. */
typedef struct {
    const char *name;
    uint32_t factor;
} number_unit_t;

/** Decimal with up to six places, and a unit, with or without a space between: "0.4 ms". What is kept lies within [min, max]. */
OTTER_MUST_CHECK bool number_parse_unit(const char *text, const number_unit_t *units, uint32_t min,
                                        uint32_t max, uint32_t *value);
