/* Searches over whole flashes: sector by sector, for what begins one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "flash_search.h"

#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "otter/partition_table.h"

#define SECTOR       0x1000u
#define TABLES_REACH OTTER_FLASH_SIZE_MAX /* a table that was moved may name more flash than there is */
#define ERASED_TAIL  16u /* so many erased bytes end a sector of an image only where a write was cut */

/* ---- what kind of bytes ---- */

/** Bytes of the sectors that are not erased, counted by value. */
typedef struct {
    uint32_t of_value[256], total;
} histogram_t;

static void count_sector(histogram_t *h, const uint8_t *bytes, uint32_t len)
{
    if (bytes_are_erased(bytes, len)) {
        return;
    }
    for (uint32_t i = 0; i < len; i++) {
        h->of_value[bytes[i]]++;
    }
    h->total += len;
}

/**
 * Chi-square over the 256 byte values: 255 on average for random bytes, and above 400 once in millions of times; programs,
 * texts and tables have thousands.
 */
static bool is_noise(const histogram_t *h)
{
    double expected = h->total / 256.0, sum = 0;
    for (int i = 0; i < 256; i++) {
        double off = h->of_value[i] - expected;
        sum += off * off / expected;
    }
    return h->total >= SECTOR / 2 && sum < 400;
}

static flash_content_t content_of(const histogram_t *h)
{
    return h->total == 0                ? FLASH_ERASED
           : h->of_value[0] == h->total ? FLASH_ZERO
           : is_noise(h)                ? FLASH_NOISE
                                        : FLASH_DATA;
}

flash_content_t flash_content(otter_flash_t *flash, uint32_t off, uint32_t len)
{
    histogram_t h = {0};
    uint8_t sector[SECTOR];
    for (uint32_t done = 0; done < len; done += SECTOR) {
        const uint32_t n = min_u32(len - done, SECTOR);
        if (otter_flash_read(flash, off + done, sector, n) != ESP_OK) {
            return FLASH_DATA;
        }
        count_sector(&h, sector, n);
    }
    return content_of(&h);
}

flash_content_t flash_content_of(const uint8_t *bytes, uint32_t len)
{
    histogram_t h = {0};
    for (uint32_t done = 0; done < len; done += SECTOR) {
        count_sector(&h, bytes + done, min_u32(len - done, SECTOR));
    }
    return content_of(&h);
}

/* ---- tables ---- */

/** How many partitions a table at `at` has; 0: there is none. */
static uint32_t rows_at(otter_flash_t *flash, uint32_t at, uint32_t end)
{
    uint8_t raw[OTTER_PARTITION_TABLE_LEN];
    uint32_t count;
    memset(raw, 0xFF, sizeof(raw));
    bool table = otter_flash_read(flash, at, raw, min_u32(end - at, sizeof(raw))) == ESP_OK &&
                 otter_partition_record_kind(raw) == OTTER_PARTITION_RECORD_ENTRY &&
                 otter_partition_table_verify(raw, TABLES_REACH, &count, NULL) == ESP_OK;
    return table ? count : 0;
}

bool flash_find_table(otter_flash_t *flash, uint32_t from, uint32_t end, uint32_t *offset)
{
    end = min_u32(end, flash->size);
    for (uint32_t at = from; at < end; at += SECTOR) {
        if (rows_at(flash, at, end) > 0) {
            *offset = at;
            return true;
        }
    }
    return false;
}

bool flash_find_table_anywhere(otter_flash_t *flash, uint32_t end, uint32_t *offset)
{
    enum { ROWS_MIN = 2, LOOK = 8 }; /* rows of what is no accident; bytes up to a row's offset in flash */
    uint8_t bytes[SECTOR + LOOK - 1];
    end = min_u32(end, flash->size);
    for (uint32_t start = 0; start < end; start += SECTOR) {
        uint32_t len = min_u32(end - start, sizeof(bytes));
        if (otter_flash_read(flash, start, bytes, len) != ESP_OK) {
            return false;
        }
        for (uint32_t i = 0; i + LOOK <= len; i++) {
            bool row = bytes[i] == 0xAA && bytes[i + 1] == 0x50 && le32_get(bytes + i + 4) % SECTOR == 0;
            if (row && rows_at(flash, start + i, end) >= ROWS_MIN) {
                *offset = start + i;
                return true;
            }
        }
    }
    return false;
}

