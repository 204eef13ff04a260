/* Little-endian bytes in and out, and the arithmetic of sizes: no cast from bytes to a wider type anywhere else. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

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
