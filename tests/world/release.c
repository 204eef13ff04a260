/* Releases: real app images of any length, written here byte by byte and not by the code under test. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/le.h"
#include "otter/crypto.h"
#include "world.h"

#define HEADER_LEN  32u /* image header and the first segment's */
#define SEGMENT_MIN 1024u
#define LEN_MAX     (WORLD_SLOT_SIZE - WORLD_SECTOR) /* the slot's last sector holds the resume record */

static void put_header(uint8_t *bytes, uint16_t chip, uint32_t segment)
{
    static const uint8_t header[HEADER_LEN] = {0xE9, 1, 2,    0x20, 0x00, 0x00, 0x08, 0x40, 0xEE, 0, 0,
                                               0,    0, 0,    0,    0,    0,    0x8F, 0x01, 0,    0, 0,
                                               0,    1, 0x20, 0,    0x40, 0x3F, 0,    0,    0,    0};
    memcpy(bytes, header, sizeof(header));
    le16_put(bytes + 12, chip);
    le32_put(bytes + 28, segment);
}

static void put_descriptor(uint8_t *data, unsigned number, uint32_t secure_version)
{
    static const uint8_t magic[4] = {0x32, 0x54, 0xCD, 0xAB};
    memset(data, 0, 256);
    memcpy(data, magic, sizeof(magic));
    le32_put(data + 4, secure_version);
    snprintf((char *)data + 16, 32, "%u.0.0", number);
    snprintf((char *)data + 48, 32, "world");
}

static bool put_sums(uint8_t *bytes, uint32_t segment)
{
    uint8_t checksum = 0xEF, *end = bytes + HEADER_LEN + segment;
    for (const uint8_t *p = bytes + HEADER_LEN; p < end; p++) {
        checksum ^= *p;
    }
    while ((size_t)(end - bytes) % 16 != 15) {
        *end++ = 0;
    }
    *end++ = checksum;
    otter_sha256_t *sha = otter_sha256_new();
    if (sha == NULL) {
        return false;
    }
    otter_sha256_update(sha, bytes, (size_t)(end - bytes));
    otter_sha256_finish(sha, end);
    otter_sha256_free(sha);
    return true;
}

uint8_t release_key(uint32_t at)
{
    return (uint8_t)(at * 31 + at / 256 * 7 + 0xA5);
}

static bool encrypt(release_t *release)
{
    release->cipher_len = WORLD_CIPHER_HEAD + release->len;
    release->cipher = malloc(release->cipher_len);
    if (release->cipher == NULL) {
        return false;
    }
    memset(release->cipher, 0xC1, WORLD_CIPHER_HEAD);
    for (uint32_t i = 0; i < release->len; i++) {
        release->cipher[WORLD_CIPHER_HEAD + i] = release->bytes[i] ^ release_key(i);
    }
    return true;
}

bool release_make(release_t *release, chance_t *chance, unsigned number, uint32_t secure_version)
{
    uint32_t room = (LEN_MAX - HEADER_LEN - 16 - OTTER_SHA256_LEN - SEGMENT_MIN) / 4;
    /* Mostly small: a life of many updates is worth more than long ones. */
    uint32_t segment = SEGMENT_MIN + 4 * (chance_percent(chance, 20) ? chance_below(chance, room)
                                                                     : chance_below(chance, 4096));
    release->secure_version = secure_version;
    release->healthy = true;
    release->len = (HEADER_LEN + segment) / 16 * 16 + 16 + OTTER_SHA256_LEN;
    release->bytes = malloc(release->len);
    if (release->bytes == NULL) {
        return false;
    }
    put_header(release->bytes, release->foreign ? WORLD_OTHER_CHIP : WORLD_CHIP, segment);
    put_descriptor(release->bytes + HEADER_LEN, number, secure_version);
    for (uint32_t i = 256; i < segment; i += 4) {
        le32_put(release->bytes + HEADER_LEN + i,
                 chance_percent(chance, 5) ? UINT32_MAX : chance_next(chance));
    }
    snprintf(release->etag, sizeof(release->etag), "\"r%u-%08x\"", number, (unsigned)chance_next(chance));
    snprintf(release->date, sizeof(release->date), "Mon, 0%u Jun 2026 10:00:00 GMT", number % 9 + 1);
    return put_sums(release->bytes, segment) && encrypt(release);
}

void release_free(release_t *release)
{
    free(release->bytes);
    free(release->cipher);
    release->bytes = release->cipher = NULL;
}
