/*
 * Where the bytes of a file are: Content-Range and Retry-After as the client reads them, Range, conditions and dates as the
 * server does. Input: size of the file, lines: Content-Range, Range, If-Range, If-Match, a date.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conditions.h"
#include "fuzz.h"
#include "http/content_range.h"
#include "http/retry_after.h"

#define LARGEST_REFERENCE UINT64_C(1000000000000000000) /* numbers above it all count as one */

/** Digits up to `end`, as a decimal that fits; leading zeros count for nothing. */
static bool take_digits(const char **p, uint64_t *value)
{
    const char *start = *p;
    size_t digits = strspn(start, "0123456789");
    *p += digits;
    size_t zeros = strspn(start, "0");
    *value = 0;
    if (digits == 0 || (digits > zeros && digits - zeros > 18)) {
        *value = UINT64_MAX; /* beyond every file */
        return digits > 0;
    }
    *value = strtoull(start, NULL, 10);
    return true;
}

/** RFC 9110, 14.4: "bytes 0-9/10", "bytes 0-9/" and a star, or "bytes ", a star and "/10". */
static bool reference_content_range(const char *text, content_range_t *range)
{
    uint64_t all = UINT64_MAX;
    const char *p = text + 6;
    if (strncasecmp(text, "bytes ", 6) != 0) {
        return false;
    }
    range->satisfied = strncmp(p, "*/", 2) != 0;
    if (!range->satisfied) {
        p += 2;
        bool digits = take_digits(&p, &all);
        range->total = (int64_t)all;
        return digits && *p == '\0' && all != UINT64_MAX;
    }
    if (!take_digits(&p, &range->first) || *p++ != '-' || !take_digits(&p, &range->last) || *p++ != '/') {
        return false;
    }
    bool known = *p != '*';
    if (known ? !take_digits(&p, &all) : *p++ != '*') {
        return false;
    }
    range->total = known ? (int64_t)all : -1;
    return *p == '\0' && range->last != UINT64_MAX && range->first <= range->last &&
           (!known || (all != UINT64_MAX && range->last < all));
}

static void check_content_range(const char *text)
{
    content_range_t range = {0}, other = {0};
    bool ok = content_range_parse(text, &range);
    bool want = reference_content_range(text, &other);
    const uint64_t first = range.first;
    const int64_t total = range.total;
    /* The reference stops at 10^18; a number above it may be taken, but then it is within bounds all the same. */
    if (ok && want) {
        FUZZ_CHECK(first == other.first && range.last == other.last && total == other.total &&
                       range.satisfied == other.satisfied,
                   "%s: %" PRIu64 " of %" PRId64, text, first, total);
    }
    FUZZ_CHECK(!want || ok, "refused: %s", text);
    FUZZ_CHECK(!ok || want || strlen(text) > 6 + 18, "accepted: %s", text);
    FUZZ_CHECK(!ok || !range.satisfied ||
                   (first <= range.last && (total == -1 || range.last < (uint64_t)total)),
               "%s: %" PRIu64 " of %" PRId64, text, first, total);
    FUZZ_CHECK(!ok || range.satisfied || total >= 0, "%s: no bytes of no length", text);
}

/** RFC 9110, 14.1.2: one range of bytes; anything else that is no such range asks for the whole file. */
static unsigned reference_range(const char *text, uint64_t size, byte_range_t *range)
{
    uint64_t first, last = UINT64_MAX;
    if (strncasecmp(text, "bytes=", 6) != 0) {
        return 200;
    }
    const char *p = text + 6 + strspn(text + 6, " \t");
    bool suffix = *p == '-';
    p += suffix;
    if (!take_digits(&p, &first) || (!suffix && *p++ != '-')) {
        return 200;
    }
    if (!suffix && *p >= '0' && *p <= '9') {
        take_digits(&p, &last);
    }
    if (p[strspn(p, " \t")] != '\0' || last < first) {
        return 200;
    }
    if (suffix) {
        range->len = first < size ? first : size;
        range->first = size - range->len;
        return first == 0 ? 416 : size == 0 ? 200 : 206;
    }
    range->first = first;
    range->len = last < size ? last - first + 1 : size - first;
    return first < size ? 206 : 416;
}

