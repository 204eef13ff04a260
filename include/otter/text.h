/* Texts that are never cut in silence: one says "..." where its room ends, or takes as much room as it needs. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "otter/promise.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * As snprintf, but a text that does not fit ends in "...".
 * @param size  bytes of `buf`, at least 4
 */
void text_format(char *buf, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
void text_vformat(char *buf, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/** Ends a text that fills `size` bytes of `buf` in "...", never inside of a character. */
void text_cut(char *buf, size_t size);

/**
 * The whole text, in `buf` if it fits there. One that finds no memory is cut as text_format() does.
 * @param size  bytes of `buf`, at least 4
 * @param len   receives the text's bytes
 * @return `buf`, or a block; text_free() knows which
 */
char *text_format_whole(char *buf, size_t size, size_t *len, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
char *text_vformat_whole(char *buf, size_t size, size_t *len, const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));

/** A copy, for free(). @return NULL: no memory, or `text` is NULL */
OTTER_MUST_CHECK char *text_copy(const char *text);

/** Frees what a text_..._whole() returned, unless it is `buf`. */
void text_free(char *text, const char *buf);

/** A text that grows, always terminated. Begins as zeros; free(text) at the end. */
typedef struct {
    char *text; /* NULL: nothing was put in yet, or there was no memory at all */
    size_t len, size;
    bool failed; /* memory ran out: nothing more is put in */
} text_buffer_t;

void text_append(text_buffer_t *to, const char *piece, size_t len);

#ifdef __cplusplus
}
#endif
