/* Content-Range: the grammar is in the header. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "http/content_range.h"

#include <stddef.h>

/** The unit's name has no case (RFC 9110, 14.1). @return behind "bytes "; NULL: another unit, or there is no text */
static const char *skip_unit(const char *text)
{
    const char *p = text;
    for (const char *u = "bytes "; p != NULL && *u != '\0'; u++, p++) {
        if ((*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p) != *u) {
            return NULL;
        }
    }
    return p;
}

/** @return behind the digits; NULL: there are none, or more than a file can have bytes */
static const char *take_number(const char *text, uint64_t *value)
{
    const char *p = text;
    for (*value = 0; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (*value > ((uint64_t)INT64_MAX - digit) / 10) {
            return NULL;
        }
        *value = *value * 10 + digit;
    }
    return p != text ? p : NULL;
}

bool content_range_parse(const char *text, content_range_t *range)
{
    uint64_t first = 0, last = 0, total = UINT64_MAX;
    const char *p = skip_unit(text);
    if (p == NULL) {
        return false;
    }
    const bool satisfied = *p != '*';
    if (satisfied && ((p = take_number(p, &first)) == NULL || *p++ != '-')) {
        return false;
    }
    p = satisfied ? take_number(p, &last) : p + 1;
    if (p == NULL || *p++ != '/') {
        return false;
    }
    const bool known = !satisfied || *p != '*';
    p = known ? take_number(p, &total) : p + 1;
    if (p == NULL || *p != '\0' || first > last || (satisfied && last >= total)) {
        return false;
    }
    *range = (content_range_t){
        .satisfied = satisfied, .first = first, .last = last, .total = known ? (int64_t)total : -1};
    return true;
}
