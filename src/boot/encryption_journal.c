/* Journal of a first boot that encrypts: the format is in the header. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/encryption_journal.h"

#include <string.h>

#include "otter/bytes.h"

enum {
    AT_AT = 4,
    AT_SECTOR = 8,
    AT_BATCH = 12,
    AT_COUNT = 16,
    AT_RANGES = 20,
    AT_CRC = 40,
    RANGE_SIZE = 12,
    AT_NUMBER = 4,
    AT_PLAN_CRC = 8,
    AT_DIGEST = 12,
    AT_HEAD_CRC = 44
};

static const uint8_t plan_magic[4] = {'O', 'T', 'E', '1'}, head_magic[4] = {'O', 'T', 'E', 'B'};

_Static_assert(ENCRYPTION_SEAL + OTTER_FLASH_CIPHER_BLOCK == AT_CRC, "the CRC follows the seal");
_Static_assert(AT_CRC + 4 == ENCRYPTION_PLAN_HEAD, "the ranges follow the CRC");
_Static_assert(AT_DIGEST + OTTER_SHA256_LEN == AT_HEAD_CRC, "the CRC follows the digest");

bool encryption_plan_has_magic(const uint8_t raw[4])
{
    return memcmp(raw, plan_magic, sizeof(plan_magic)) == 0;
}

static uint32_t plan_len(uint32_t range_count)
{
    return ENCRYPTION_PLAN_HEAD + RANGE_SIZE * range_count;
}

static uint32_t plan_crc(const uint8_t *raw, uint32_t len)
{
    return crc32_le(crc32_le(0, raw, AT_CRC), raw + ENCRYPTION_PLAN_HEAD, len - ENCRYPTION_PLAN_HEAD);
}

uint32_t encryption_plan_encode(encryption_plan_t *plan, uint8_t raw[ENCRYPTION_PLAN_MAX])
{
    const uint32_t len = plan_len(plan->range_count);
    OTTER_ASSERT(plan->range_count <= ENCRYPTION_RANGES_MAX);
    memcpy(raw, plan_magic, sizeof(plan_magic));
    le32_put(raw + AT_AT, plan->at);
    le32_put(raw + AT_SECTOR, plan->sector);
    le32_put(raw + AT_BATCH, plan->batch);
    le32_put(raw + AT_COUNT, plan->crypt_count);
    le32_put(raw + AT_RANGES, plan->range_count);
    memcpy(raw + ENCRYPTION_SEAL, plan->seal, sizeof(plan->seal));
    for (uint32_t i = 0; i < plan->range_count; i++) {
        uint8_t *range = raw + plan_len(i);
        le32_put(range, plan->ranges[i].offset);
        le32_put(range + 4, plan->ranges[i].len);
        le32_put(range + 8, plan->ranges[i].row);
    }
    plan->crc = plan_crc(raw, len);
    le32_put(raw + AT_CRC, plan->crc);
    return len;
}

/** Whole sectors of a flash that a device can have, and none of them taken yet. */
static bool range_is_sound(const encryption_plan_t *plan, uint32_t index)
{
    const encryption_range_t *range = &plan->ranges[index];
    bool sound =
        range->len != 0 && ((range->offset | range->len) & (plan->sector - 1)) == 0 &&
        range_fits(range->offset, range->len, OTTER_FLASH_SIZE_MAX) &&
        !ranges_overlap(range->offset, range->len, plan->at, encryption_plan_sectors(plan) * plan->sector);
    for (uint32_t i = 0; i < index; i++) {
        sound =
            sound && !ranges_overlap(range->offset, range->len, plan->ranges[i].offset, plan->ranges[i].len);
    }
    return sound;
}

static bool plan_is_sound(const encryption_plan_t *plan)
{
    const uint32_t sector = plan->sector;
    bool sound = sector != 0 && (sector & (sector - 1)) == 0 && sector <= OTTER_FLASH_ERASE_MAX &&
                 plan->batch != 0 && plan->batch <= ENCRYPTION_BATCH_MAX && plan->range_count != 0 &&
                 (plan->at & (sector - 1)) == 0 &&
                 range_fits(plan->at, encryption_plan_sectors(plan) * sector, OTTER_FLASH_SIZE_MAX);
    for (uint32_t i = 0; sound && i < plan->range_count; i++) {
        sound = range_is_sound(plan, i);
    }
    return sound;
}

