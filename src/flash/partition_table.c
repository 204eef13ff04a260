/* Records of the partition table: decode, encode, and the two verdicts over a whole table. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/partition_table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "otter/bytes.h"
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

/* ---- a whole table, record by record ---- */

#define PIECE (8 * OTTER_PARTITION_RECORD_SIZE) /* bytes read from flash at a time */

/** The records of a table, each asked for once and in order, and the MD5 of those that were let in. */
typedef struct {
    const uint8_t *raw; /* all of the table; NULL: it is at `offset` of flash */
    otter_flash_t *flash;
    uint32_t offset;
    uint8_t piece[PIECE];
    otter_digest_t md5;
} table_reader_t;

static esp_err_t next_record(table_reader_t *reader, uint32_t index, const uint8_t **record)
{
    const uint32_t at = index * OTTER_PARTITION_RECORD_SIZE;
    if (reader->raw != NULL) {
        *record = reader->raw + at;
        return ESP_OK;
    }
    *record = reader->piece + at % PIECE;
    return at % PIECE == 0 ? otter_flash_read_torn(reader->flash, reader->offset + at, reader->piece, PIECE)
                           : ESP_OK;
}

/** Is this record the right MD5 of all records before it? No record can be let in after that. */
static bool md5_is_good(table_reader_t *reader, const uint8_t record[OTTER_PARTITION_RECORD_SIZE])
{
    uint8_t digest[OTTER_MD5_LEN];
    otter_digest_finish(&reader->md5, digest);
    return memcmp(record + ESP_PARTITION_MD5_OFFSET, digest, sizeof(digest)) == 0;
}

static esp_err_t check_bounds(const uint8_t *record, uint32_t index, uint32_t flash_size,
                              otter_fault_t *fault)
{
    uint32_t offset = le32_get(record + AT_OFFSET), size = le32_get(record + AT_SIZE);
    return range_fits(offset, size, flash_size)
               ? ESP_OK
               : otter_fault(fault, ESP_ERR_INVALID_SIZE,
                             "partition %" PRIu32 " invalid - offset 0x%" PRIx32 " size 0x%" PRIx32
                             " exceeds flash chip size 0x%" PRIx32,
                             index, offset, size, flash_size);
}

static void tell(const otter_partition_taker_t *taker, uint32_t index, const uint8_t *record)
{
    otter_partition_entry_t entry;
    if (taker != NULL) {
        otter_partition_entry_decode(record, &entry);
        taker->take(taker->arg, index, &entry);
    }
}

/** A record is told once it is known that one follows which is no end: see `count` of otter_partition_table_verify(). */
static esp_err_t verify(table_reader_t *reader, uint32_t flash_size, const otter_partition_taker_t *taker,
                        uint32_t *count, otter_fault_t *fault)
{
    uint8_t before[OTTER_PARTITION_RECORD_SIZE] = {0};
    const uint8_t *record;
    bool has_md5 = false;
    for (uint32_t i = 0; i < OTTER_PARTITION_RECORDS_MAX; i++) {
        esp_err_t err = next_record(reader, i, &record);
        if (err != ESP_OK) {
            return err;
        }
        otter_partition_record_kind_t kind = otter_partition_record_kind(record);
        const bool last = kind == OTTER_PARTITION_RECORD_END && i > 0;
        if (i > 0 && !(last && has_md5)) {
            tell(taker, i - 1, before);
        }
        if (last) {
            *count = has_md5 ? i - 1 : i;
            return ESP_OK;
        }
        if (kind == OTTER_PARTITION_RECORD_ENTRY) {
            err = check_bounds(record, i, flash_size, fault);
            if (err != ESP_OK) {
                return err;
            }
        } else if (kind !=
                   OTTER_PARTITION_RECORD_MD5) { /* also an end at the start: an erased sector is no table */
            return otter_fault(fault, ESP_ERR_INVALID_STATE,
                               "partition %" PRIu32 " invalid magic number 0x%x", i, le16_get(record));
        } else if (has_md5) {
            return otter_fault(fault, ESP_ERR_INVALID_STATE, "Only one MD5 checksum is allowed");
        } else if (!md5_is_good(reader, record)) {
            return otter_fault(fault, ESP_ERR_INVALID_STATE, "Incorrect MD5 checksum");
        } else {
            has_md5 = true;
        }
        if (!has_md5) {
            otter_digest_update(&reader->md5, record, OTTER_PARTITION_RECORD_SIZE);
        }
        memcpy(before, record, sizeof(before));
    }
    return otter_fault(fault, ESP_ERR_INVALID_STATE, "partition table has no terminating entry, not valid");
}

