/* JSON as it comes in, piece by piece: a reader that keeps nothing but where it is, however long the text. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otter/promise.h"

#define DDI_JSON_DEPTH 16u /* objects and arrays in each other; deeper is refused */

typedef enum {
    DDI_JSON_OBJECT,
    DDI_JSON_OBJECT_END,
    DDI_JSON_ARRAY,
    DDI_JSON_ARRAY_END,
    DDI_JSON_KEY,
    DDI_JSON_STRING,
    DDI_JSON_NUMBER,
    DDI_JSON_TRUE,
    DDI_JSON_FALSE,
    DDI_JSON_NULL,
} ddi_json_kind_t;

/** Who listens. */
typedef struct {
    /**
     * What has come. @param text of a key, a string (decoded, UTF-8) or a number as it stands; else ""
     * @param cut  it was longer than its room: `text` is its beginning
     * @return NULL, or why the text is refused; a literal
     */
    const char *(*on)(void *ctx, ddi_json_kind_t kind, const char *text, bool cut);
    /** Where the key, string or number that begins now goes. @param size receives the bytes there, at least 1 */
    char *(*room)(void *ctx, bool is_key, size_t *size);
    void *ctx;
} ddi_json_listener_t;

/**
 * The reader. Fields are private but for `why` and `offset`. RFC 8259 to the letter; further refused are \u0000, which would end
 * a text early, half surrogate pairs, and bytes that are no UTF-8.
 */
typedef struct {
    const ddi_json_listener_t *listener;
    const char *why; /* what is wrong, a literal; NULL: nothing yet */
    uint32_t offset; /* bytes read, up to the one that is wrong */
    char *text;
    size_t size, len;
    uint16_t objects; /* a bit for each depth: it is an object */
    uint8_t depth, expect, token, step;
    uint8_t more, low, high;  /* bytes that an UTF-8 character still wants, and what the next one may be */
    uint16_t unit, surrogate; /* of UTF-16; unit: also which word it is */
    bool cut, is_key;
} ddi_json_t;

void ddi_json_begin(ddi_json_t *json, const ddi_json_listener_t *listener);

/** The next bytes, in any chunking. @return false: json->why; nothing more is read then */
OTTER_MUST_CHECK bool ddi_json_feed(ddi_json_t *json, const void *data, size_t len);

/** That was all. @return false: it is no whole JSON text */
OTTER_MUST_CHECK bool ddi_json_end(ddi_json_t *json);
