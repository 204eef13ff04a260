/* vsnprintf, looked at, and texts that grow. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_cut(char *buf, size_t size)
{
    size_t end = size - 4;
    while (end > 0 && ((unsigned char)buf[end] & 0xC0u) == 0x80u) {
        end--; /* not inside of a character */
    }
    memcpy(buf + end, "...", 4);
}

/** `n` is what vsnprintf said. */
static void mark_cut(char *buf, size_t size, int n)
{
    if (n < 0) {
        buf[0] = '\0'; /* not a text at all */
    } else if ((size_t)n >= size) {
        text_cut(buf, size);
    }
}

void text_vformat(char *buf, size_t size, const char *format, va_list args)
{
    mark_cut(buf, size, vsnprintf(buf, size, format, args));
}

void text_format(char *buf, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_vformat(buf, size, format, args);
    va_end(args);
}

char *text_vformat_whole(char *buf, size_t size, size_t *len, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(buf, size, format, args);
    char *block = n >= 0 && (size_t)n >= size ? malloc((size_t)n + 1) : NULL;
    if (block != NULL) {
        (void)vsnprintf(block, (size_t)n + 1, format, again); /* as long as before */
    } else {
        mark_cut(buf, size, n);
    }
    va_end(again);
    char *text = block != NULL ? block : buf;
    *len = strlen(text);
    return text;
}

char *text_format_whole(char *buf, size_t size, size_t *len, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = text_vformat_whole(buf, size, len, format, args);
    va_end(args);
    return text;
}

char *text_copy(const char *text)
{
    size_t size = text != NULL ? strlen(text) + 1 : 0;
    char *copy = size > 0 ? malloc(size) : NULL;
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

void text_free(char *text, const char *buf)
{
    if (text != buf) {
        free(text);
    }
}

void text_append(text_buffer_t *to, const char *piece, size_t len)
{
    if (!to->failed && len >= to->size - to->len) {
        size_t size = 2 * (to->len + len) + 128;
        char *text = realloc(to->text, size);
        to->failed = text == NULL;
        if (text != NULL) {
            to->text = text;
            to->size = size;
        }
    }
    if (!to->failed) {
        memcpy(to->text + to->len, piece, len);
        to->len += len;
        to->text[to->len] = '\0';
    }
}
