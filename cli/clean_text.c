/* UTF-8, checked byte by byte. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "clean_text.h"

#include <stdbool.h>
#include <string.h>

size_t utf8_decode(const uint8_t *p, size_t len, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] >= 0xF8 || (p[0] >= 0x80 && p[0] < 0xC0) || n > len) {
        return 0;
    }
    *code = n == 1 ? p[0] : p[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
        *code = *code << 6 | (p[i] & 0x3F);
    }
    bool surrogate = *code >= 0xD800 && *code < 0xE000;
    return *code < least[n] || *code > 0x10FFFF || surrogate ? 0 : n;
}

static bool is_harmless(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } bad[] = {
        {0x00, 0x1F},     {0x7F, 0x9F},     {0x200B, 0x200F}, /* controls, invisible marks */
        {0x2028, 0x202E}, {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, /* line ends, direction */
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (code >= bad[i].first && code <= bad[i].last) {
            return false;
        }
    }
    return true;
}

char *clean_text(char *dst, const char *raw, size_t len)
{
    char *out = dst;
    const uint8_t *p = (const uint8_t *)raw;
    while (len > 0 && *p != 0) {
        uint32_t code = 0;
        size_t n = utf8_decode(p, len, &code);
        if (n > 0 && is_harmless(code)) {
            memcpy(out, p, n);
            out += n;
        } else {
            memcpy(out, "\xEF\xBF\xBD", 3);
            out += 3;
            n = n > 0 ? n : 1;
        }
        p += n;
        len -= n;
    }
    *out = '\0';
    return dst;
}

/** Columns of a terminal: East Asian characters and pictures take two, marks that stand on the letter before none. */
static int columns_of(uint32_t code)
{
    static const struct {
        uint32_t first, last;
        int columns;
    } rows[] = {
        {0x0300, 0x036F, 0},   {0x0483, 0x0489, 0},   {0x0591, 0x05BD, 0},   {0x064B, 0x065F, 0},
        {0x1100, 0x115F, 2},   {0x1AB0, 0x1AFF, 0},   {0x1DC0, 0x1DFF, 0},   {0x20D0, 0x20FF, 0},
        {0x2E80, 0x303E, 2},   {0x3041, 0x33FF, 2},   {0x3400, 0x4DBF, 2},   {0x4E00, 0xA4CF, 2},
        {0xA960, 0xA97C, 2},   {0xAC00, 0xD7A3, 2},   {0xF900, 0xFAFF, 2},   {0xFE00, 0xFE0F, 0},
        {0xFE20, 0xFE2F, 0},   {0xFE30, 0xFE6F, 2},   {0xFF01, 0xFF60, 2},   {0xFFE0, 0xFFE6, 2},
        {0x1F300, 0x1F64F, 2}, {0x1F680, 0x1F6FF, 2}, {0x1F900, 0x1F9FF, 2}, {0x20000, 0x3FFFD, 2},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (code >= rows[i].first && code <= rows[i].last) {
            return rows[i].columns;
        }
    }
    return 1;
}

int clean_width(const char *text, int columns)
{
    const uint8_t *p = (const uint8_t *)text;
    uint32_t code = 0;
    for (size_t n, left = strlen(text); left > 0 && (n = utf8_decode(p, left, &code)) > 0;
         left -= n, p += n) {
        columns += (int)n - columns_of(code);
    }
    return columns;
}