/* ---- images ---- */

/** Nothing else begins like this, but for one sector in millions. */
static bool header_is_plausible(const uint8_t raw[OTTER_IMAGE_GATE_SIZE])
{
    esp_image_header_t header;
    otter_image_decode_header(raw, &header);
    return header.magic == ESP_IMAGE_HEADER_MAGIC && header.segment_count > 0 &&
           header.segment_count <= ESP_IMAGE_MAX_SEGMENTS &&
           header.spi_mode <= ESP_IMAGE_SPI_MODE_SLOW_READ && otter_chip_facts(header.chip_id) != NULL;
}

/** Judges what begins at `at`. @return true if it is an image */
static bool is_image(otter_flash_t *flash, uint32_t at, uint32_t end, flash_image_t *image)
{
    uint8_t raw[OTTER_IMAGE_GATE_SIZE];
    if (end - at < sizeof(raw) || otter_flash_read(flash, at, raw, sizeof(raw)) != ESP_OK ||
        !header_is_plausible(raw)) {
        return false;
    }
    const otter_image_rules_t rules = {.flash_offset = at, .size = end - at, .loading = true};
    otter_image_stream_t s = {0};
    image->offset = at;
    image->verdict = otter_image_stream_from_flash(&s, flash, &rules);
    image->info = s.info;
    memcpy(image->why, s.fault.why, sizeof(image->why));
    otter_image_stream_end(&s);
    return image->verdict == ESP_OK || image->info.has_desc || image->info.has_bootloader_desc;
}

bool flash_find_image(otter_flash_t *flash, uint32_t from, uint32_t end, flash_image_t *image)
{
    end = min_u32(end, flash->size);
    for (uint32_t at = align_up_u32(from, SECTOR); at < end; at += SECTOR) {
        if (is_image(flash, at, end, image)) {
            return true;
        }
    }
    return false;
}

/** Bytes before the first sector's end that is erased, from `start` on; 0: there is no such sector before `len`. */
static uint32_t find_erased_tail(otter_flash_t *flash, uint32_t start, uint32_t len)
{
    uint8_t sector[SECTOR];
    for (uint32_t done = 0; len - done >= SECTOR; done += SECTOR) {
        if (otter_flash_read(flash, start + done, sector, SECTOR) != ESP_OK) {
            return 0;
        }
        uint32_t used = SECTOR;
        while (used > 0 && sector[used - 1] == 0xFF) {
            used--;
        }
        if (SECTOR - used >= ERASED_TAIL) {
            return done + used;
        }
    }
    return 0;
}

uint32_t flash_image_broken_off(otter_flash_t *flash, const otter_image_stream_t *image, uint32_t limit)
{
    const otter_image_info_t *info = &image->info;
    uint32_t start = image->rules.flash_offset;
    if (image->verdict != ESP_ERR_IMAGE_INVALID || !info->header_seen ||
        info->header.magic != ESP_IMAGE_HEADER_MAGIC || limit <= start) {
        return 0;
    }
    uint32_t cut = find_erased_tail(flash, start, min_u32(limit - start, image->rules.size));
    /* An image that ends there itself, or whose fault lies before it, is broken in another way. */
    uint32_t ends = info->image_len != 0      ? info->image_len - min_u32(info->image_len, ERASED_TAIL)
                    : info->segments_seen > 0 ? info->segment_data[info->segments_seen - 1]
                                              : OTTER_IMAGE_HEADER_SIZE;
    return cut < ends ? cut : 0;
}
