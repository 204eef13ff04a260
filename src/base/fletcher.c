/* Fletcher's checksum over words of four bytes, with sums of 64 bits that do not wrap around in a unit of any flash. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fletcher.h"

#include <string.h>

#include "base/crc32.h"
#include "base/le.h"

#define WORD 4u

static void take_words(fletcher_t *s, const uint8_t *p, size_t count)
{
    uint64_t sum = s->sum, sums = s->sum_of_sums;
    for (; count >= 4;
         count -= 4, p += 4 * WORD) { /* four of the steps below, that wait for each other once */
        uint64_t a = le32_get(p), b = le32_get(p + WORD), c = le32_get(p + 2 * WORD),
                 d = le32_get(p + 3 * WORD);
        sums += 4 * (sum + a) + 3 * b + 2 * c + d;
        sum += a + b + c + d;
    }
    for (; count > 0; count--, p += WORD) {
        sum += le32_get(p);
        sums += sum;
    }
    s->sum = sum;
    s->sum_of_sums = sums;
}

void fletcher_add(fletcher_t *s, const void *data, size_t len)
{
    const uint8_t *p = data;
    for (; s->waiting > 0 && len > 0; p++, len--) {
        s->rest[s->waiting++] = *p;
        if (s->waiting == WORD) {
            take_words(s, s->rest, 1);
            s->waiting = 0;
        }
    }
    take_words(s, p, len / WORD);
    if (len % WORD > 0) {
        memcpy(s->rest, p + (len - len % WORD), len % WORD);
        s->waiting = len % WORD;
    }
}

uint32_t fletcher_value(const fletcher_t *s)
{
    fletcher_t all = *s;
    if (all.waiting > 0) {
        memset(all.rest + all.waiting, 0, WORD - all.waiting);
        take_words(&all, all.rest, 1);
    }
    uint8_t raw[16];
    le32_put(raw, (uint32_t)all.sum);
    le32_put(raw + 4, (uint32_t)(all.sum >> 32));
    le32_put(raw + 8, (uint32_t)all.sum_of_sums);
    le32_put(raw + 12, (uint32_t)(all.sum_of_sums >> 32));
    return crc32_le(0, raw, sizeof(raw));
}
