/* Showing one partition. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "table_json.h"

#include <inttypes.h>
#include <stdio.h>

#include "clean_text.h"
#include "json.h"
#include "table_csv.h"
#include "table_names.h"

cJSON *table_entry_json(const otter_partition_entry_t *entry)
{
    char type[8], subtype[8];
    cJSON *json = cJSON_CreateObject();
    json_text(json, "label", entry->label, 16);
    json_string(json, "type", table_type_name(entry->type, type));
    json_string(json, "subtype", table_subtype_name(entry->type, entry->subtype, subtype));
    json_number(json, "offset", true, entry->offset);
    json_number(json, "size", true, entry->size);
    json_string(json, "flags", table_flags_name(entry->flags));
    return json;
}

void table_print_heading(const char *indent)
{
    printf("%s%-16s %-15s %-9s %10s %10s %8s\n", indent, "label", "type", "subtype", "offset", "size", "");
}

void table_print_entry(const char *indent, const otter_partition_entry_t *entry)
{
    char type[8], subtype[8], human[32], label[CLEAN_TEXT_SIZE(16)];
    const char *flags = table_flags_name(entry->flags);
    table_format_size(entry->size, human);
    clean_text(label, entry->label, 16);
    printf("%s%-*s %-15s %-9s 0x%08" PRIx32 " 0x%08" PRIx32 " %8s%s%s\n", indent, clean_width(label, 16),
           label, table_type_name(entry->type, type),
           table_subtype_name(entry->type, entry->subtype, subtype), entry->offset, entry->size, human,
           *flags != '\0' ? "  " : "", flags);
}
