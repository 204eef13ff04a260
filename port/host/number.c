/* One reading of numbers for all options. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "host/number.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 99;
}

/** The number that text begins with. @return what follows it, NULL if there is none or it is too large */
static const char *take_number(const char *text, uint64_t *value)
{
    unsigned base = text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10;
    const char *digits = base == 16 ? text + 2 : text, *p = digits;
    for (*value = 0; digit_value(*p) < base; p++) {
        unsigned digit = digit_value(*p);
        if (*value > (UINT64_MAX - digit) / base) {
            return NULL;
        }
        *value = *value * base + digit;
    }
    /* 010 is eight to some and ten to others. */
    bool ambiguous = base == 10 && p - digits > 1 && digits[0] == '0';
    return p == digits || ambiguous ? NULL : p;
}

bool number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
    uint64_t number;
    const char *end = take_number(text, &number);
    if (end == NULL || *end != '\0' || number < min || number > max) {
        return false;
    }
    *value = number;
    return true;
}

bool number_parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
    static const struct {
        const char *suffix;
        unsigned shift;
    } units[] = {{"", 0}, {"K", 10}, {"KB", 10}, {"M", 20}, {"MB", 20}, {"G", 30}, {"GB", 30}};
    uint64_t number;
    const char *end = take_number(text, &number);
    for (size_t i = 0; end != NULL && i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcasecmp(end, units[i].suffix) == 0) {
            if (number > max >> units[i].shift || number << units[i].shift < min) {
                return false;
            }
            *value = number << units[i].shift;
            return true;
        }
    }
    return false;
}

bool number_parse_unit(const char *text, const number_unit_t *units, uint32_t min, uint32_t max,
                       uint32_t *value)
{
    const uint64_t million = 1000000;
    uint64_t millionths = 0, place = million;
    const char *p = text;
    for (; *p >= '0' && *p <= '9' && millionths <= UINT32_MAX * million; p++) {
        millionths = millionths * 10 + (uint64_t)(*p - '0') * million;
    }
    bool ok = p != text;
    if (*p == '.') {
        for (p++; *p >= '0' && *p <= '9' && place > 1; p++) {
            place /= 10;
            millionths += (uint64_t)(*p - '0') * place;
        }
        ok = ok && place < million;
    }
    p += strspn(p, " \t");
    while (units->name != NULL && strcmp(p, units->name) != 0) {
        units++;
    }
    if (!ok || units->name == NULL || millionths > UINT64_MAX / units->factor) {
        return false;
    }
    const uint64_t found = millionths * units->factor / million;
    *value = (uint32_t)found;
    return found >= min && found <= max;
}
