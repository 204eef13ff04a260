/* Bytes of formats: little-endian access, arithmetic of sizes, erased bytes, hex digits, CRC-32. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* For tools, ports and otter's own files; no other public header includes it, as its names have no prefix. */

static inline uint16_t le16_get(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t le32_get(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void le16_put(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void le32_put(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

static inline uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static inline uint32_t max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/** `unit` is a power of two; the result of rounding up must fit, so call it on checked sizes only. */
static inline uint32_t align_up_u32(uint32_t v, uint32_t unit)
{
    return (v + (unit - 1)) & ~(unit - 1);
}

static inline uint32_t align_down_u32(uint32_t v, uint32_t unit)
{
    return v & ~(unit - 1);
}

/** [off, off + len) lies inside [0, size), without ever computing off + len. */
static inline bool range_fits(uint32_t off, uint32_t len, uint32_t size)
{
    return off <= size && len <= size - off;
}

/** Two ranges share a byte; ends are never computed, they may not fit 32 bits. */
static inline bool ranges_overlap(uint32_t a, uint32_t a_len, uint32_t b, uint32_t b_len)
{
    return a <= b ? b - a < a_len && b_len > 0 : a - b < b_len && a_len > 0;
}

/** Little endian to big endian, and back. @param to  other memory than from */
static inline void bytes_reverse(uint8_t *to, const uint8_t *from, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        to[i] = from[len - 1 - i];
    }
}

#define ERASED_BYTE 0xFFu

/** Every byte is as erased flash reads; true of no bytes at all. */
static inline bool bytes_are_erased(const void *bytes, size_t len)
{
    const uint8_t *b = (const uint8_t *)bytes;
    return len == 0 || (b[0] == ERASED_BYTE && memcmp(b, b + 1, len - 1) == 0);
}

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

/**
 * esp_rom_crc32_le(seed, data, len), which is zlib's crc32(seed, data, len). Seed 0 is the standard CRC-32; otadata
 * uses seed 0xFFFFFFFF. The result of one call is the seed of the next, for data that comes in pieces.
 */
uint32_t crc32_le(uint32_t seed, const void *data, size_t len);

#ifdef __cplusplus
}
#endif
