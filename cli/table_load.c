/* Telling CSV, binary table and flash dump apart, and reading each. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "table_load.h"

#include <stdlib.h>

#include "otter/bytes.h"
#include "esp_app_format.h"
#include "esp_flash_partitions.h"
#include "file_view.h"
#include "flash_search.h"
#include "otter/image_kind.h"
#include "otter/promise.h"
#include "table_text.h"

#define CSV_SIZE_MAX   0x40000u
#define SHORTEST_TABLE 0x400u /* bytes; what is shorter and no table was meant to be a CSV */

static bool starts_table(const uint8_t *record)
{
    otter_partition_record_kind_t kind = otter_partition_record_kind(record);
    return kind == OTTER_PARTITION_RECORD_ENTRY || kind == OTTER_PARTITION_RECORD_MD5;
}

static bool add_record(const uint8_t *record, table_file_t *file, table_why_t *why)
{
    otter_partition_entry_t entry;
    otter_partition_entry_decode(record, &entry);
    table_row_t *row = table_add_row(&file->rows, entry.label);
    if (row == NULL) {
        return table_refuse(why, "out of memory");
    }
    row->type = entry.type;
    row->subtype = entry.subtype;
    row->offset = entry.offset;
    row->size = entry.size;
    row->has_offset = true;
    row->encrypted = (entry.flags & PART_FLAG_ENCRYPTED) != 0;
    row->readonly = (entry.flags & PART_FLAG_READONLY) != 0;
    file->unknown_flags |= entry.flags & ~(PART_FLAG_ENCRYPTED | PART_FLAG_READONLY);
    return true;
}

/** The vendor tool's reading: like the bootloader's, but only a wholly erased record ends the table. */
static bool read_records(const uint8_t raw[OTTER_PARTITION_TABLE_LEN], table_file_t *file, table_why_t *why)
{
    bool has_md5 = false;
    for (size_t at = 0; at < OTTER_PARTITION_TABLE_LEN; at += OTTER_PARTITION_RECORD_SIZE) {
        const uint8_t *record = raw + at;
        otter_partition_record_kind_t kind = otter_partition_record_kind(record);
        if (kind == OTTER_PARTITION_RECORD_ENTRY) {
            if (!add_record(record, file, why)) {
                return false;
            }
            file->after_md5 += has_md5;
        } else if (kind == OTTER_PARTITION_RECORD_MD5) {
            if (file->binary.md5 == OTTER_PARTITION_MD5_BAD) {
                return table_refuse(why, "MD5 checksums don't match! The table was changed or is damaged");
            }
            if (has_md5) {
                return table_refuse(why, "MD5 checksums don't match! There is a second MD5 record");
            }
            has_md5 = true;
        } else if (bytes_are_erased(record, OTTER_PARTITION_RECORD_SIZE)) {
            return true;
        } else {
            return table_refuse(why,
                                "Invalid magic bytes (%02x %02x) for partition definition, in record %zu",
                                record[0], record[1], at / OTTER_PARTITION_RECORD_SIZE);
        }
    }
    return table_refuse(why, "Partition table is missing an end-of-table marker");
}

static bool load_binary(file_view_t *in, table_file_t *file, table_why_t *why)
{
    uint8_t *raw = file->raw;
    esp_err_t err = otter_flash_read(&in->flash, file->offset, raw, sizeof(file->raw));
    if (err == ESP_OK) {
        err = otter_partition_table_decode(raw, &file->binary);
    }
    return err == ESP_OK ? read_records(raw, file, why)
                         : table_refuse(why, "cannot read the table: %s", esp_err_to_name(err));
}

/** All of a file that may be a CSV. @return malloc'ed, NULL and `why` */
static uint8_t *read_text(file_view_t *in, table_why_t *why)
{
    uint8_t *text = malloc((size_t)in->size + 1);
    if (text == NULL) {
        table_refuse(why, "out of memory");
    } else if (otter_flash_read(&in->flash, 0, text, in->size) != ESP_OK) {
        table_refuse(why, "cannot read it");
        free(text);
        text = NULL;
    }
    return text;
}

static bool load_csv(file_view_t *in, const table_options_t *options, table_file_t *file, table_why_t *why)
{
    uint8_t *text = read_text(in, why);
    bool ok = text != NULL && table_parse_csv(text, in->size, options, &file->rows, why);
    free(text);
    return ok;
}

static bool is_text(file_view_t *in)
{
    table_why_t why;
    otter_fault_t fault;
    uint8_t *bytes = in->size <= CSV_SIZE_MAX ? read_text(in, &why) : NULL;
    char *text = bytes != NULL ? table_text_decode(bytes, in->size, &fault) : NULL;
    bool ok = text != NULL;
    free(text);
    free(bytes);
    return ok;
}

