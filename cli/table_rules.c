/* The vendor tool's verification of a partition table; its texts are kept, so that a search for them finds help. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "table_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "esp_flash_partitions.h"
#include "table_names.h"

#define NVS_MIN_SIZE      0x3000
#define DATA_NVS          0x02
#define DATA_COREDUMP     0x03
#define APP_SIZE_ALIGN_V1 0x10000
#define LABEL_MAX         16 /* bytes of a name that a record has room for */

static bool row_is(const table_row_t *row, int64_t type, int64_t subtype)
{
    return row->type == type && row->subtype == subtype;
}

/* ---- one row ---- */

static bool check_alignment(const table_row_t *row, const table_options_t *options, table_why_t *why)
{
    int64_t offset_align =
        row->type == PART_TYPE_APP ? OTTER_PARTITION_APP_ALIGN : OTTER_PARTITION_DATA_ALIGN;
    if (row->offset % offset_align != 0) {
        return table_refuse(why, "Partition %.128s invalid: Offset 0x%llx is not aligned to 0x%llx",
                            row->name, (long long)row->offset, (long long)offset_align);
    }
    int64_t size_align =
        options->secure == TABLE_SECURE_V1 ? APP_SIZE_ALIGN_V1 : (int64_t)OTTER_PARTITION_DATA_ALIGN;
    if (row->type == PART_TYPE_APP && row->size % size_align != 0) {
        return table_refuse(why, "Partition %.128s invalid: Size 0x%llx is not aligned to 0x%llx", row->name,
                            (long long)row->size, (long long)size_align);
    }
    return true;
}

/** Flash that erases more than 4096 bytes at once: who writes to a partition would erase what shares a sector with it. */
static bool check_sectors(const table_row_t *row, const table_options_t *options, table_why_t *why)
{
    const int64_t sector = table_sector(options);
    const bool fixed = row->type == PART_TYPE_BOOTLOADER || row->type == PART_TYPE_PARTITION_TABLE;
    return row->readonly || fixed || (row->offset % sector == 0 && row->size % sector == 0) ||
           sector == OTTER_PARTITION_TABLE_SECTOR ||
           table_refuse(why,
                        "Partition %.128s invalid: 0x%llx bytes at 0x%llx are not made of whole sectors of "
                        "0x%llx bytes, which this flash erases at once",
                        row->name, (long long)row->size, (long long)row->offset, (long long)sector);
}

static void warn_of_name(const table_row_t *row, table_warn_t warn, void *arg)
{
    char line[256];
    const table_keyword_t *type = table_find_keyword(table_type_keywords(), row->name);
    if (type != NULL && strcmp(type->name, row->name) == 0 && type->value != row->type) {
        snprintf(
            line, sizeof(line),
            "Partition has name '%s' which is a partition type, but does not match this partition's type "
            "(0x%llx). Mistake in partition table?",
            row->name, (long long)row->type);
        warn(arg, line);
    }
    const table_keyword_t *own = table_find_keyword(table_subtype_keywords(row->type), row->name);
    if (table_is_subtype_name(row->name) && (own == NULL || own->value != row->subtype)) {
        snprintf(
            line, sizeof(line),
            "Partition has name '%s' which is a partition subtype, but this partition has non-matching type "
            "0x%llx and subtype 0x%llx. Mistake in partition table?",
            row->name, (long long)row->type, (long long)row->subtype);
        warn(arg, line);
    }
}

/** The first row before `row` that its label would be the label of, too, although the names differ. */
static const table_row_t *find_twin(const table_rows_t *rows, const table_row_t *row)
{
    const table_row_t *twin = rows->rows;
    while (twin < row &&
           (strncmp(twin->name, row->name, LABEL_MAX) != 0 || strcmp(twin->name, row->name) == 0)) {
        twin++;
    }
    return twin < row ? twin : NULL;
}

/** The vendor's tool cuts a longer name without a word: code that looks for the whole of it finds nothing. */
static void warn_of_cuts(const table_rows_t *rows, table_warn_t warn, void *arg)
{
    char line[512];
    for (size_t i = 0; i < rows->count; i++) {
        const table_row_t *row = &rows->rows[i], *twin = find_twin(rows, row);
        int used = 0;
        if (strlen(row->name) > LABEL_MAX) {
            used = snprintf(line, sizeof(line),
                            "line %d: the name '%.128s' is longer than a label's %d bytes and becomes '%.*s'",
                            row->line, row->name, LABEL_MAX, LABEL_MAX, row->name);
        } else if (twin != NULL) {
            used = snprintf(line, sizeof(line), "line %d: the name '%s'", row->line, row->name);
        }
        if (twin != NULL) {
            snprintf(
                line + used, sizeof(line) - (size_t)used,
                ", which is also what '%.128s' of line %d is in the table: only one of them will be found",
                twin->name, twin->line);
        }
        if (used > 0) {
            warn(arg, line);
        }
    }
}

