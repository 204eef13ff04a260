/* How far two words are apart, to name what was meant by one that is not known. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#define SLIPS_NAME_MAX 64u /* letters of a name that is known */

/**
 * How many slips make one word of the other: a letter more, less, another, or two neighbours swapped (the distance of Damerau).
 * @param typed  of any length
 * @param name   SLIPS_NAME_MAX letters at most
 */
size_t slips_between(const char *typed, const char *name);
