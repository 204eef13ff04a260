/*
 * Binary partition tables.
 * Input: flags (1: put the right MD5 in, 2: an application that needs no MD5), size of the flash (index), the table; what
 * is missing of it is erased.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "flash/partition_list.h"
#include "otter/partition_table.h"
#include "fuzz.h"
#include "reference.h"
#include "sim/sim_flash.h"

#define TABLE_OFFSET 0x1000u
#define FLASH_SIZE   0x3000u

static const uint32_t flash_sizes[] = {0x400000, 0x200000, 0x1000000, 0x80000000,
                                       0x100000, 0x2000,   0xFFFFFFFF};

static void check_bootloader(const uint8_t *raw, uint32_t flash_size)
{
    uint32_t count, want_count;
    otter_fault_t fault = {0};
    esp_err_t verdict = otter_partition_table_verify(raw, flash_size, &count, &fault);
    esp_err_t want = reference_table_verify(raw, flash_size, &want_count);
    FUZZ_CHECK(verdict == want, "0x%x, the reference says 0x%x: %s", verdict, want, fault.why);
    FUZZ_CHECK(count == want_count, "%u records, the reference walks %u", count, want_count);
    FUZZ_CHECK((verdict == ESP_OK) == (fault.why[0] == '\0'), "verdict 0x%x and reason \"%s\"", verdict,
               fault.why);
    FUZZ_CHECK(otter_partition_table_verify(raw, flash_size, &count, NULL) == verdict, "depends on why");
}

/** Entries and MD5 as the application reads them; what was decoded encodes to what decodes the same. */
static void check_decoding(const uint8_t *raw, otter_partition_table_t *table)
{
    int md5;
    uint32_t want = reference_table_entries(raw, &md5);
    FUZZ_CHECK(otter_partition_table_decode(raw, table) == ESP_OK, "no memory?");
    FUZZ_CHECK(table->count == want && (int)table->md5 == md5, "%u entries, the reference sees %u",
               table->count, want);
    uint8_t again[OTTER_PARTITION_TABLE_LEN];
    bool with_md5 = table->md5 != OTTER_PARTITION_MD5_ABSENT;
    esp_err_t err = otter_partition_table_encode(table->entries, table->count, with_md5, again);
    bool fits = table->count + (with_md5 ? 1u : 0u) < OTTER_PARTITION_RECORDS_MAX;
    FUZZ_CHECK((err == ESP_OK) == fits, "%u entries: 0x%x", table->count, err);
    for (uint32_t i = 0; i < table->count; i++) {
        const uint8_t *record = raw + i * OTTER_PARTITION_RECORD_SIZE;
        uint8_t one[OTTER_PARTITION_RECORD_SIZE];
        otter_partition_entry_t entry;
        otter_partition_entry_encode(&table->entries[i], one);
        otter_partition_entry_decode(one, &entry);
        FUZZ_CHECK(memcmp(record, one, 12) == 0 && memcmp(record + 28, one + 28, 4) == 0, "record %u", i);
        FUZZ_CHECK(strncmp((const char *)record + 12, (const char *)one + 12, 16) == 0, "label of record %u",
                   i);
        FUZZ_CHECK(strcmp(entry.label, table->entries[i].label) == 0, "label of record %u", i);
        FUZZ_CHECK(!fits || memcmp(again + i * OTTER_PARTITION_RECORD_SIZE, one, sizeof(one)) == 0,
                   "record %u", i);
    }
    if (fits && table->count > 0) {
        uint32_t count;
        esp_err_t ours = otter_partition_table_verify(again, UINT32_MAX, &count, NULL);
        FUZZ_CHECK(ours == reference_table_verify(again, UINT32_MAX, &count), "verdict on our own table");
        FUZZ_CHECK(ours != ESP_ERR_INVALID_STATE, "our own table is malformed");
    }
}

static void count_complaint(void *arg, const char *line)
{
    FUZZ_CHECK(line[0] != '\0', "an empty complaint");
    (*(uint32_t *)arg)++;
}

/** Two partitions share a byte, by sums of 64 bits. */
static bool overlaps_somewhere(const otter_partition_table_t *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            const otter_partition_entry_t *a = &table->entries[i], *b = &table->entries[k];
            if (a->size > 0 && b->size > 0 && a->offset < (uint64_t)b->offset + b->size &&
                b->offset < (uint64_t)a->offset + a->size) {
                return true;
            }
        }
    }
    return false;
}

