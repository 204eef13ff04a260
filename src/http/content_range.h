/* Content-Range: which bytes of a file an answer has (RFC 9110, 14.4). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    bool satisfied;       /* bytes of the file come; false: the server has none where they were asked for */
    uint64_t first, last; /* of those that come */
    int64_t total;        /* of the file, -1: the server does not know */
} content_range_t;

/**
 * "bytes FIRST-LAST/TOTAL", with an asterisk for what is not known, or an asterisk, a slash and TOTAL where no bytes come.
 * The unit in any case, then one blank; digits only, up to INT64_MAX, and nothing behind them.
 * @param text  NULL: there is no such header
 * @return false if it is anything else, or contradicts itself; nothing is written then
 */
bool content_range_parse(const char *text, content_range_t *range);
