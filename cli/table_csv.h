/* The CSV form of a partition table: parse it as the vendor's tool does, and print it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otter/partition_table.h"
#include "otter/promise.h"

/** One line, or one record of a binary table. Numbers are as written: what does not fit its field is found later. */
typedef struct {
    char *name; /* owned; may be longer than a label */
    int line;   /* 1-based; 0: from a binary */
    int64_t type, subtype, offset, size;
    bool has_offset; /* false: to be assigned */
    bool encrypted, readonly;
} table_row_t;

typedef struct {
    table_row_t *rows; /* owned */
    size_t count, capacity;
} table_rows_t;

typedef enum {
    TABLE_SECURE_NONE,
    TABLE_SECURE_V1, /* app sizes are multiples of 64 KiB */
    TABLE_SECURE_V2,
} table_secure_t;

/** The vendor tool's options. Offsets in bytes of flash. */
typedef struct {
    uint32_t table_offset;
    bool exact_offset; /* somebody named the offset: a table elsewhere will not do */
    bool has_primary, has_recovery;
    int64_t primary_offset, recovery_offset; /* bootloaders */
    table_secure_t secure;
    uint64_t flash_size;  /* 0: not checked */
    uint64_t sector_size; /* bytes that the flash erases at once; 0: 4096 */
    bool without_md5, without_verify;
} table_options_t;

/** Bytes that a partition of flash with these sectors lies at multiples of, at least. */
static inline int64_t table_sector(const table_options_t *options)
{
    return options->sector_size > OTTER_PARTITION_TABLE_SECTOR ? (int64_t)options->sector_size
                                                               : OTTER_PARTITION_TABLE_SECTOR;
}

/** Where an operation says why it failed: one line, in the vendor tool's words where it has some. */
typedef struct {
    char text[512];
} table_why_t;

/** Keeps the text and returns false, so that it can be returned. */
bool table_refuse(table_why_t *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * Parse a CSV file of `len` bytes in any encoding, and give every row its place.
 * @param rows  all zeros before; freed by table_rows_free() also after a failure
 */
OTTER_MUST_CHECK bool table_parse_csv(const uint8_t *data, size_t len, const table_options_t *options,
                                      table_rows_t *rows, table_why_t *why);

/** One row more, all zeros but its name (copied). @return NULL when out of memory */
OTTER_MUST_CHECK table_row_t *table_add_row(table_rows_t *rows, const char *name);

void table_rows_free(table_rows_t *rows);

/** One line of CSV in the vendor tool's form, without newline; cut if buf is too small. Returns buf. */
const char *table_format_row(const table_row_t *row, char *buf, size_t buf_size);

/** A size as the CSV form prints it: "1M", "24K", "0x123". */
void table_format_size(int64_t size, char buf[32]);

#define TABLE_CSV_HEADER "# ESP-IDF Partition Table\n# Name, Type, SubType, Offset, Size, Flags\n"

/** A number as the CSV form takes it ("0x10", "-4M", "1_024K"). False if it is none. */
OTTER_MUST_CHECK bool table_parse_number(const char *text, int64_t *value);