static bool check_readonly(const table_row_t *row, table_why_t *why)
{
    if (row->readonly &&
        (row_is(row, PART_TYPE_DATA, PART_SUBTYPE_DATA_OTA) || row_is(row, PART_TYPE_DATA, DATA_COREDUMP))) {
        return table_refuse(
            why,
            "Partition %.128s invalid: '%.128s' partition of type %lld and subtype %lld is always "
            "read-write and cannot be read-only",
            row->name, row->name, (long long)row->type, (long long)row->subtype);
    }
    if (row_is(row, PART_TYPE_DATA, DATA_NVS) && row->size < NVS_MIN_SIZE && !row->readonly) {
        return table_refuse(
            why,
            "Partition %.128s invalid: '%.128s' partition of type %lld and subtype %lld of this size "
            "(0x%llx) must be flagged as 'readonly' (the size of read/write NVS has to be at least "
            "0x%x)",
            row->name, row->name, (long long)row->type, (long long)row->subtype, (long long)row->size,
            NVS_MIN_SIZE);
    }
    return true;
}

/* ---- the whole table ---- */

static bool check_names(const table_rows_t *rows, table_why_t *why)
{
    for (size_t i = 0; i < rows->count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(rows->rows[i].name, rows->rows[k].name) == 0) {
                return table_refuse(why, "Partition names must be unique: '%.128s' names two",
                                    rows->rows[i].name);
            }
        }
    }
    return true;
}

/** Ascending by offset; equal offsets stay in the order of the table (rows lie in one array). */
static int compare_offsets(const void *a, const void *b)
{
    const table_row_t *row_a = *(const table_row_t *const *)a, *row_b = *(const table_row_t *const *)b;
    if (row_a->offset != row_b->offset) {
        return row_a->offset < row_b->offset ? -1 : 1;
    }
    return row_a < row_b ? -1 : row_a > row_b;
}

static bool check_sorted(const table_row_t *const *sorted, size_t count, const table_options_t *options,
                         table_why_t *why)
{
    int64_t first_free = (int64_t)options->table_offset + OTTER_PARTITION_TABLE_SECTOR;
    const table_row_t *last = NULL;
    for (size_t i = 0; i < count; i++) {
        const table_row_t *row = sorted[i];
        bool fixed = row_is(row, PART_TYPE_BOOTLOADER, PART_SUBTYPE_BOOTLOADER_PRIMARY) ||
                     row_is(row, PART_TYPE_PARTITION_TABLE, PART_SUBTYPE_PARTITION_TABLE_PRIMARY);
        if (row->offset < first_free && !fixed) {
            return table_refuse(why, "Partition offset 0x%llx is below 0x%llx", (long long)row->offset,
                                (long long)first_free);
        }
        if (last != NULL && row->offset < last->offset + last->size) {
            return table_refuse(why, "Partition at 0x%llx overlaps 0x%llx-0x%llx", (long long)row->offset,
                                (long long)last->offset, (long long)(last->offset + last->size - 1));
        }
        last = row;
    }
    return true;
}

static bool check_overlap(const table_rows_t *rows, const table_options_t *options, table_why_t *why)
{
    const table_row_t **sorted = calloc(rows->count + 1, sizeof(*sorted));
    if (sorted == NULL) {
        return table_refuse(why, "out of memory");
    }
    for (size_t i = 0; i < rows->count; i++) {
        sorted[i] = &rows->rows[i];
    }
    qsort(sorted, rows->count, sizeof(*sorted), compare_offsets);
    bool ok = check_sorted(sorted, rows->count, options, why);
    free(sorted);
    return ok;
}

/* Partitions of which a table has one at most, of one size. */
static const struct single_rule {
    uint8_t subtype;
    const char *title, *condition;
} single_rules[] = {
    {PART_SUBTYPE_DATA_OTA, "otadata", "type=\"data\"(1) and subtype=\"ota\"(0)"},
    {PART_SUBTYPE_DATA_TEE_OTA, "TEE otadata", "type=\"data\"(1) and subtype=\"tee_ota\"(0x90)"},
};

