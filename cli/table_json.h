/* One partition for a person and for a program: the line and the object that `table show` and `flash info` share. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <cjson/cJSON.h>

#include "otter/partition_table.h"

/** {label, type, subtype, offset, size, flags}. A new object, the caller's; NULL when out of memory. */
cJSON *table_entry_json(const otter_partition_entry_t *entry);

/** The heading over the lines that follow, each begun with `indent`. */
void table_print_heading(const char *indent);
void table_print_entry(const char *indent, const otter_partition_entry_t *entry);
