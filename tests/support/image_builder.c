/* Puts headers, descriptor, checksum and SHA-256 around the bytes of a segment. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/image_builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "otter/crypto.h"

#define HASH_FLAG_AT 23u

/** Offset of the checksum: the last byte of a row of sixteen. */
static uint32_t checksum_at(const image_plan_t *plan)
{
    return (IMAGE_DATA_AT + plan->segment) / 16 * 16 + 15;
}

uint32_t image_len(const image_plan_t *plan)
{
    return checksum_at(plan) + 1 + (plan->hashed ? OTTER_SHA256_LEN : 0);
}

void image_describe(uint8_t *image, const char *project, const char *version, uint32_t secure_version)
{
    uint8_t *descriptor = image + IMAGE_DATA_AT;
    memset(descriptor, 0, IMAGE_DESCRIPTOR);
    le32_put(descriptor, 0xABCD5432u);
    le32_put(descriptor + 4, secure_version);
    snprintf((char *)descriptor + 16, 32, "%s", version);
    snprintf((char *)descriptor + 48, 32, "%s", project);
}

static void put_headers(const image_plan_t *plan, uint8_t *image)
{
    static const uint8_t start[] = {0xE9, 1, 2}; /* magic, one segment, DIO */
    memset(image, 0, IMAGE_DATA_AT);
    memcpy(image, start, sizeof(start));
    image[3] = plan->flash_code;
    le32_put(image + 4, plan->entry);
    image[8] = 0xEE; /* no pin for write protection */
    le16_put(image + 12, plan->chip);
    le16_put(image + 17, plan->max_revision);
    image[HASH_FLAG_AT] = plan->hashed;
    le32_put(image + 24, plan->load_addr);
    le32_put(image + 28, plan->segment);
}

void image_finish(const image_plan_t *plan, uint8_t *image)
{
    const uint32_t end = IMAGE_DATA_AT + plan->segment, sum_at = checksum_at(plan);
    uint8_t sum = 0xEF;
    put_headers(plan, image);
    for (uint32_t i = IMAGE_DATA_AT; i < end; i++) {
        sum ^= image[i];
    }
    memset(image + end, 0, sum_at - end);
    image[sum_at] = sum;
    if (!plan->hashed) {
        return;
    }
    otter_digest_t sha = {0};
    if (!otter_sha256_begin(&sha)) {
        abort();
    }
    otter_digest_update(&sha, image, sum_at + 1);
    otter_digest_finish(&sha, image + sum_at + 1);
    otter_digest_end(&sha);
}

uint32_t image_pack(const uint8_t *bytes, uint32_t len, uint8_t *packed)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < len; i += packed[used - 2]) {
        uint8_t times = 1;
        while (times < 255 && i + times < len && bytes[i + times] == bytes[i]) {
            times++;
        }
        packed[used++] = times;
        packed[used++] = bytes[i];
    }
    return used;
}