static bool check_single(const table_rows_t *rows, const struct single_rule *rule,
                         const table_options_t *options, table_why_t *why)
{
    const int64_t size = 2 * table_sector(options); /* two records, each in a sector of its own */
    const table_row_t *found = NULL;
    for (size_t i = 0; i < rows->count; i++) {
        if (!row_is(&rows->rows[i], PART_TYPE_DATA, rule->subtype)) {
            continue;
        }
        if (found != NULL) {
            return table_refuse(why,
                                "Found multiple %s partitions. Only one partition can be defined with %s.",
                                rule->title, rule->condition);
        }
        found = &rows->rows[i];
    }
    if (found != NULL && found->size != size) {
        return table_refuse(why, "%s partition must have size = 0x%llx", rule->title, (long long)size);
    }
    return true;
}

static bool check_flash_size(const table_rows_t *rows, uint64_t flash_size, table_why_t *why)
{
    int64_t end = 0;
    for (size_t i = 0; i < rows->count; i++) {
        int64_t row_end = rows->rows[i].offset + rows->rows[i].size;
        end = row_end > end ? row_end : end;
    }
    if ((uint64_t)end <= flash_size) {
        return true;
    }
    return table_refuse(
        why,
        "Partitions tables occupies %.1fMB of flash (%lld bytes) which does not fit in configured "
        "flash size %gMB. Change the flash size in menuconfig under the 'Serial Flasher Config' "
        "menu.",
        (double)end / 0x100000, (long long)end, (double)flash_size / 0x100000);
}

bool table_check_rules(const table_rows_t *rows, const table_options_t *options, table_warn_t warn, void *arg,
                       table_why_t *why)
{
    bool ok = true;
    if (!options->without_verify) {
        for (size_t i = 0; ok && i < rows->count; i++) {
            const table_row_t *row = &rows->rows[i];
            ok = check_alignment(row, options, why) && check_sectors(row, options, why);
            if (ok && warn != NULL) {
                warn_of_name(row, warn, arg);
            }
            ok = ok && check_readonly(row, why);
        }
        ok = ok && check_names(rows, why) && check_overlap(rows, options, why);
        for (size_t i = 0; ok && i < sizeof(single_rules) / sizeof(single_rules[0]); i++) {
            ok = check_single(rows, &single_rules[i], options, why);
        }
    }
    ok = ok && (options->flash_size == 0 || check_flash_size(rows, options->flash_size, why));
    if (ok && warn != NULL) {
        warn_of_cuts(rows, warn, arg);
    }
    return ok;
}

/* ---- binary ---- */

static bool check_field(const table_row_t *row, const char *field, int64_t value, int64_t max,
                        table_why_t *why)
{
    if (value >= 0 && value <= max) {
        return true;
    }
    return table_refuse(
        why, "Error at line %d: %s %s0x%llx of partition '%.128s' is not between 0 and 0x%llx", row->line,
        field, value < 0 ? "-" : "", (long long)(value < 0 ? -value : value), row->name, (long long)max);
}

static bool fits_entry(const table_row_t *row, table_why_t *why)
{
    return check_field(row, "type", row->type, UINT8_MAX, why) &&
           check_field(row, "subtype", row->subtype, UINT8_MAX, why) &&
           check_field(row, "offset", row->offset, UINT32_MAX, why) &&
           check_field(row, "size", row->size, UINT32_MAX, why);
}

otter_partition_entry_t table_row_entry(const table_row_t *row)
{
    otter_partition_entry_t entry = {
        .type = (uint8_t)row->type,
        .subtype = (uint8_t)row->subtype,
        .offset = (uint32_t)row->offset,
        .size = (uint32_t)row->size,
        .flags = (row->encrypted ? PART_FLAG_ENCRYPTED : 0u) | (row->readonly ? PART_FLAG_READONLY : 0u),
    };
    snprintf(entry.label, sizeof(entry.label), "%s", row->name); /* a longer name is cut: warn_of_cuts() */
    return entry;
}

bool table_encode_rows(const table_rows_t *rows, const table_options_t *options,
                       uint8_t raw[OTTER_PARTITION_TABLE_LEN], table_why_t *why)
{
    size_t len = (rows->count + (options->without_md5 ? 0 : 1)) * OTTER_PARTITION_RECORD_SIZE;
    if (len >= OTTER_PARTITION_TABLE_LEN) {
        return table_refuse(why, "Binary partition table length (%zu) longer than max", len);
    }
    otter_partition_entry_t entries[OTTER_PARTITIONS_MAX];
    for (size_t i = 0; i < rows->count; i++) {
        if (!fits_entry(&rows->rows[i], why)) {
            return false;
        }
        entries[i] = table_row_entry(&rows->rows[i]);
    }
    esp_err_t err = otter_partition_table_encode(entries, (uint32_t)rows->count, !options->without_md5, raw);
    return err == ESP_OK || table_refuse(why, "cannot encode the table: %s", esp_err_to_name(err));
}