static void check_range(const char *text, uint64_t size)
{
    byte_range_t range = {0};
    unsigned status = range_parse(text, size, &range);
    FUZZ_CHECK(status == 200 || status == 206 || status == 416, "status %u", status);
    byte_range_t want = {0};
    if (size <= LARGEST_REFERENCE) { /* beyond it the reference does not tell numbers apart */
        unsigned want_status = reference_range(text, size, &want);
        bool huge = strlen(text) > 6 + 18; /* a number that the reference took for another, by order only */
        FUZZ_CHECK(status == want_status || (huge && status != 206), "%u, not %u: %s", status, want_status,
                   text);
        FUZZ_CHECK(status != 206 || (range.first == want.first && range.len == want.len),
                   "%" PRIu64 "+%" PRIu64 ": %s", range.first, range.len, text);
    }
    if (status != 206) {
        return;
    }
    FUZZ_CHECK(range.len > 0 && range.first < size && range.len <= size - range.first,
               "%" PRIu64 "+%" PRIu64 " of %" PRIu64, range.first, range.len, size);
    char again[80];
    byte_range_t second = {0};
    snprintf(again, sizeof(again), "bytes=%" PRIu64 "-%" PRIu64, range.first, range.first + range.len - 1);
    FUZZ_CHECK(range_parse(again, size, &second) == 206 && second.first == range.first &&
                   second.len == range.len,
               "%s", again);
    /* What the server then says, the client understands. */
    content_range_t told;
    if (size <= INT64_MAX) {
        snprintf(again, sizeof(again), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range.first,
                 range.first + range.len - 1, size);
        FUZZ_CHECK(content_range_parse(again, &told) && told.satisfied && told.first == range.first &&
                       told.last == range.first + range.len - 1 && (uint64_t)told.total == size,
                   "%s", again);
    }
}

/** Retry-After of anything: digits are seconds, whatever else is understood needs a date of now. */
static void check_pause(const char *field, const char *now)
{
    uint32_t seconds = 0;
    uint64_t want;
    const char *p = field;
    if (take_digits(&p, &want) && *p == '\0') {
        FUZZ_CHECK(retry_after_seconds(field, now, &seconds) &&
                       seconds == (want < UINT32_MAX ? want : UINT32_MAX),
                   "%s is %u s", field, seconds);
    } else {
        FUZZ_CHECK(!retry_after_seconds(field, NULL, &seconds), "%s: understood without a date", field);
        (void)retry_after_seconds(field, now, &seconds);
    }
}

static void check_date(const char *text)
{
    time_t when, again;
    if (!http_date_parse(text, &when)) {
        return;
    }
    char date[HTTP_DATE_SIZE];
    http_date_format(when, date);
    uint32_t seconds, want = when < UINT32_MAX ? (uint32_t)when : UINT32_MAX;
    FUZZ_CHECK(date[0] == '\0' || when < 0 ||
                   (retry_after_seconds(date, "Thu, 01 Jan 1970 00:00:00 GMT", &seconds) && seconds == want),
               "the client reads %s as another time", date);
    FUZZ_CHECK(date[0] == '\0' || (http_date_parse(date, &again) && again == when), "%s is %s", text, date);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t in = {data, size};
    uint64_t file_size = fuzz_u32(&in);
    file_size = (file_size & 1) != 0 ? file_size << 31 : file_size;
    char *texts[5];
    for (int i = 0; i < 5; i++) {
        texts[i] = fuzz_text(fuzz_until(&in, '\n'));
    }
    check_content_range(texts[0]);
    check_range(texts[1], file_size);
    check_date(texts[4]);
    check_pause(texts[4], texts[2]);

    entity_t entity = {.size = file_size, .modified = 784111777, .etag = "\"tag\""};
    conditions_t conditions = {0};
    conditions_add(&conditions, &entity, "Range", texts[1]);
    conditions_add(&conditions, &entity, "If-Range", texts[2]);
    conditions_add(&conditions, &entity, (file_size & 2) != 0 ? "If-Match" : "If-None-Match", texts[3]);
    conditions_add(&conditions, &entity, (file_size & 4) != 0 ? "If-Modified-Since" : "If-Unmodified-Since",
                   texts[4]);
    byte_range_t range = {0};
    unsigned status = conditions_decide(&conditions, &entity, (file_size & 8) != 0, &range);
    FUZZ_CHECK(status == 200 || status == 206 || status == 304 || status == 412 || status == 416, "status %u",
               status);
    if (status == 200 || status == 206) {
        FUZZ_CHECK(range.first <= file_size && range.len <= file_size - range.first, "beyond the file");
        FUZZ_CHECK(status == 206 || range.len == file_size, "200 with a part of the file");
    }
    for (int i = 0; i < 5; i++) {
        free(texts[i]);
    }
    return 0;
}
