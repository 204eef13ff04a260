/* A second opinion on partition tables (FORMATS.md sections 3.1 and 3.2). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <string.h>

#define RECORDS 96

static bool has_magic(const uint8_t *record, uint8_t a, uint8_t b)
{
    return record[0] == a && record[1] == b;
}

static bool md5_is_right(const uint8_t *raw, int index)
{
    uint8_t digest[16];
    reference_md5(raw, (size_t)index * 32, digest);
    return memcmp(digest, raw + (size_t)index * 32 + 16, 16) == 0;
}

esp_err_t reference_table_verify(const uint8_t *raw, uint32_t flash_size, uint32_t *count)
{
    int md5_records = 0;
    *count = 0;
    for (int i = 0; i < RECORDS; i++) {
        const uint8_t *r = raw + (size_t)i * 32;
        if (has_magic(r, 0xAA, 0x50)) {
            uint64_t end = (uint64_t)reference_le32(r + 4) + reference_le32(r + 8);
            if (end > flash_size) {
                return ESP_ERR_INVALID_SIZE;
            }
        } else if (has_magic(r, 0xEB, 0xEB)) {
            md5_records++;
            if (md5_records > 1 || !md5_is_right(raw, i)) {
                return ESP_ERR_INVALID_STATE;
            }
        } else if (i > 0 && r[0] == 255 && r[1] == 255 && r[2] == 255 && r[3] == 255) {
            *count = (uint32_t)(i - md5_records);
            return ESP_OK;
        } else {
            return ESP_ERR_INVALID_STATE;
        }
    }
    return ESP_ERR_INVALID_STATE;
}

uint32_t reference_table_entries(const uint8_t *raw, int *md5)
{
    uint32_t n = 0;
    while (n < RECORDS && has_magic(raw + (size_t)n * 32, 0xAA, 0x50)) {
        n++;
    }
    *md5 = 0;
    if (n < RECORDS && has_magic(raw + (size_t)n * 32, 0xEB, 0xEB)) {
        *md5 = md5_is_right(raw, (int)n) ? 1 : 2;
    }
    return n;
}

int reference_table_find_md5(const uint8_t *raw)
{
    for (int i = 0; i < RECORDS; i++) {
        if (has_magic(raw + (size_t)i * 32, 0xEB, 0xEB)) {
            return i;
        }
    }
    return -1;
}