bool encryption_plan_decode(const uint8_t *raw, uint32_t size, encryption_plan_t *out)
{
    if (size < ENCRYPTION_PLAN_HEAD || !encryption_plan_has_magic(raw)) {
        return false;
    }
    out->range_count = le32_get(raw + AT_RANGES);
    if (out->range_count > ENCRYPTION_RANGES_MAX || plan_len(out->range_count) > size ||
        le32_get(raw + AT_CRC) != plan_crc(raw, plan_len(out->range_count))) {
        return false;
    }
    out->at = le32_get(raw + AT_AT);
    out->sector = le32_get(raw + AT_SECTOR);
    out->batch = le32_get(raw + AT_BATCH);
    out->crypt_count = le32_get(raw + AT_COUNT);
    out->crc = le32_get(raw + AT_CRC);
    memcpy(out->seal, raw + ENCRYPTION_SEAL, sizeof(out->seal));
    for (uint32_t i = 0; i < out->range_count; i++) {
        const uint8_t *range = raw + plan_len(i);
        out->ranges[i] = (encryption_range_t){
            .offset = le32_get(range), .len = le32_get(range + 4), .row = le32_get(range + 8)};
    }
    return plan_is_sound(out);
}

bool encryption_plan_digest(const uint8_t *raw, uint32_t len, uint8_t digest[OTTER_SHA256_LEN])
{
    otter_digest_t sha = {0};
    bool ok = otter_sha256_begin(&sha);
    if (ok) {
        otter_digest_update(&sha, raw, ENCRYPTION_SEAL);
        otter_digest_update(&sha, raw + ENCRYPTION_PLAN_HEAD, len - ENCRYPTION_PLAN_HEAD);
        otter_digest_finish(&sha, digest);
    }
    otter_digest_end(&sha);
    return ok;
}

uint32_t encryption_plan_sectors(const encryption_plan_t *plan)
{
    return 1 + 2 * (plan->batch + 1);
}

static uint32_t batches_of(const encryption_plan_t *plan, const encryption_range_t *range)
{
    const uint32_t sectors = range->len / plan->sector;
    return sectors / plan->batch + (sectors % plan->batch != 0 ? 1 : 0);
}

uint32_t encryption_plan_batches(const encryption_plan_t *plan)
{
    uint32_t all = 0;
    for (uint32_t i = 0; i < plan->range_count; i++) {
        all += batches_of(plan, &plan->ranges[i]);
    }
    return all;
}

encryption_range_t encryption_plan_batch(const encryption_plan_t *plan, uint32_t number)
{
    const uint32_t size = plan->batch * plan->sector;
    uint32_t i = 0;
    while (number >= batches_of(plan, &plan->ranges[i])) {
        number -= batches_of(plan, &plan->ranges[i]);
        i++;
        OTTER_ASSERT(i < plan->range_count);
    }
    const encryption_range_t *range = &plan->ranges[i];
    return (encryption_range_t){.offset = range->offset + number * size,
                                .len = min_u32(size, range->len - number * size),
                                .row = range->row};
}

uint32_t encryption_plan_slot(const encryption_plan_t *plan, uint32_t number)
{
    return plan->at + plan->sector * (1 + number % 2 * (plan->batch + 1));
}

uint32_t encryption_plan_head(const encryption_plan_t *plan, uint32_t number)
{
    return encryption_plan_slot(plan, number) + plan->batch * plan->sector;
}

void encryption_head_encode(const encryption_head_t *head, uint8_t raw[ENCRYPTION_HEAD_SIZE])
{
    memcpy(raw, head_magic, sizeof(head_magic));
    le32_put(raw + AT_NUMBER, head->number);
    le32_put(raw + AT_PLAN_CRC, head->plan_crc);
    memcpy(raw + AT_DIGEST, head->digest, OTTER_SHA256_LEN);
    le32_put(raw + AT_HEAD_CRC, crc32_le(0, raw, AT_HEAD_CRC));
}

bool encryption_head_decode(const uint8_t raw[ENCRYPTION_HEAD_SIZE], encryption_head_t *out)
{
    *out = (encryption_head_t){.number = le32_get(raw + AT_NUMBER), .plan_crc = le32_get(raw + AT_PLAN_CRC)};
    memcpy(out->digest, raw + AT_DIGEST, OTTER_SHA256_LEN);
    return memcmp(raw, head_magic, sizeof(head_magic)) == 0 &&
           le32_get(raw + AT_HEAD_CRC) == crc32_le(0, raw, AT_HEAD_CRC);
}
