/* A partition table out of any file that has one: CSV, binary table, or a whole flash dump. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/promise.h"
#include "table_csv.h"

typedef enum {
    TABLE_FROM_CSV,
    TABLE_FROM_BINARY,
    TABLE_FROM_FLASH, /* in a dump or factory file, at file->offset */
} table_source_t;

typedef struct {
    table_source_t source;
    /* of a binary table in its file; elsewhere than at options->table_offset if none is there */
    uint32_t offset;
    table_rows_t rows;
    uint8_t raw[OTTER_PARTITION_TABLE_LEN]; /* a binary as it is, what is missing erased; nothing of a CSV */
    otter_partition_table_t binary;         /* as an application reads it; empty for a CSV */
    uint32_t unknown_flags;                 /* all flag bits of a binary that have no name */
    uint32_t after_md5;                     /* records of a binary that follow its MD5 record */
    uint64_t file_size;
} table_file_t;

/**
 * Read `path`; "-" is standard input. Bytes that a file lacks count as erased. A dump without a table at its place is searched
 * for one. Rules are not checked, only what is needed to understand the file.
 * @param file  all zeros before; holds what was understood even after a failure; freed by table_file_free()
 * @return false, and `why` says what is wrong
 */
OTTER_MUST_CHECK bool table_load(const char *path, const table_options_t *options, table_file_t *file,
                                 table_why_t *why);

void table_file_free(table_file_t *file);
