/* The framing of a chunked body (RFC 9112, section 7.1): decoded in bounded steps, and all of it checked. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "http/chunks.h"

#include "otter/bytes.h"
#include "http/headers.h"

#define LINE_MAX_LEN    65536u /* of a size with its extensions, which nobody needs to read */
#define TRAILER_MAX_LEN 65536u

typedef enum {
    SIZE_BEGIN, /* no digit yet */
    SIZE,
    SIZE_BLANK, /* blanks behind the size: some servers pad it */
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_BEGIN, /* of a line: the last chunk has come */
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    END_LF,
} chunk_state_t;

static bool is_text(char c)
{
    return c == '\t' || ((unsigned char)c >= ' ' && c != 0x7F);
}

/** The state after a byte that may follow the digits of a size; -1: it does not belong there. */
static int after_digits(char c)
{
    return c == '\r' ? SIZE_LF : c == ';' ? EXTENSION : c == ' ' || c == '\t' ? SIZE_BLANK : -1;
}

static int after_digit(http_chunks_t *chunks, int digit)
{
    if (chunks->number > INT64_MAX >> 4) {
        return -1;
    }
    chunks->number = chunks->number << 4 | digit;
    return SIZE;
}

/** The state after a byte of the line with a chunk's size; -1: it does not belong there. */
static int after_size_byte(http_chunks_t *chunks, char c)
{
    int digit = hex_digit(c);
    if (++chunks->line_len > LINE_MAX_LEN) {
        return -1;
    }
    switch ((chunk_state_t)chunks->state) {
    case SIZE_BEGIN:
        return digit >= 0 ? after_digit(chunks, digit) : -1;
    case SIZE:
        return digit >= 0 ? after_digit(chunks, digit) : after_digits(c);
    case SIZE_BLANK:
        return after_digits(c);
    case EXTENSION:
        return c == '\r' ? SIZE_LF : is_text(c) ? EXTENSION : -1;
    default:
        if (c != '\n') {
            return -1;
        }
        chunks->size = chunks->left = chunks->number;
        chunks->number = chunks->line_len = 0;
        return chunks->size > 0 ? DATA : TRAILER_BEGIN;
    }
}

/** The state after a byte behind a chunk's data; -1: it does not belong there. */
static int after_end_byte(const http_chunks_t *chunks, char c)
{
    if (chunks->state == DATA_CR) {
        return c == '\r' ? DATA_LF : -1;
    }
    return c == '\n' ? SIZE_BEGIN : -1;
}

/** The state after a byte of the trailer; -1: it does not belong there. */
static int after_trailer_byte(http_chunks_t *chunks, char c)
{
    if (++chunks->trailer_len > TRAILER_MAX_LEN) {
        return -1;
    }
    switch ((chunk_state_t)chunks->state) {
    case TRAILER_BEGIN:
        return c == '\r' ? END_LF : http_is_name_char(c) ? TRAILER_NAME : -1;
    case TRAILER_NAME:
        return c == ':' ? TRAILER_VALUE : http_is_name_char(c) ? TRAILER_NAME : -1;
    case TRAILER_VALUE:
        return c == '\r' ? TRAILER_LF : is_text(c) ? TRAILER_VALUE : -1;
    default:
        return c == '\n' ? TRAILER_BEGIN : -1;
    }
}

/** A byte that is no data. */
static void take_byte(http_chunks_t *chunks, char c)
{
    const char *wrong = NULL;
    int next = END_LF;
    if (chunks->state < DATA) {
        next = after_size_byte(chunks, c);
        wrong = "a chunk's size is no number, or too long";
    } else if (chunks->state < TRAILER_BEGIN) {
        next = after_end_byte(chunks, c);
        wrong = "a chunk does not end where its size says";
    } else if (chunks->state < END_LF) {
        next = after_trailer_byte(chunks, c);
        wrong = "what follows the last chunk is no trailer, or too long";
    } else if (c == '\n') {
        chunks->ended = true;
    } else {
        next = -1;
        wrong = "the chunked body does not end in an empty line";
    }
    chunks->state = next;
    chunks->broken = next < 0 ? wrong : NULL;
}

size_t http_chunks_take(http_chunks_t *chunks, const char *raw, size_t len, size_t *data_len)
{
    size_t used = 0;
    *data_len = 0;
    while (used < len && chunks->state != DATA && !chunks->ended && chunks->broken == NULL) {
        take_byte(chunks, raw[used++]);
    }
    if (chunks->state == DATA) {
        *data_len = (uint64_t)chunks->left < len - used ? (size_t)chunks->left : len - used;
        chunks->left -= (int64_t)*data_len;
        chunks->state = chunks->left > 0 ? DATA : DATA_CR;
    }
    return used;
}
