/* The distance of words, a row of the table at a time. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "host/slips.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t slips_between(const char *typed, const char *name)
{
    size_t len = strnlen(name, SLIPS_NAME_MAX);
    size_t before[SLIPS_NAME_MAX + 1] = {0}, last[SLIPS_NAME_MAX + 1], now[SLIPS_NAME_MAX + 1];
    for (size_t j = 0; j <= len; j++) {
        last[j] = j;
    }
    for (size_t i = 1; typed[i - 1] != '\0'; i++) {
        now[0] = i;
        for (size_t j = 1; j <= len; j++) {
            now[j] = least(last[j - 1] + (typed[i - 1] != name[j - 1]), least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && typed[i - 1] == name[j - 2] && typed[i - 2] == name[j - 1]) {
                now[j] = least(now[j], before[j - 2] + 1);
            }
        }
        memcpy(before, last, sizeof(before));
        memcpy(last, now, sizeof(last));
    }
    return last[len];
}
