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

int clean_width(const char *text, int columns)
{
    for (; *text != '\0'; text++) {
        columns += ((uint8_t)*text & 0xC0) == 0x80; /* not the first byte of its character */
    }
    return columns;
}
