/* A second opinion on HTTP/1 responses (RFC 9112): line by line over everything the server said. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"

typedef struct {
    const uint8_t *bytes;
    size_t len, pos;
} reader_t;

/** The next line without its end, which is a line feed, in a body with a carriage return before it. False: it does not end so. */
static bool next_line(reader_t *r, bool in_body, char *line, size_t room)
{
    size_t n = 0;
    bool after_cr = false;
    for (; r->pos < r->len; r->pos++) {
        uint8_t c = r->bytes[r->pos];
        if (c == '\n') {
            line[n - (after_cr ? 1 : 0)] = '\0';
            r->pos++;
            return after_cr || !in_body;
        }
        if (after_cr) {
            return false;
        }
        after_cr = c == '\r';
        if (n + 1 < room) {
            line[n++] = (char)c;
        }
    }
    return false;
}

/** A blank line ends a head. */
static bool take_blank_line(reader_t *r)
{
    size_t cr = r->pos < r->len && r->bytes[r->pos] == '\r' ? 1 : 0;
    if (r->pos + cr >= r->len || r->bytes[r->pos + cr] != '\n') {
        return false;
    }
    r->pos += cr + 1;
    return true;
}

/** Cuts blanks off both ends. */
static char *strip(char *text)
{
    text += strspn(text, " \t");
    size_t n = strlen(text);
    while (n > 0 && strchr(" \t", text[n - 1]) != NULL) {
        text[--n] = '\0';
    }
    return text;
}

/** All decimal digits, or -1. */
static int64_t decimal(const char *text)
{
    int64_t value = 0;
    if (*text == '\0') {
        return -1;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || value > INT64_MAX / 10 - 1) {
            return -1;
        }
        value = value * 10 + (*text - '0');
    }
    return value;
}

typedef struct {
    int status;
    int lengths, codings; /* how many such fields */
    int64_t length;
    bool chunked;
} head_t;

static void take_field(head_t *head, char *line)
{
    char *colon = strchr(line, ':');
    if (colon == NULL) {
        return;
    }
    *colon = '\0';
    char *name = line, *value = strip(colon + 1);
    if (strcasecmp(name, "Content-Length") == 0) {
        head->lengths++;
        head->length = decimal(value);
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        head->codings++;
        head->chunked = strcasecmp(value, "chunked") == 0;
    }
}

#define LINE_SIZE 70000 /* longer than any head that is accepted */

/** Status line and fields. A line that begins with a blank goes on with the field before it. */
static bool read_head(reader_t *r, head_t *head)
{
    static char line[LINE_SIZE], field[2 * LINE_SIZE];
    *head = (head_t){.length = -1};
    while (r->pos < r->len && strchr("\r\n", r->bytes[r->pos]) != NULL) {
        r->pos++; /* blank lines before a response do no harm */
    }
    if (!next_line(r, false, line, sizeof(line)) || strncmp(line, "HTTP/1.", 7) != 0) {
        return false;
    }
    char *blank = strchr(line, ' ');
    head->status = blank != NULL ? (int)strtol(blank, NULL, 10) : -1;
    field[0] = '\0';
    while (!take_blank_line(r)) {
        if (!next_line(r, false, line, sizeof(line))) {
            return false;
        }
        if ((line[0] == ' ' || line[0] == '\t') && strlen(field) < LINE_SIZE) {
            memcpy(field + strlen(field), line, strlen(line) + 1);
            continue;
        }
        take_field(head, field);
        memcpy(field, line, strlen(line) + 1);
    }
    take_field(head, field);
    return true;
}

static bool add_body(reader_t *r, size_t len, reference_http_t *out)
{
    size_t n = len < r->len - r->pos ? len : r->len - r->pos;
    memcpy(out->body + out->body_len, r->bytes + r->pos, n);
    out->body_len += n;
    r->pos += n;
    return n == len;
}

static bool read_trailer(reader_t *r, char *line, size_t room)
{
    do {
        if (!next_line(r, true, line, room)) {
            return false;
        }
    } while (line[0] != '\0');
    return true;
}

/** Hexadecimal digits, then blanks, then nothing or an extension. */
static bool chunk_size(const char *line, uint64_t *size)
{
    size_t digits = strspn(line, "0123456789abcdefABCDEF");
    size_t blanks = strspn(line + digits, " \t");
    size_t zeros = strspn(line, "0");
    char end = line[digits + blanks];
    *size = strtoull(line, NULL, 16);
    return digits > 0 && (end == '\0' || end == ';') && (digits <= zeros || digits - zeros <= 16) &&
           *size <= INT64_MAX;
}

/** Chunks up to the last one, and the trailer behind it. */
static bool read_chunks(reader_t *r, reference_http_t *out)
{
    static char line[LINE_SIZE];
    while (next_line(r, true, line, sizeof(line))) {
        uint64_t size;
        if (!chunk_size(line, &size)) {
            return false;
        }
        if (size == 0) {
            return read_trailer(r, line, sizeof(line));
        }
        if (!add_body(r, size, out) || !next_line(r, true, line, sizeof(line)) || line[0] != '\0') {
            return false;
        }
    }
    return false;
}

void reference_http(const uint8_t *bytes, size_t len, bool to_head, bool closed, reference_http_t *out)
{
    reader_t r = {bytes, len, 0};
    head_t head;
    *out = (reference_http_t){.body = malloc(len + 1)};
    FUZZ_CHECK(out->body != NULL, "no memory");
    do {
        if (!read_head(&r, &head)) {
            return;
        }
    } while (head.status / 100 == 1);
    out->status = head.status;
    if (head.codings > 1 || (head.codings == 1 && !head.chunked) || head.lengths > 1 ||
        (head.lengths == 1 && (head.codings > 0 || head.length < 0))) {
        return; /* two readers could read two bodies: nobody should read any */
    }
    if (to_head || head.status == 204 || head.status == 304) {
        out->complete = true;
    } else if (head.chunked) {
        out->complete = read_chunks(&r, out);
    } else if (head.lengths == 1) {
        out->complete = add_body(&r, (size_t)head.length, out);
    } else {
        out->complete = add_body(&r, r.len - r.pos, out) && closed;
    }
}
