/* Hexadecimal digits, alone and as %XX in a URL. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

static inline int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    int lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/** The byte that "%XX" stands for. @param escape  at the '%', in a terminated text. @return -1: these are no two digits */
static inline int hex_escaped(const char *escape)
{
    int high = hex_digit(escape[1]);
    int low = high < 0 ? -1 : hex_digit(escape[2]);
    return low < 0 ? -1 : high << 4 | low;
}
