/* The C library's stdlib.h, with what newlib, the C library of chips, has beside it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include_next <stdlib.h>

#ifndef OTTER_NEWLIB_STDLIB_H
#define OTTER_NEWLIB_STDLIB_H

#ifdef __cplusplus
extern "C" {
#endif

/* A number as text. @param base  2 to 36. @return text; NULL, and an empty one: another base */
char *itoa(int value, char *text, int base); /* with a sign where base is 10 */
char *utoa(unsigned value, char *text, int base);

#ifdef __cplusplus
}
#endif
#endif