/** Too short for anything else: the parser names the line that is no text. */
static bool is_spoilt_text(file_view_t *in)
{
    uint8_t first = 0;
    return in->size < SHORTEST_TABLE && otter_flash_read(&in->flash, 0, &first, 1) == ESP_OK &&
           first != ESP_IMAGE_HEADER_MAGIC && flash_content(&in->flash, 0, in->size) == FLASH_DATA;
}

/** What a file is whose first bytes say that it is neither a table nor flash. NULL: not known. */
static const char *name_foreign(file_view_t *in)
{
    uint8_t head[16];
    bool read = otter_flash_read(&in->flash, 0, head, sizeof(head)) == ESP_OK;
    return read && head[0] != 0 && head[0] != 0xFF
               ? otter_image_foreign_name(head, min_u32(in->size, sizeof(head)))
               : NULL;
}

static bool has_table_at(file_view_t *in, uint32_t offset)
{
    uint8_t record[OTTER_PARTITION_RECORD_SIZE];
    return range_fits(offset, sizeof(record), in->flash.size) &&
           otter_flash_read(&in->flash, offset, record, sizeof(record)) == ESP_OK && starts_table(record);
}

static bool begins_as_image(file_view_t *in)
{
    uint8_t magic = 0;
    return otter_flash_read(&in->flash, 0, &magic, 1) == ESP_OK && magic == ESP_IMAGE_HEADER_MAGIC;
}

/** Says that there is no table, and what there is instead. @return false */
static bool refuse_content(file_view_t *in, const table_options_t *options, table_why_t *why)
{
    static const char *const what[] = {
        [FLASH_ERASED] = "is erased (0xFF)",
        [FLASH_ZERO] = "is zeros",
        [FLASH_NOISE] = "looks encrypted (flash encryption?) or compressed",
    };
    uint32_t at = options->table_offset;
    bool reaches = range_fits(at, OTTER_PARTITION_TABLE_SECTOR, in->size);
    flash_content_t all = flash_content(&in->flash, 0, in->size);
    flash_content_t there =
        reaches ? flash_content(&in->flash, at, OTTER_PARTITION_TABLE_SECTOR) : FLASH_DATA;
    if (all != FLASH_DATA) {
        return reaches ? table_refuse(why, "no partition table at 0x%x: it %s throughout", at, what[all])
                       : table_refuse(why, "no partition table: it %s throughout", what[all]);
    }
    if (reaches && there != FLASH_DATA) {
        return table_refuse(why, "no partition table at 0x%x, which %s, nor elsewhere in the file", at,
                            what[there]);
    }
    if (begins_as_image(in)) {
        return table_refuse(why,
                            "no partition table at 0x%x, nor elsewhere in the file: it begins with an "
                            "image, which `otter image info` explains",
                            at);
    }
    return table_refuse(why, "no partition table at 0x%x, nor elsewhere in the file, and %s", at,
                        in->size > CSV_SIZE_MAX ? "too large for a CSV" : "not a text");
}

/** What `in` is, by its bytes; its name means nothing. */
static bool detect_source(file_view_t *in, const table_options_t *options, table_file_t *file,
                          table_why_t *why)
{
    if (in->size == 0) {
        return table_refuse(why, "it is empty");
    }
    file->source = has_table_at(in, 0) ? TABLE_FROM_BINARY : TABLE_FROM_FLASH;
    if (file->source == TABLE_FROM_BINARY) {
        return true;
    }
    file->offset = options->table_offset;
    if (has_table_at(in, file->offset)) {
        return true;
    }
    uint32_t found = 0;
    const char *foreign = name_foreign(in);
    if (foreign != NULL) {
        return table_refuse(why, "no partition table: it is %s", foreign);
    }
    if (is_text(in)) {
        file->source = TABLE_FROM_CSV;
        file->offset = 0;
        return true;
    }
    if (!flash_find_table(&in->flash, 0, in->flash.size, &found) &&
        (begins_as_image(in) || !flash_find_table_anywhere(&in->flash, in->flash.size, &found))) {
        file->source = TABLE_FROM_CSV;
        return is_spoilt_text(in) || refuse_content(in, options, why);
    }
    if (options->exact_offset) {
        return table_refuse(why, "no partition table at 0x%x; there is one at 0x%x", file->offset, found);
    }
    file->offset = found;
    return true;
}

bool table_load(const char *path, const table_options_t *options, table_file_t *file, table_why_t *why)
{
    file_view_t in;
    otter_fault_t fault;
    if (!file_view_open(&in, path, &fault)) {
        return table_refuse(why, "%s", fault.why);
    }
    bool ok = detect_source(&in, options, file, why);
    file->file_size = in.size;
    if (ok && file->source == TABLE_FROM_CSV) {
        ok = load_csv(&in, options, file, why);
    } else if (ok) {
        ok = load_binary(&in, file, why);
    }
    file_view_close(&in);
    return ok;
}

void table_file_free(table_file_t *file)
{
    table_rows_free(&file->rows);
}
