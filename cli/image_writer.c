/* App image bytes, in order (FORMATS.md section 5). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "image_writer.h"

#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "otter/crypto.h"

#define CHECKSUM_SEED 0xEF

/** Room for `len` more bytes, zeroed. @return where they are, NULL when memory is or was out */
static uint8_t *extend(image_writer_t *w, size_t len)
{
    if (w->out_of_memory) {
        return NULL;
    }
    if (len > w->room - w->len) {
        size_t room = w->room * 2 > w->len + len ? w->room * 2 : w->len + len;
        uint8_t *bytes = realloc(w->bytes, room);
        if (bytes == NULL) {
            w->out_of_memory = true;
            return NULL;
        }
        w->bytes = bytes;
        w->room = room;
    }
    uint8_t *at = w->bytes + w->len;
    memset(at, 0, len);
    w->len += len;
    return at;
}

void image_writer_begin(image_writer_t *w, const esp_image_header_t *header)
{
    memset(w, 0, sizeof(*w));
    w->checksum = CHECKSUM_SEED;
    uint8_t *p = extend(w, sizeof(*header));
    if (p == NULL) {
        return;
    }
    p[0] = ESP_IMAGE_HEADER_MAGIC;
    p[2] = header->spi_mode;
    p[3] = (uint8_t)(header->spi_speed | header->spi_size << 4);
    le32_put(p + 4, header->entry_addr);
    p[8] = header->wp_pin;
    le16_put(p + 12, header->chip_id);
    p[14] = header->min_chip_rev;
    le16_put(p + 15, header->min_chip_rev_full);
    le16_put(p + 17, header->max_chip_rev_full);
    p[23] = header->hash_appended;
}

void image_writer_segment(image_writer_t *w, uint32_t load_addr, const uint8_t *data, size_t len)
{
    size_t padded = (len + 3) & ~(size_t)3;
    uint8_t *p = extend(w, 8 + padded);
    if (p == NULL) {
        return;
    }
    le32_put(p, load_addr);
    le32_put(p + 4, (uint32_t)padded);
    if (data != NULL) {
        memcpy(p + 8, data, len);
    }
    for (size_t i = 0; i < padded; i++) {
        w->checksum ^= p[8 + i];
    }
    w->segments++;
}

bool image_writer_end(image_writer_t *w)
{
    bool hashed = !w->out_of_memory && w->bytes[23] != 0;
    size_t tail = 16 - w->len % 16;
    uint8_t *p = extend(w, tail);
    if (p == NULL) {
        return false;
    }
    p[tail - 1] = w->checksum;
    w->bytes[1] = (uint8_t)w->segments;
    if (!hashed) {
        return true;
    }
    size_t hashed_len = w->len;
    uint8_t *digest = extend(w, OTTER_SHA256_LEN);
    return digest != NULL && image_sha256(w->bytes, hashed_len, digest);
}

void image_writer_free(image_writer_t *w)
{
    free(w->bytes);
    memset(w, 0, sizeof(*w));
}

bool image_sha256(const uint8_t *data, size_t len, uint8_t digest[32])
{
    otter_digest_t sha = {0};
    bool begun = otter_sha256_begin(&sha);
    if (begun) {
        otter_digest_update(&sha, data, len);
        otter_digest_finish(&sha, digest);
    }
    otter_digest_end(&sha);
    return begun;
}
