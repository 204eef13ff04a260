/* What a partition table must keep to before it is written: the vendor tool's verification, rule by rule. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/promise.h"
#include "table_csv.h"

/** Takes one warning, a line that is gone after the call. */
typedef void (*table_warn_t)(void *arg, const char *line);

/**
 * All rules in the vendor tool's order; with options->without_verify only those that no table may break.
 * @param warn  called for what is suspicious; may be NULL
 * @return false at the first broken rule, which `why` then names
 */
OTTER_MUST_CHECK bool table_check_rules(const table_rows_t *rows, const table_options_t *options,
                                        table_warn_t warn, void *arg, table_why_t *why);

/** A row as it would be in a binary; numbers that do not fit are cut. */
otter_partition_entry_t table_row_entry(const table_row_t *row);

/** The rows as a binary table. False (and `why`) if a number does not fit its field or the table is too long. */
OTTER_MUST_CHECK bool table_encode_rows(const table_rows_t *rows, const table_options_t *options,
                                        uint8_t raw[OTTER_PARTITION_TABLE_LEN], table_why_t *why);
