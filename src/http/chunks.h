/* The framing of a chunked body (RFC 9112, section 7.1): decoded in bounded steps, and all of it checked. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Zero-initialise for each body. Pure: keeps no pointer into what it was given. */
typedef struct {
    int state;
    int64_t number; /* the size that is being read */
    int64_t size,
        left; /* of the current chunk: its bytes, and those that have not come; the last one has none */
    uint32_t line_len;    /* of the line with a size */
    uint32_t trailer_len; /* in all */
    const char *broken;   /* what is wrong, NULL: nothing so far. Nothing is taken from then on */
    bool ended;           /* the last byte of the body was taken */
} http_chunks_t;

/**
 * Takes framing, up to the next bytes of data, the end of the body, what is broken, or the end of `raw`.
 * @param data_len  how many bytes of data follow at raw + the result; they count as taken
 * @return bytes of framing
 */
size_t http_chunks_take(http_chunks_t *chunks, const char *raw, size_t len, size_t *data_len);
