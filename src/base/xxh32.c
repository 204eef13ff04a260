/* XXH32 as its specification has it (xxHash 0.1.1): four lanes over words of four bytes, little endian. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/xxh32.h"

#include <string.h>

#include "base/le.h"

#define PRIME1 0x9E3779B1u
#define PRIME2 0x85EBCA77u
#define PRIME3 0xC2B2AE3Du
#define PRIME4 0x27D4EB2Fu
#define PRIME5 0x165667B1u
#define STRIPE 16u

static uint32_t rotate(uint32_t x, unsigned bits)
{
    return x << bits | x >> (32 - bits);
}

static uint32_t round_of(uint32_t lane, const uint8_t *word)
{
    return rotate(lane + le32_get(word) * PRIME2, 13) * PRIME1;
}

static const uint8_t *take_stripes(uint32_t lanes[4], const uint8_t *p, size_t count)
{
    uint32_t a = lanes[0], b = lanes[1], c = lanes[2], d = lanes[3];
    for (; count > 0; count--, p += STRIPE) {
        a = round_of(a, p);
        b = round_of(b, p + 4);
        c = round_of(c, p + 8);
        d = round_of(d, p + 12);
    }
    lanes[0] = a;
    lanes[1] = b;
    lanes[2] = c;
    lanes[3] = d;
    return p;
}

void xxh32_begin(xxh32_t *sum)
{
    *sum = (xxh32_t){.lanes = {PRIME1 + PRIME2, PRIME2, 0, 0 - PRIME1}};
}

void xxh32_add(xxh32_t *sum, const void *data, size_t len)
{
    const uint8_t *p = data;
    size_t waiting = sum->len % STRIPE, missing = STRIPE - waiting;
    sum->len += (uint32_t)len;
    if (waiting > 0) {
        size_t n = len < missing ? len : missing;
        memcpy(sum->rest + waiting, p, n);
        if (n < missing) {
            return;
        }
        (void)take_stripes(sum->lanes, sum->rest, 1);
        p += n;
        len -= n;
    }
    p = take_stripes(sum->lanes, p, len / STRIPE);
    if (len % STRIPE > 0) {
        memcpy(sum->rest, p, len % STRIPE);
    }
}

uint32_t xxh32_value(const xxh32_t *sum)
{
    const uint32_t *lanes = sum->lanes;
    const uint8_t *p = sum->rest, *end = p + sum->len % STRIPE;
    uint32_t h = sum->len >= STRIPE
                     ? rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18)
                     : PRIME5;
    h += sum->len;
    for (; end - p >= 4; p += 4) {
        h = rotate(h + le32_get(p) * PRIME3, 17) * PRIME4;
    }
    for (; p < end; p++) {
        h = rotate(h + *p * PRIME5, 11) * PRIME1;
    }
    h = (h ^ h >> 15) * PRIME2;
    h = (h ^ h >> 13) * PRIME3;
    return h ^ h >> 16;
}
