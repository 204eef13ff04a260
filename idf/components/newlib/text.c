/* Text as newlib copies, searches and writes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 33 /* of 32 bits to base 2, and its end */

/* Weak: an application may bring its own, as it may beside newlib's. */

#if !defined(__GLIBC__) || !__GLIBC_PREREQ(2, 38)
__attribute__((weak)) size_t strlcpy(char *dst, const char *src, size_t size)
{
    const size_t length = strlen(src);
    if (size > 0) {
        const size_t kept = length < size ? length : size - 1;
        memcpy(dst, src, kept);
        dst[kept] = '\0';
    }
    return length;
}

__attribute__((weak)) size_t strlcat(char *dst, const char *src, size_t size)
{
    const size_t used = strnlen(dst, size);
    return used + (used == size ? strlen(src) : strlcpy(dst + used, src, size - used));
}
#endif

__attribute__((weak)) char *strnstr(const char *haystack, const char *needle, size_t len)
{
    return memmem(haystack, strnlen(haystack, len), needle, strlen(needle));
}

__attribute__((weak)) char *strlwr(char *text)
{
    for (char *at = text; *at != '\0'; at++) {
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
    }
    return text;
}

__attribute__((weak)) char *strupr(char *text)
{
    for (char *at = text; *at != '\0'; at++) {
        *at = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
    }
    return text;
}

__attribute__((weak)) char *utoa(unsigned value, char *text, int base)
{
    char digits[DIGITS_MAX];
    char *at = digits + sizeof(digits) - 1;
    *at = text[0] = '\0';
    if (base < 2 || base > 36) {
        return NULL;
    }
    do {
        *--at = "0123456789abcdefghijklmnopqrstuvwxyz"[value % (unsigned)base];
        value /= (unsigned)base;
    } while (value > 0);
    memcpy(text, at, (size_t)(digits + sizeof(digits) - at));
    return text;
}

__attribute__((weak)) char *itoa(int value, char *text, int base)
{
    if (base != 10 || value >= 0) {
        return utoa((unsigned)value, text, base);
    }
    text[0] = '-';
    (void)utoa(0u - (unsigned)value, text + 1, base);
    return text;
}
