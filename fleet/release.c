/* Headers, descriptor, checksum and SHA-256 around noise that the version is the seed of (FORMATS.md section 5). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/release.h"

#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "otter/crypto.h"
#include "otter/image.h"
#include "otter/text.h"

#define DATA_AT   (OTTER_IMAGE_HEADER_SIZE + OTTER_IMAGE_SEGMENT_SIZE)
#define LOAD_ADDR 0x3C000020u /* where the chip maps constants */
#define ENTRY     0x40380000u
#define CHECKSUM  0xEFu /* of nothing */

static void put_headers(uint8_t *image, uint32_t segment)
{
    static const uint8_t start[] = {ESP_IMAGE_HEADER_MAGIC, 1, 2}; /* one segment, DIO */
    memcpy(image, start, sizeof(start));
    le32_put(image + 4, ENTRY);
    image[8] = 0xEE; /* no pin for write protection */
    le16_put(image + 12, FLEET_CHIP);
    le16_put(image + 17, 99 * 100); /* up to any revision */
    image[23] = 1;                  /* a hash follows */
    le32_put(image + 24, LOAD_ADDR);
    le32_put(image + 28, segment);
}

static void put_descriptor(uint8_t *descriptor, const char *version)
{
    memset(descriptor, 0, OTTER_IMAGE_DESC_SIZE);
    le32_put(descriptor, ESP_APP_DESC_MAGIC_WORD);
    text_format((char *)descriptor + 16, 32, "%s", version);
    text_format((char *)descriptor + 48, 32, "fleet");
}

bool fleet_release_make(fleet_release_t *release, const char *version, uint32_t size)
{
    const uint32_t segment =
        (size - DATA_AT - 16 - OTTER_IMAGE_HASH_LEN) / 16 * 16 + 12; /* the checksum's row */
    const uint32_t sum_at = DATA_AT + segment + 3;
    uint8_t *image = calloc(1, sum_at + 1 + OTTER_IMAGE_HASH_LEN), sum = CHECKSUM;
    *release = (fleet_release_t){.version = version, .part = "os", .name = "app.bin", .bytes = image};
    if (image == NULL) {
        return false;
    }
    put_headers(image, segment);
    uint32_t noise = crc32_le(0, version, strlen(version));
    for (uint32_t i = OTTER_IMAGE_DESC_SIZE; i < segment; i++) {
        noise = noise * 1664525u + 1013904223u;
        image[DATA_AT + i] = (uint8_t)(noise >> 24);
    }
    put_descriptor(image + DATA_AT, version);
    for (uint32_t i = 0; i < segment; i++) {
        sum ^= image[DATA_AT + i];
    }
    image[sum_at] = sum;
    otter_digest_t sha = {0};
    const bool hashed = otter_sha256_begin(&sha);
    if (hashed) {
        otter_digest_update(&sha, image, sum_at + 1);
        otter_digest_finish(&sha, image + sum_at + 1);
    }
    otter_digest_end(&sha);
    release->size = sum_at + 1 + OTTER_IMAGE_HASH_LEN;
    return hashed && fleet_release_hash(release);
}

void fleet_release_free(fleet_release_t *release)
{
    free((void *)(uintptr_t)release->bytes);
    release->bytes = NULL;
}
