/* What the conditional and Range fields of a request mean for one file (RFC 9110, 13 and 14). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "conditions.h"

#include <string.h>
#include <strings.h>

bool http_date_parse(const char *text, time_t *when)
{
    static const char *const forms[] = {
        "%a, %d %b %Y %H:%M:%S GMT", /* the one to send */
        "%A, %d-%b-%y %H:%M:%S GMT", /* RFC 850 */
        "%a %b %d %H:%M:%S %Y",      /* asctime() */
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct tm tm = {0};
        const char *end = strptime(text, forms[i], &tm);
        if (end != NULL && *end == '\0') {
            *when = timegm(&tm);
            return true;
        }
    }
    return false;
}

void http_date_format(time_t when, char out[HTTP_DATE_SIZE])
{
    struct tm tm;
    /* The program never calls setlocale(): the names are English. */
    if (gmtime_r(&when, &tm) == NULL ||
        strftime(out, HTTP_DATE_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &tm) == 0) {
        out[0] = '\0';
    }
}

/** One element of a list of entity tags, as `*`, "tag" or W/"tag". A weak one matches only where that is enough. */
static bool tag_matches(const char *tag, size_t len, const char *etag, bool weak_is_enough)
{
    if (len == 1 && tag[0] == '*') {
        return true;
    }
    if (len >= 2 && tag[0] == 'W' && tag[1] == '/') {
        if (!weak_is_enough) {
            return false;
        }
        tag += 2;
        len -= 2;
    }
    return len == strlen(etag) && memcmp(tag, etag, len) == 0;
}

/** Our own tags hold no comma, so an element with one inside its quotes, cut in two here, matches in no part. */
static bool list_matches(const char *list, const char *etag, bool weak_is_enough)
{
    for (;;) {
        list += strspn(list, ", \t");
        if (*list == '\0') {
            return false;
        }
        size_t len = strcspn(list, ",");
        size_t used = len;
        while (used > 0 && (list[used - 1] == ' ' || list[used - 1] == '\t')) {
            used--;
        }
        if (tag_matches(list, used, etag, weak_is_enough)) {
            return true;
        }
        list += len;
    }
}

void conditions_add(conditions_t *conditions, const entity_t *entity, const char *name, const char *value)
{
    if (value == NULL) {
        return;
    }
    if (strcasecmp(name, "If-Match") == 0) {
        conditions->has_if_match = true;
        conditions->if_match_hit |= list_matches(value, entity->etag, false);
    } else if (strcasecmp(name, "If-None-Match") == 0) {
        conditions->has_if_none_match = true;
        conditions->if_none_match_hit |= list_matches(value, entity->etag, true);
    } else if (strcasecmp(name, "If-Modified-Since") == 0) {
        conditions->if_modified_since = value;
    } else if (strcasecmp(name, "If-Unmodified-Since") == 0) {
        conditions->if_unmodified_since = value;
    } else if (strcasecmp(name, "If-Range") == 0) {
        conditions->if_range = value;
    } else if (strcasecmp(name, "Range") == 0) {
        conditions->range = value;
        conditions->range_count++;
    }
}

/** Digits to a number that stops at UINT64_MAX, which lies past every file. @return behind them; NULL: no digit */
static const char *parse_offset(const char *text, uint64_t *offset)
{
    const char *p = text;
    *offset = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        *offset = *offset > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *offset * 10 + digit;
    }
    return p == text ? NULL : p;
}

static bool ends_here(const char *text)
{
    return text != NULL && text[strspn(text, " \t")] == '\0';
}

/** "-n": the last n bytes. */
static unsigned parse_suffix(const char *text, uint64_t size, byte_range_t *range)
{
    uint64_t len;
    if (!ends_here(parse_offset(text, &len))) {
        return 200;
    }
    if (len == 0) {
        return 416;
    }
    if (size == 0) {
        return 200; /* the last bytes of nothing: there is no Content-Range to say so, but all of it is right */
    }
    range->len = len < size ? len : size;
    range->first = size - range->len;
    return 206;
}

unsigned range_parse(const char *field, uint64_t size, byte_range_t *range)
{
    if (strncasecmp(field, "bytes=", 6) != 0) {
        return 200;
    }
    const char *p = field + 6 + strspn(field + 6, " \t");
    if (*p == '-') {
        return parse_suffix(p + 1, size, range);
    }
    uint64_t first;
    uint64_t last = UINT64_MAX;
    p = parse_offset(p, &first);
    if (p == NULL || *p != '-') {
        return 200;
    }
    p++;
    if (!ends_here(p) && !ends_here(parse_offset(p, &last))) {
        return 200;
    }
    if (last < first) {
        return 200;
    }
    if (first >= size) {
        return 416;
    }
    range->first = first;
    range->len = (last < size - 1 ? last : size - 1) - first + 1;
    return 206;
}

/** If-Range: the range is wanted only of the very same file. A date counts by equality, as the client got it from us. */
static bool is_same_file(const char *if_range, const entity_t *entity)
{
    time_t when;
    if (http_date_parse(if_range, &when)) {
        return when == entity->modified;
    }
    return strcmp(if_range, entity->etag) == 0;
}

/** The order of RFC 9110, 13.2.2. */
static bool is_precondition_failed(const conditions_t *c, const entity_t *entity)
{
    time_t when;
    if (c->has_if_match) {
        return !c->if_match_hit;
    }
    return c->if_unmodified_since != NULL && http_date_parse(c->if_unmodified_since, &when) &&
           entity->modified > when;
}

static bool is_not_modified(const conditions_t *c, const entity_t *entity)
{
    time_t when;
    if (c->has_if_none_match) {
        return c->if_none_match_hit;
    }
    return c->if_modified_since != NULL && http_date_parse(c->if_modified_since, &when) &&
           entity->modified <= when;
}

unsigned conditions_decide(const conditions_t *conditions, const entity_t *entity, bool is_get,
                           byte_range_t *range)
{
    if (is_precondition_failed(conditions, entity)) {
        return 412;
    }
    if (is_not_modified(conditions, entity)) {
        return 304;
    }
    unsigned status = 200;
    byte_range_t wanted = {0, entity->size};
    bool wants_range = is_get && conditions->range_count == 1;
    if (wants_range && (conditions->if_range == NULL || is_same_file(conditions->if_range, entity))) {
        status = range_parse(conditions->range, entity->size, &wanted);
    }
    if (status != 416) {
        *range = wanted;
    }
    return status;
}