static esp_err_t verify_all(table_reader_t *reader, uint32_t flash_size, const otter_partition_taker_t *taker,
                            uint32_t *count, otter_fault_t *fault)
{
    *count = 0;
    esp_err_t err = otter_md5_begin(&reader->md5)
                        ? verify(reader, flash_size, taker, count, fault)
                        : otter_fault(fault, ESP_ERR_NO_MEM, "no memory for the MD5 checksum");
    otter_digest_end(&reader->md5);
    return err;
}

esp_err_t otter_partition_table_verify(const uint8_t raw[OTTER_PARTITION_TABLE_LEN], uint32_t flash_size,
                                       uint32_t *count, otter_fault_t *fault)
{
    table_reader_t reader = {.raw = raw};
    return verify_all(&reader, flash_size, NULL, count, fault);
}

esp_err_t otter_partition_table_verify_at(otter_flash_t *flash, uint32_t offset, uint32_t flash_size,
                                          const otter_partition_taker_t *taker, otter_fault_t *fault)
{
    uint32_t count;
    table_reader_t reader = {.flash = flash, .offset = offset};
    return verify_all(&reader, flash_size, taker, &count, fault);
}

static esp_err_t decode(table_reader_t *reader, const otter_partition_taker_t *taker,
                        otter_partition_md5_t *md5)
{
    *md5 = OTTER_PARTITION_MD5_ABSENT;
    for (uint32_t i = 0; i < OTTER_PARTITION_RECORDS_MAX; i++) {
        const uint8_t *record;
        esp_err_t err = next_record(reader, i, &record);
        if (err != ESP_OK) {
            return err;
        }
        otter_partition_record_kind_t kind = otter_partition_record_kind(record);
        if (kind == OTTER_PARTITION_RECORD_MD5) {
            *md5 = md5_is_good(reader, record) ? OTTER_PARTITION_MD5_GOOD : OTTER_PARTITION_MD5_BAD;
        }
        if (kind != OTTER_PARTITION_RECORD_ENTRY) {
            break;
        }
        otter_digest_update(&reader->md5, record, OTTER_PARTITION_RECORD_SIZE);
        tell(taker, i, record);
    }
    return ESP_OK;
}

static esp_err_t decode_all(table_reader_t *reader, const otter_partition_taker_t *taker,
                            otter_partition_md5_t *md5)
{
    esp_err_t err = otter_md5_begin(&reader->md5) ? decode(reader, taker, md5) : ESP_ERR_NO_MEM;
    otter_digest_end(&reader->md5);
    return err;
}

static void keep(void *table, uint32_t index, const otter_partition_entry_t *entry)
{
    otter_partition_table_t *to = table;
    OTTER_ASSERT(index < sizeof(to->entries) / sizeof(to->entries[0]));
    to->entries[index] = *entry;
    to->count = index + 1;
}

esp_err_t otter_partition_table_decode(const uint8_t raw[OTTER_PARTITION_TABLE_LEN],
                                       otter_partition_table_t *out)
{
    const otter_partition_taker_t taker = {keep, out};
    table_reader_t reader = {.raw = raw};
    out->count = 0;
    return decode_all(&reader, &taker, &out->md5);
}

esp_err_t otter_partition_table_decode_at(otter_flash_t *flash, uint32_t offset,
                                          const otter_partition_taker_t *taker, otter_partition_md5_t *md5)
{
    table_reader_t reader = {.flash = flash, .offset = offset};
    return decode_all(&reader, taker, md5);
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
        otter_digest_t md5 = {0};
        bool begun = otter_md5_begin(&md5);
        if (begun) {
            otter_digest_update(&md5, raw, count * OTTER_PARTITION_RECORD_SIZE);
            otter_digest_finish(&md5, record + ESP_PARTITION_MD5_OFFSET);
        }
        otter_digest_end(&md5);
        return begun ? ESP_OK : ESP_ERR_NO_MEM;
    }
    return ESP_OK;
}
