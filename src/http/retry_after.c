/* Seconds as they are, and the three forms of an HTTP date (RFC 9110, 5.6.7). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "http/retry_after.h"

#include <stddef.h>
#include <string.h>

#define DATE_PARTS    6
#define DATE_SEPARATE " ,-"

typedef struct {
    const char *text;
    size_t len;
} part_t;

/** Digits and nothing else, stopping at UINT32_MAX. */
static bool take_digits(const char *text, size_t len, uint32_t *value)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        sum = sum * 10 + (uint64_t)(text[i] - '0');
        sum = sum < UINT32_MAX ? sum : UINT32_MAX;
    }
    if (len > 0) {
        *value = (uint32_t)sum;
    }
    return len > 0;
}

static bool take_in_range(part_t part, uint32_t max, uint32_t *value)
{
    return take_digits(part.text, part.len, value) && *value <= max;
}

/** 1 to 12 */
static bool take_month(part_t part, uint32_t *month)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (*month = 1; *month <= 12; ++*month) {
        if (part.len == 3 && memcmp(part.text, names + (size_t)(*month - 1) * 3, 3) == 0) {
            return true;
        }
    }
    return false;
}

/** "08:49:37" */
static bool take_time(part_t part, uint32_t *second)
{
    uint32_t h, m, s;
    if (part.len != 8 || part.text[2] != ':' || part.text[5] != ':' ||
        !take_in_range((part_t){part.text, 2}, 23, &h) ||
        !take_in_range((part_t){part.text + 3, 2}, 59, &m) ||
        !take_in_range((part_t){part.text + 6, 2}, 60, &s)) {
        return false;
    }
    *second = (h * 60 + m) * 60 + s;
    return true;
}

/** Two digits mean the years from 1970 to 2069. */
static bool take_year(part_t part, uint32_t *year)
{
    if ((part.len != 2 && part.len != 4) || !take_in_range(part, 9999, year)) {
        return false;
    }
    *year += part.len == 4 ? 0 : *year < 70 ? 2000 : 1900;
    return true;
}

/** Days since 1 March of the year 0, in a calendar whose years begin in March: a leap day then ends a year. */
static int64_t day_number(uint32_t year, uint32_t month, uint32_t day)
{
    int64_t y = (int64_t)year - (month < 3);
    int64_t m = month < 3 ? month + 9 : month - 3;
    return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day;
}

/** Seconds from some day on, the same for every date. */
static bool parse_date(const char *text, int64_t *when)
{
    part_t parts[DATE_PARTS + 1];
    size_t count = 0;
    for (text += strspn(text, DATE_SEPARATE); *text != '\0'; text += strspn(text, DATE_SEPARATE)) {
        if (count > DATE_PARTS) {
            return false;
        }
        parts[count] = (part_t){text, strcspn(text, DATE_SEPARATE)};
        text += parts[count++].len;
    }
    /* "Sun, 06 Nov 1994 08:49:37 GMT" and "Sunday, 06-Nov-94 08:49:37 GMT"; "Sun Nov  6 08:49:37 1994" */
    static const struct {
        uint8_t day, month, year, time;
    } forms[] = {{1, 2, 3, 4}, {2, 1, 4, 3}};
    bool gmt = count == 6 && parts[5].len == 3 && memcmp(parts[5].text, "GMT", 3) == 0;
    if (!gmt && count != 5) {
        return false;
    }
    uint32_t year, month, day, second;
    if (!take_in_range(parts[forms[!gmt].day], 31, &day) || !take_month(parts[forms[!gmt].month], &month) ||
        !take_year(parts[forms[!gmt].year], &year) || !take_time(parts[forms[!gmt].time], &second)) {
        return false;
    }
    *when = day_number(year, month, day) * 86400 + second;
    return true;
}

bool retry_after_seconds(const char *field, const char *date, uint32_t *seconds)
{
    int64_t then, now;
    if (field == NULL) {
        return false;
    }
    if (take_digits(field, strlen(field), seconds)) {
        return true;
    }
    if (date == NULL || !parse_date(field, &then) || !parse_date(date, &now)) {
        return false;
    }
    int64_t wait = then > now ? then - now : 0;
    *seconds = wait < UINT32_MAX ? (uint32_t)wait : UINT32_MAX;
    return true;
}
