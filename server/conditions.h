/* What the conditional and Range fields of a request mean for one file (RFC 9110, 13 and 14): bytes in, status out. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "otter/promise.h"

#define HTTP_DATE_SIZE 30 /* "Sun, 06 Nov 1994 08:49:37 GMT" with its NUL */
#define ETAG_SIZE      72

/** What a file is known by while it is served. */
typedef struct {
    uint64_t size;        /* bytes */
    time_t modified;      /* seconds since 1970: what Last-Modified says */
    char etag[ETAG_SIZE]; /* strong, with its quotes */
} entity_t;

typedef struct {
    uint64_t first; /* offset of the first byte */
    uint64_t len;   /* bytes; first + len never goes past the end of the file */
} byte_range_t;

/** The fields of one request, collected by conditions_add(); zero it first. Strings belong to the request. */
typedef struct {
    bool has_if_match, if_match_hit;
    bool has_if_none_match, if_none_match_hit;
    const char *if_modified_since, *if_unmodified_since;
    const char *if_range, *range;
    unsigned range_count;
} conditions_t;

/** Notes one header field if it is one that counts here; others are passed over. Lists may come in several fields. */
void conditions_add(conditions_t *conditions, const entity_t *entity, const char *name, const char *value);

/**
 * The verdict on a GET or HEAD.
 * @param is_get  a Range counts for GET only (RFC 9110, 14.2)
 * @param range   receives what to send for 200 (the whole file) and 206; else untouched
 * @return 200, 206, 304, 412 or 416
 */
unsigned conditions_decide(const conditions_t *conditions, const entity_t *entity, bool is_get,
                           byte_range_t *range);

/** @return 200 (no such unit, malformed or several ranges: send all), 206 (range is set) or 416 (nothing of it is there) */
unsigned range_parse(const char *field, uint64_t size, byte_range_t *range);

/** One of the three forms of RFC 9110, 5.6.7. False if it is none; then *when is untouched. */
OTTER_MUST_CHECK bool http_date_parse(const char *text, time_t *when);

/** "" for a time that has no such form (after the year 9999). */
void http_date_format(time_t when, char out[HTTP_DATE_SIZE]);
