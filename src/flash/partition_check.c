/* Tells, in words, the faults of a partition table that a bootloader does not notice. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/partition_table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "otter/bytes.h"
#include "esp_flash_partitions.h"
#include "flash/partition_kind.h"

#define OTADATA_SIZE    0x2000u
#define BYTE_ORDER_MARK "\xEF\xBB\xBF"
#define SLOTS_MAX       16u

/** Where complaints go, and how many there were. */
typedef struct {
    otter_partition_complain_t complain;
    void *arg;
    uint32_t count;
} complaints_t;

static void complain(complaints_t *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void complain(complaints_t *to, const char *format, ...)
{
    char line[160];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    to->count++;
    if (to->complain != NULL) {
        to->complain(to->arg, line);
    }
}

static void check_place(const otter_partition_entry_t *entry, uint32_t table_offset, uint32_t flash_size,
                        complaints_t *to)
{
    uint32_t align = entry->type == PART_TYPE_APP ? OTTER_PARTITION_APP_ALIGN : OTTER_PARTITION_DATA_ALIGN;
    if (entry->offset % align != 0) {
        complain(to, "%s: offset 0x%" PRIx32 " is not a multiple of 0x%" PRIx32, entry->label, entry->offset,
                 align);
    }
    if (entry->size % OTTER_PARTITION_DATA_ALIGN != 0) {
        complain(to, "%s: size 0x%" PRIx32 " is not a multiple of 0x%x", entry->label, entry->size,
                 OTTER_PARTITION_DATA_ALIGN);
    }
    if (entry->size == 0) {
        complain(to, "%s: has no size", entry->label);
    }
    if (!range_fits(entry->offset, entry->size, flash_size)) {
        complain(to, "%s: 0x%" PRIx32 " + 0x%" PRIx32 " is beyond the flash of 0x%" PRIx32 " bytes",
                 entry->label, entry->offset, entry->size, flash_size);
    }
    if (!kind_is_primary(entry->type, entry->subtype) &&
        ranges_overlap(entry->offset, entry->size, table_offset, OTTER_PARTITION_TABLE_SECTOR)) {
        complain(to, "%s: covers the partition table at 0x%" PRIx32, entry->label, table_offset);
    }
}

static void check_meaning(const otter_partition_entry_t *entry, complaints_t *to)
{
    uint32_t unknown = entry->flags & ~(PART_FLAG_ENCRYPTED | PART_FLAG_READONLY);
    if (unknown != 0) {
        complain(to, "%s: unknown flags 0x%" PRIx32 " (made by a newer tool?)", entry->label, unknown);
    }
    bool is_data = entry->type == PART_TYPE_DATA;
    if (is_data && entry->subtype == PART_SUBTYPE_DATA_OTA && entry->size < OTADATA_SIZE) {
        complain(to, "%s: otadata needs 0x%x bytes, has 0x%" PRIx32, entry->label, OTADATA_SIZE, entry->size);
    }
    if (strncmp(entry->label, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0) {
        complain(
            to,
            "%s: the label begins with a byte order mark: who looks for '%s' does not find it (an old tool "
            "took it over from a CSV)",
            entry->label, entry->label + strlen(BYTE_ORDER_MARK));
    }
    if (entry->type == ESP_PARTITION_TYPE_ANY) {
        complain(to, "%s: type 0xff means 'any' and cannot be found", entry->label);
    }
}

static void check_pair(const otter_partition_entry_t *a, const otter_partition_entry_t *b, complaints_t *to)
{
    if (ranges_overlap(a->offset, a->size, b->offset, b->size)) {
        complain(to, "%s at 0x%" PRIx32 " overlaps %s at 0x%" PRIx32, b->label, b->offset, a->label,
                 a->offset);
    }
    if (strcmp(a->label, b->label) == 0) {
        complain(to, "%s: two partitions have this label", a->label);
    }
    if (a->type == b->type && a->subtype == b->subtype &&
        (a->type == PART_TYPE_APP || (a->type == PART_TYPE_DATA && a->subtype == PART_SUBTYPE_DATA_OTA))) {
        complain(to, "%s and %s have the same type and subtype: only one of them is used", a->label,
                 b->label);
    }
}

uint32_t otter_partition_table_check(const otter_partition_table_t *table, uint32_t table_offset,
                                     uint32_t flash_size, otter_partition_complain_t complain_line, void *arg)
{
    complaints_t to = {.complain = complain_line, .arg = arg};
    uint32_t bound = flash_size != 0 ? flash_size : UINT32_MAX;
    for (uint32_t i = 0; i < table->count; i++) {
        check_place(&table->entries[i], table_offset, bound, &to);
        check_meaning(&table->entries[i], &to);
        for (uint32_t k = 0; k < i; k++) {
            check_pair(&table->entries[k], &table->entries[i], &to);
        }
    }
    if (table->md5 == OTTER_PARTITION_MD5_ABSENT) {
        complain(&to, "the table has no MD5 record: an application built with the default options sees no "
                      "partitions");
    } else if (table->md5 == OTTER_PARTITION_MD5_BAD) {
        complain(&to, "the MD5 record does not match the table");
    }
    return to.count;
}

/** How many rows are of this type and subtype. */
static uint32_t count_of(const otter_partition_table_t *table, uint8_t type, uint8_t subtype)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < table->count; i++) {
        count += table->entries[i].type == type && table->entries[i].subtype == subtype;
    }
    return count;
}

static void check_slots(const otter_partition_table_t *table, complaints_t *to)
{
    uint32_t slots = 0, end = 0;
    for (uint32_t n = 0; n < SLOTS_MAX; n++) {
        if (count_of(table, PART_TYPE_APP, (uint8_t)(PART_SUBTYPE_OTA_FLAG + n)) > 0) {
            slots++;
            end = n + 1;
        }
    }
    if (slots > 0 && count_of(table, PART_TYPE_DATA, PART_SUBTYPE_DATA_OTA) == 0) {
        complain(
            to,
            "OTA slots without an otadata partition: nothing can select a slot, so %s boots and no update "
            "takes effect",
            count_of(table, PART_TYPE_APP, PART_SUBTYPE_FACTORY) > 0 ? "factory" : "the first one");
    }
    for (uint32_t n = 0; n < end; n++) {
        if (count_of(table, PART_TYPE_APP, (uint8_t)(PART_SUBTYPE_OTA_FLAG + n)) == 0) {
            complain(to,
                     "ota_%" PRIu32 " is missing below ota_%" PRIu32
                     ": applications and bootloader count slots without gaps, so that is never used",
                     n, end - 1);
            break;
        }
    }
}

uint32_t otter_partition_table_check_roles(const otter_partition_table_t *table,
                                           otter_partition_complain_t complain_line, void *arg)
{
    complaints_t to = {.complain = complain_line, .arg = arg};
    bool app = false;
    for (uint32_t i = 0; i < table->count; i++) {
        app |= table->entries[i].type == PART_TYPE_APP;
    }
    if (!app) {
        complain(&to, "no app partition: there is nothing that could boot");
    }
    check_slots(table, &to);
    return to.count;
}
