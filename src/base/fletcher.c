/* Fletcher's checksum over words of four bytes, with sums of 64 bits that do not wrap around in a unit of any flash. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fletcher.h"

#include <stdbool.h>
#include <string.h>

#include "otter/bytes.h"

#define WORD 4u

/* Two words of four bytes in each half, the first of them in the low bits. */
typedef uint64_t pair_t __attribute__((vector_size(16)));

static bool is_little_endian(void)
{
    const uint32_t one = 1;
    uint8_t first;
    memcpy(&first, &one, 1);
    return first == 1;
}

/**
 * Words of which each fourth goes into a sum of its own, so that none waits for another. A word that is in a fourth's sum of sums
 * k times is 4 k times in the one of all, less one for each word that stood before it in its four. The even words are summed up
 * together with the odd ones above them, and are what is left without these.
 */
static void take_fours(fletcher_t *s, const uint8_t *p, size_t fours)
{
    pair_t both = {0}, odd = {0}, boths = {0}, odds = {0};
    for (size_t i = 0; i < fours; i++, p += 4 * WORD) {
        pair_t word;
        memcpy(&word, p, sizeof(word));
        both += word;
        odd += word >> 32;
        boths += both;
        odds += odd;
    }
    const pair_t even = both - (odd << 32), evens = boths - (odds << 32);
    const uint64_t sum[] = {even[0], odd[0], even[1], odd[1]};
    const uint64_t sums[] = {evens[0], odds[0], evens[1], odds[1]};
    s->sum_of_sums += 4 * fours * s->sum;
    for (size_t i = 0; i < 4; i++) {
        s->sum += sum[i];
        s->sum_of_sums += 4 * sums[i] - i * sum[i];
    }
}

static void take_words(fletcher_t *s, const uint8_t *p, size_t count)
{
    if (is_little_endian()) {
        take_fours(s, p, count / 4);
        p += count / 4 * 4 * WORD;
        count %= 4;
    }
    for (; count > 0; count--, p += WORD) {
        s->sum += le32_get(p);
        s->sum_of_sums += s->sum;
    }
}

void fletcher_add(fletcher_t *s, const void *data, size_t len)
{
    const uint8_t *p = data;
    for (; s->waiting > 0 && s->waiting < WORD && len > 0; p++, len--) {
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
