/* Records of the partition table: decode, encode, and the two verdicts over a whole table. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/partition_table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/le.h"
#include "esp_flash_partitions.h"
#include "esp_partition.h"
#include "otter/crypto.h"
#include "otter/promise.h"

_Static_assert(sizeof(esp_partition_info_t) == OTTER_PARTITION_RECORD_SIZE, "one record");
_Static_assert(ESP_PARTITION_TABLE_MAX_LEN == OTTER_PARTITION_TABLE_LEN, "one table");
_Static_assert(OTTER_PARTITION_RECORDS_MAX *OTTER_PARTITION_RECORD_SIZE == OTTER_PARTITION_TABLE_LEN,
               "records fill the table");

enum {
    AT_TYPE = 2,
    AT_SUBTYPE = 3,
    AT_OFFSET = 4,
    AT_SIZE = 8,
    AT_LABEL = 12,
    AT_FLAGS = 28,
    LABEL_SIZE = 16,
};

otter_partition_record_kind_t otter_partition_record_kind(const uint8_t raw[OTTER_PARTITION_RECORD_SIZE])
{
    switch (le16_get(raw)) {
    case ESP_PARTITION_MAGIC:
        return OTTER_PARTITION_RECORD_ENTRY;
    case ESP_PARTITION_MAGIC_MD5:
        return OTTER_PARTITION_RECORD_MD5;
    case 0xFFFF:
        return raw[AT_TYPE] == ERASED_BYTE && raw[AT_SUBTYPE] == ERASED_BYTE ? OTTER_PARTITION_RECORD_END
                                                                             : OTTER_PARTITION_RECORD_OTHER;
    default:
        return OTTER_PARTITION_RECORD_OTHER;
    }
}

void otter_partition_entry_decode(const uint8_t raw[OTTER_PARTITION_RECORD_SIZE],
                                  otter_partition_entry_t *out)
{
    out->type = raw[AT_TYPE];
    out->subtype = raw[AT_SUBTYPE];
    out->offset = le32_get(raw + AT_OFFSET);
    out->size = le32_get(raw + AT_SIZE);
    memcpy(out->label, raw + AT_LABEL, LABEL_SIZE);
    out->label[LABEL_SIZE] = '\0';
    out->flags = le32_get(raw + AT_FLAGS);
}

void otter_partition_entry_encode(const otter_partition_entry_t *entry,
                                  uint8_t raw[OTTER_PARTITION_RECORD_SIZE])
{
    memset(raw, 0, OTTER_PARTITION_RECORD_SIZE);
    le16_put(raw, ESP_PARTITION_MAGIC);
    raw[AT_TYPE] = entry->type;
    raw[AT_SUBTYPE] = entry->subtype;
    le32_put(raw + AT_OFFSET, entry->offset);
    le32_put(raw + AT_SIZE, entry->size);
    size_t label_len = strlen(entry->label);
    memcpy(raw + AT_LABEL, entry->label, label_len < LABEL_SIZE ? label_len : LABEL_SIZE);
    le32_put(raw + AT_FLAGS, entry->flags);
}

/** Is record `index` the right MD5 of all records before it? @return ESP_OK or ESP_ERR_NO_MEM */
static esp_err_t check_md5(const uint8_t *raw, uint32_t index, bool *good)
{
    uint8_t digest[OTTER_MD5_LEN];
    const uint8_t *record = raw + index * OTTER_PARTITION_RECORD_SIZE;
    esp_err_t err = otter_md5(raw, index * OTTER_PARTITION_RECORD_SIZE, digest);
    if (err == ESP_OK) {
        *good = memcmp(record + ESP_PARTITION_MD5_OFFSET, digest, sizeof(digest)) == 0;
    }
    return err;
}

