/* Telling CSV, binary table and flash dump apart, and reading each. */
#include "table_load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/le.h"
#include "esp_flash_partitions.h"
#include "host/named_file.h"

#define CSV_SIZE_MAX 0x40000u

/** An input: an open file, or all that came out of a pipe. */
typedef struct {
    int fd; /* -1: none */
    uint64_t size;
    uint8_t *piped; /* owned; NULL: read from fd */
} input_t;

/** @return false: `why`, and nothing is open */
static bool open_input(input_t *in, const char *path, table_why_t *why)
{
    struct stat st;
    size_t len = 0;
    *in = (input_t){.fd = input_open(path, INPUT_OR_PIPE, &st, why->text, sizeof(why->text))};
    if (in->fd < 0) {
        return false;
    }
    in->size = (uint64_t)st.st_size;
    if (!S_ISREG(st.st_mode)) {
        in->piped = input_read(in->fd, &st, CSV_SIZE_MAX, &len, why->text, sizeof(why->text));
        in->size = len;
        close(in->fd);
        in->fd = -1;
        return in->piped != NULL;
    }
    if (st.st_size == 0) {
        close(in->fd);
        return table_refuse(why, "it is empty");
    }
    return true;
}

static void close_input(const input_t *in)
{
    free(in->piped);
    if (in->fd >= 0) {
        close(in->fd);
    }
}

/** Up to `len` bytes at `off`. @return how many there are; -1 (and why) on failure */
static ssize_t read_at(const input_t *in, uint64_t off, uint8_t *buf, size_t len, table_why_t *why)
{
    size_t have = 0;
    if (in->piped != NULL) {
        have = off < in->size ? (size_t)(in->size - off) : 0;
        have = have < len ? have : len;
        memcpy(buf, in->piped + (have > 0 ? off : 0), have);
        return (ssize_t)have;
    }
    while (have < len) {
        ssize_t n = pread(in->fd, buf + have, len - have, (off_t)(off + have));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            table_refuse(why, "cannot read it: %s", strerror(errno));
            return -1;
        }
        if (n == 0) {
            break;
        }
        have += (size_t)n;
    }
    return (ssize_t)have;
}

static bool starts_table(const uint8_t *record)
{
    partition_record_kind_t kind = partition_record_kind(record);
    return kind == PARTITION_RECORD_ENTRY || kind == PARTITION_RECORD_MD5;
}

static bool add_record(const uint8_t *record, table_file_t *file, table_why_t *why)
{
    partition_entry_t entry;
    partition_entry_decode(record, &entry);
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

static bool is_erased(const uint8_t *record)
{
    for (unsigned i = 0; i < PARTITION_RECORD_SIZE; i++) {
        if (record[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

/**
 * The vendor tool's reading: like the bootloader's, but only a wholly erased record ends the table.
 * @param raw  PARTITION_TABLE_LEN bytes, of which `len` are in the file; the rest is erased
 */
static bool read_records(const uint8_t *raw, size_t len, table_file_t *file, table_why_t *why)
{
    bool has_md5 = false;
    for (size_t at = 0; at < len; at += PARTITION_RECORD_SIZE) {
        const uint8_t *record = raw + at;
        partition_record_kind_t kind = partition_record_kind(record);
        if (kind == PARTITION_RECORD_ENTRY) {
            if (!add_record(record, file, why)) {
                return false;
            }
            file->after_md5 += has_md5;
        } else if (kind == PARTITION_RECORD_MD5) {
            if (file->binary.md5 == PARTITION_MD5_BAD) {
                return table_refuse(why, "MD5 checksums don't match! The table was changed or is damaged");
            }
            if (has_md5) {
                return table_refuse(why, "MD5 checksums don't match! There is a second MD5 record");
            }
            has_md5 = true;
        } else if (is_erased(record)) {
            return true;
        } else {
            return table_refuse(why,
                                "Invalid magic bytes (%02x %02x) for partition definition, in record %zu",
                                record[0], record[1], at / PARTITION_RECORD_SIZE);
        }
    }
    return table_refuse(why, "Partition table is missing an end-of-table marker");
}

static bool load_binary(const input_t *in, uint64_t off, table_file_t *file, table_why_t *why)
{
    uint8_t *raw = file->raw;
    memset(raw, 0xFF, sizeof(file->raw));
    ssize_t len = read_at(in, off, raw, sizeof(file->raw), why);
    if (len < 0) {
        return false;
    }
    esp_err_t err = partition_table_decode(raw, &file->binary);
    if (err != ESP_OK) {
        return table_refuse(why, "cannot read the table: %s", esp_err_to_name(err));
    }
    size_t whole = (size_t)len - (size_t)len % PARTITION_RECORD_SIZE;
    bool ok = read_records(raw, whole, file, why);
    if (in->size % PARTITION_RECORD_SIZE != 0) {
        return table_refuse(why, "Partition table length must be a multiple of 32 bytes");
    }
    return ok;
}

static bool load_csv(const input_t *in, const table_options_t *options, table_file_t *file, table_why_t *why)
{
    if (in->size > CSV_SIZE_MAX) {
        return table_refuse(why, "no partition table at 0x%x, and too large for a CSV",
                            options->table_offset);
    }
    uint8_t *text = malloc((size_t)in->size + 1);
    if (text == NULL) {
        return table_refuse(why, "out of memory");
    }
    ssize_t len = read_at(in, 0, text, (size_t)in->size, why);
    bool ok = len >= 0 && table_parse_csv(text, (size_t)len, options, &file->rows, why);
    free(text);
    return ok;
}

/** What `in` is, by its bytes; its name means nothing. */
static bool detect_source(const input_t *in, const table_options_t *options, table_source_t *source,
                          table_why_t *why)
{
    uint8_t record[PARTITION_RECORD_SIZE] = {0};
    if (read_at(in, 0, record, sizeof(record), why) < 0) {
        return false;
    }
    *source = TABLE_FROM_CSV;
    if (starts_table(record)) {
        *source = TABLE_FROM_BINARY;
    } else if (in->size >= (uint64_t)options->table_offset + PARTITION_TABLE_SECTOR) {
        if (read_at(in, options->table_offset, record, sizeof(record), why) < 0) {
            return false;
        }
        if (starts_table(record)) {
            *source = TABLE_FROM_FLASH;
        } else if (in->size % PARTITION_TABLE_SECTOR == 0) {
            return table_refuse(why,
                                "looks like a flash dump, but has no partition table at 0x%x; --offset says "
                                "where it is",
                                options->table_offset);
        }
    }
    return true;
}

bool table_load(const char *path, const table_options_t *options, table_file_t *file, table_why_t *why)
{
    input_t in;
    if (!open_input(&in, strcmp(path, "-") == 0 ? "/dev/stdin" : path, why)) {
        return false;
    }
    bool ok = detect_source(&in, options, &file->source, why);
    file->file_size = in.size;
    if (ok && file->source == TABLE_FROM_CSV) {
        ok = load_csv(&in, options, file, why);
    } else if (ok) {
        ok = load_binary(&in, file->source == TABLE_FROM_FLASH ? options->table_offset : 0, file, why);
    }
    close_input(&in);
    return ok;
}

void table_file_free(table_file_t *file)
{
    table_rows_free(&file->rows);
}
