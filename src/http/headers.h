/* An ordered list of HTTP header fields; names compare without case. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "esp_err.h"
#include "otter/promise.h"

typedef struct {
    char *key;   /* key and value share one allocation, which starts here */
    char *value; /* without surrounding blanks */
} http_header_t;

/** Zero-initialise. Items move when the list changes; their strings stay until replaced or removed. */
typedef struct {
    http_header_t *items;
    size_t count, capacity;
} http_headers_t;

/**
 * Add at the end, even if the name is there already. Both strings are copied, blanks around them dropped.
 * @return ESP_OK; ESP_ERR_INVALID_ARG: empty name, a character that names cannot have, or a control character in the value
 *         (a line break would start another header); ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t http_headers_append(http_headers_t *list, const char *key, const char *value);

/** Replace the value in place, or append. Results as http_headers_append(); the list is unchanged after an error. */
OTTER_MUST_CHECK esp_err_t http_headers_set(http_headers_t *list, const char *key, const char *value);

/** @return the first value of that name, the list's own; NULL if absent */
char *http_headers_get(const http_headers_t *list, const char *key);

/** Removes every one of that name. @return ESP_OK, ESP_ERR_NOT_FOUND */
esp_err_t http_headers_remove(http_headers_t *list, const char *key);

/** Empties the list and frees it. */
void http_headers_clear(http_headers_t *list);

/** What a field name may be made of. */
bool http_is_name_char(char c);

/** Equal without case (ASCII). */
bool http_name_equal(const char *a, const char *b);
