/* The C library's string.h, with what newlib, the C library of chips, has beside it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include_next <string.h>

#ifndef OTTER_NEWLIB_STRING_H
#define OTTER_NEWLIB_STRING_H

#ifdef __cplusplus
extern "C" {
#endif

#if !defined(__GLIBC__) || !__GLIBC_PREREQ(2, 38)
/** Copies as much as fits, and ends it with a 0. @return the length of src: not less than size, where it did not fit */
size_t strlcpy(char *dst, const char *src, size_t size);
/** The same behind what dst has. @return the length of both; size and that of src, where dst has no end within size */
size_t strlcat(char *dst, const char *src, size_t size);
#endif

/** Where needle begins in the first len characters of haystack; NULL: it does not. */
char *strnstr(const char *haystack, const char *needle, size_t len);
/* In place; of ASCII only. */
char *strlwr(char *text);
char *strupr(char *text);

#ifdef __cplusplus
}
#endif
#endif