esp_err_t otter_partition_table_verify(const uint8_t raw[OTTER_PARTITION_TABLE_LEN], uint32_t flash_size,
                                       uint32_t *count, otter_fault_t *fault)
{
    *count = 0;
    bool has_md5 = false;
    for (uint32_t i = 0; i < OTTER_PARTITION_RECORDS_MAX; i++) {
        const uint8_t *record = raw + i * OTTER_PARTITION_RECORD_SIZE;
        otter_partition_record_kind_t kind = otter_partition_record_kind(record);

        if (kind == OTTER_PARTITION_RECORD_ENTRY) {
            uint32_t offset = le32_get(record + AT_OFFSET), size = le32_get(record + AT_SIZE);
            if (!range_fits(offset, size, flash_size)) {
                return otter_fault(fault, ESP_ERR_INVALID_SIZE,
                                   "partition %" PRIu32 " invalid - offset 0x%" PRIx32 " size 0x%" PRIx32
                                   " exceeds flash chip size 0x%" PRIx32,
                                   i, offset, size, flash_size);
            }
        } else if (kind == OTTER_PARTITION_RECORD_MD5) {
            bool good;
            if (has_md5) {
                return otter_fault(fault, ESP_ERR_INVALID_STATE, "Only one MD5 checksum is allowed");
            }
            esp_err_t err = check_md5(raw, i, &good);
            if (err != ESP_OK) {
                return otter_fault(fault, err, "no memory for the MD5 checksum");
            }
            if (!good) {
                return otter_fault(fault, ESP_ERR_INVALID_STATE, "Incorrect MD5 checksum");
            }
            has_md5 = true;
        } else if (kind == OTTER_PARTITION_RECORD_END && i > 0) {
            *count = has_md5 ? i - 1 : i;
            return ESP_OK;
        } else { /* an end record in the first place: an erased sector is no table */
            return otter_fault(fault, ESP_ERR_INVALID_STATE,
                               "partition %" PRIu32 " invalid magic number 0x%x", i, le16_get(record));
        }
    }
    return otter_fault(fault, ESP_ERR_INVALID_STATE, "partition table has no terminating entry, not valid");
}

esp_err_t otter_partition_table_decode(const uint8_t raw[OTTER_PARTITION_TABLE_LEN],
                                       otter_partition_table_t *out)
{
    out->count = 0;
    out->md5 = OTTER_PARTITION_MD5_ABSENT;
    for (uint32_t i = 0; i < OTTER_PARTITION_RECORDS_MAX; i++) {
        const uint8_t *record = raw + i * OTTER_PARTITION_RECORD_SIZE;
        otter_partition_record_kind_t kind = otter_partition_record_kind(record);
        if (kind == OTTER_PARTITION_RECORD_MD5) {
            bool good;
            esp_err_t err = check_md5(raw, i, &good);
            if (err != ESP_OK) {
                return err;
            }
            out->md5 = good ? OTTER_PARTITION_MD5_GOOD : OTTER_PARTITION_MD5_BAD;
        }
        if (kind != OTTER_PARTITION_RECORD_ENTRY) {
            break;
        }
        OTTER_ASSERT(out->count < sizeof(out->entries) / sizeof(out->entries[0]));
        otter_partition_entry_decode(record, &out->entries[out->count++]);
    }
    return ESP_OK;
}

esp_err_t otter_partition_table_encode(const otter_partition_entry_t *entries, uint32_t count, bool with_md5,
                                       uint8_t raw[OTTER_PARTITION_TABLE_LEN])
{
    if (count > OTTER_PARTITIONS_MAX - (with_md5 ? 1u : 0u)) {
        return ESP_ERR_INVALID_SIZE;
    }
    memset(raw, ERASED_BYTE, OTTER_PARTITION_TABLE_LEN);
    for (uint32_t i = 0; i < count; i++) {
        otter_partition_entry_encode(&entries[i], raw + i * OTTER_PARTITION_RECORD_SIZE);
    }
    if (with_md5) {
        uint8_t *record = raw + count * OTTER_PARTITION_RECORD_SIZE;
        le16_put(record, ESP_PARTITION_MAGIC_MD5);
        return otter_md5(raw, count * OTTER_PARTITION_RECORD_SIZE, record + ESP_PARTITION_MD5_OFFSET);
    }
    return ESP_OK;
}