static void check_faults(const otter_partition_table_t *table, uint32_t flash_size)
{
    uint32_t lines = 0;
    uint32_t faults = otter_partition_table_check(table, 0x8000, flash_size, count_complaint, &lines);
    FUZZ_CHECK(faults == lines, "%u faults in %u lines", faults, lines);
    FUZZ_CHECK(faults == otter_partition_table_check(table, 0x8000, flash_size, NULL, NULL),
               "depends on the callback");
    if (faults != 0) {
        return;
    }
    FUZZ_CHECK(!overlaps_somewhere(table), "an overlap without a complaint");
    for (uint32_t i = 0; i < table->count; i++) {
        const otter_partition_entry_t *e = &table->entries[i];
        FUZZ_CHECK((uint64_t)e->offset + e->size <= flash_size, "%s leaves the flash without a complaint",
                   e->label);
        FUZZ_CHECK(e->size != 0 && e->offset % 0x1000 == 0, "%s is badly placed without a complaint",
                   e->label);
    }
}

static sim_flash_t sim;

static void place(const uint8_t *raw)
{
    FUZZ_CHECK(sim.bytes != NULL || sim_flash_init(&sim, FLASH_SIZE), "no memory");
    memcpy(sim.bytes + TABLE_OFFSET, raw, OTTER_PARTITION_TABLE_LEN);
}

typedef struct {
    const uint8_t *raw;
    uint32_t count;
} walk_t;

static void check_walked(void *arg, uint32_t index, const otter_partition_entry_t *entry)
{
    walk_t *walk = arg;
    otter_partition_entry_t want;
    FUZZ_CHECK(index == walk->count, "record %u after %u", index, walk->count);
    otter_partition_entry_decode(walk->raw + index * OTTER_PARTITION_RECORD_SIZE, &want);
    FUZZ_CHECK(entry->type == want.type && entry->offset == want.offset && entry->size == want.size &&
                   entry->flags == want.flags && strcmp(entry->label, want.label) == 0,
               "record %u is told as another", index);
    walk->count++;
}

/** From flash, piece by piece: the same verdict, and the leading records that it counts. */
static void check_in_flash(const uint8_t *raw, uint32_t flash_size)
{
    uint32_t count;
    walk_t walk = {.raw = raw};
    const otter_partition_taker_t taker = {check_walked, &walk};
    otter_fault_t whole = {0}, pieces = {0};
    place(raw);
    esp_err_t want = otter_partition_table_verify(raw, flash_size, &count, &whole);
    esp_err_t got = otter_partition_table_verify_at(&sim.flash, TABLE_OFFSET, flash_size, &taker, &pieces);
    FUZZ_CHECK(got == want && strcmp(whole.why, pieces.why) == 0, "0x%x (%s), whole 0x%x (%s)", got,
               pieces.why, want, whole.why);
    FUZZ_CHECK(want != ESP_OK || walk.count == count, "%u records of %u", walk.count, count);
}

static void check_list(const uint8_t *raw, const otter_partition_table_t *table, bool allow_no_md5)
{
    static otter_partition_list_t list;
    place(raw);
    esp_err_t err = partition_list_load(&list, &sim.flash, TABLE_OFFSET, allow_no_md5, NULL);
    bool good =
        table->md5 == OTTER_PARTITION_MD5_GOOD || (table->md5 == OTTER_PARTITION_MD5_ABSENT && allow_no_md5);
    if (table->count > OTTER_PARTITIONS_MAX) {
        good = false;
    }
    FUZZ_CHECK((err == ESP_OK) == good, "loading: 0x%x", err);
    FUZZ_CHECK(list.count == (good ? table->count : 0), "%u partitions of %u", list.count, table->count);
    for (uint32_t i = 0; i < list.count; i++) {
        const esp_partition_t *p = &list.items[i];
        FUZZ_CHECK(p->address == table->entries[i].offset && p->size == table->entries[i].size &&
                       (uint8_t)p->type == table->entries[i].type &&
                       strcmp(p->label, table->entries[i].label) == 0,
                   "partition %u is not record %u", i, i);
        /* Type 0xFF means "any" to a search, so nothing of that type can be found. */
        FUZZ_CHECK(p->type == ESP_PARTITION_TYPE_ANY || partition_list_verify(&list, p) != NULL,
                   "partition %u does not verify", i);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static otter_partition_table_t table;
    fuzz_input_t in = {data, size};
    uint8_t flags = fuzz_u8(&in);
    uint32_t flash_size = flash_sizes[fuzz_u8(&in) % (sizeof(flash_sizes) / sizeof(flash_sizes[0]))];
    uint8_t raw[OTTER_PARTITION_TABLE_LEN];
    memset(raw, 0xFF, sizeof(raw));
    fuzz_input_t bytes = fuzz_take(&in, sizeof(raw));
    if (bytes.len > 0) {
        memcpy(raw, bytes.bytes, bytes.len);
    }
    int md5 = reference_table_find_md5(raw);
    if ((flags & 1) != 0 && md5 >= 0) {
        reference_md5(raw, (size_t)md5 * 32, raw + (size_t)md5 * 32 + 16);
    }
    check_in_flash(raw, flash_size);
    check_bootloader(raw, flash_size);
    check_decoding(raw, &table);
    check_faults(&table, flash_size);
    check_list(raw, &table, (flags & 2) != 0);
    return 0;
}
