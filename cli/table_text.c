/* Text in, lines out: what Python's text reading does to a CSV file before anybody parses it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "table_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "otter/text.h"
#include "clean_text.h"

static bool is_character(uint32_t c)
{
    return c != 0 && c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
}

static void append_utf8(text_buffer_t *buf, uint32_t c)
{
    char out[4];
    if (c < 0x80) {
        out[0] = (char)c;
        text_append(buf, out, 1);
        return;
    }
    size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(lead[more] | c >> 6 * more);
    for (size_t i = 1; i <= more; i++) {
        out[i] = (char)(0x80 | (c >> 6 * (more - i) & 0x3F));
    }
    text_append(buf, out, more + 1);
}

/** A unit of UTF-16 or UTF-32. */
static uint32_t get_unit(const uint8_t *p, size_t width, bool big_endian)
{
    uint32_t unit = 0;
    for (size_t i = 0; i < width; i++) {
        unit = unit << 8 | p[big_endian ? i : width - 1 - i];
    }
    return unit;
}

/** One character of UTF-16 or UTF-32. @return bytes used, 0 if these are not that */
static size_t next_wide(const uint8_t *p, size_t len, size_t width, bool big_endian, uint32_t *c)
{
    if (len < width) {
        return 0;
    }
    *c = get_unit(p, width, big_endian);
    if (width == 2 && *c >= 0xD800 && *c <= 0xDBFF && len >= 4) {
        uint32_t low = get_unit(p + 2, 2, big_endian);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            *c = 0x10000 + ((*c & 0x3FF) << 10 | (low & 0x3FF));
            return 4;
        }
    }
    return width;
}

/* UTF-32 first: its little-endian mark begins with that of UTF-16. */
static const struct encoding {
    const char *name;
    uint8_t mark[4];
    size_t mark_len, width;
    bool big_endian;
} encodings[] = {
    {"UTF-32", {0xFF, 0xFE, 0, 0}, 4, 4, false}, {"UTF-32", {0, 0, 0xFE, 0xFF}, 4, 4, true},
    {"UTF-16", {0xFF, 0xFE}, 2, 2, false},       {"UTF-16", {0xFE, 0xFF}, 2, 2, true},
    {"UTF-8", {0xEF, 0xBB, 0xBF}, 3, 1, false},  {"UTF-8", {0}, 0, 1, false},
};

static const struct encoding *find_encoding(const uint8_t *data, size_t len)
{
    const struct encoding *e = encodings;
    while (e->mark_len > len || memcmp(data, e->mark, e->mark_len) != 0) {
        e++; /* the last has no mark and always fits */
    }
    return e;
}

char *table_text_decode(const uint8_t *data, size_t len, otter_fault_t *fault)
{
    const struct encoding *e = find_encoding(data, len);
    text_buffer_t out = {0};
    unsigned line = 1;
    text_append(&out, "", 0);
    for (size_t at = e->mark_len; !out.failed && at < len;) {
        uint32_t c = 0;
        size_t used = e->width == 1 ? utf8_decode(data + at, len - at, &c)
                                    : next_wide(data + at, len - at, e->width, e->big_endian, &c);
        if (used == 0 || !is_character(c)) {
            otter_fault(fault, ESP_FAIL, "line %u is not %s text: save the file as UTF-8", line, e->name);
            free(out.text);
            return NULL;
        }
        line += c == '\n';
        append_utf8(&out, c);
        at += used;
    }
    if (out.failed) {
        otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
        free(out.text);
        return NULL;
    }
    return out.text;
}

/** Length of the line end at p, 0 if there is none: the ones Python's splitlines() knows. */
static size_t line_end(const char *p)
{
    static const char *const ends[] = {"\r\n", "\n",   "\r",       "\v",           "\f",          "\x1c",
                                       "\x1d", "\x1e", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t len = strlen(ends[i]);
        if (strncmp(p, ends[i], len) == 0) {
            return len;
        }
    }
    return 0;
}

char *table_text_line(char **rest)
{
    char *line = *rest;
    if (*line == '\0') {
        return NULL;
    }
    char *end = line;
    size_t end_len = 0;
    while (*end != '\0' && (end_len = line_end(end)) == 0) {
        end++;
    }
    *rest = end + end_len;
    *end = '\0';
    return line;
}

/* No-break and ideographic space come with text copied from web pages. */
static const char *const spaces[] = {" ",    "\t",   "\n",   "\v",       "\f",       "\r",          "\x1c",
                                     "\x1d", "\x1e", "\x1f", "\xc2\x85", "\xc2\xa0", "\xe3\x80\x80"};

/** Bytes of white space that `text` of `len` bytes starts (or ends) with. */
static size_t space_at(const char *text, size_t len, bool at_end)
{
    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        size_t n = strlen(spaces[i]);
        if (n <= len && memcmp(at_end ? text + len - n : text, spaces[i], n) == 0) {
            return n;
        }
    }
    return 0;
}

char *table_text_strip(char *text)
{
    size_t len = strlen(text), n;
    while ((n = space_at(text, len, false)) > 0) {
        text += n;
        len -= n;
    }
    while ((n = space_at(text, len, true)) > 0) {
        len -= n;
    }
    text[len] = '\0';
    return text;
}

/** The variable that `p` (at a '$') names. @return bytes of the whole reference, 0 if it is none */
static size_t find_variable(const char *p, const char **name, size_t *name_len)
{
    if (p[1] == '{') {
        const char *close = strchr(p, '}');
        *name = p + 2;
        *name_len = close != NULL ? (size_t)(close - *name) : 0;
        return close != NULL ? (size_t)(close - p) + 1 : 0;
    }
    *name = p + 1;
    *name_len = 0;
    while (isalnum((unsigned char)p[1 + *name_len]) || p[1 + *name_len] == '_') {
        (*name_len)++;
    }
    return *name_len > 0 ? *name_len + 1 : 0;
}

static const char *value_of(const char *name, size_t name_len)
{
    char *key = strndup(name, name_len);
    const char *value = key != NULL ? getenv(key) : NULL;
    free(key);
    return value;
}

char *table_text_expand(const char *line)
{
    text_buffer_t out = {0};
    text_append(&out, "", 0);
    while (!out.failed && *line != '\0') {
        const char *name, *value = NULL;
        size_t name_len, used = *line == '$' ? find_variable(line, &name, &name_len) : 0;
        if (used > 0) {
            value = value_of(name, name_len);
        }
        used = used > 0 ? used : 1;
        text_append(&out, value != NULL ? value : line, value != NULL ? strlen(value) : used);
        line += used;
    }
    if (out.failed) {
        free(out.text);
        return NULL;
    }
    return out.text;
}
