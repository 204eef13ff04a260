/* The binary partition table: the recorded verdicts of ESP-IDF's own verifier, faults it overlooks, random bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "otter/bytes.h"
#include "otter/partition_table.h"
#include "support/ota_rig.h"

#define FLASH_4MB 0x400000u

/** A table as it would lie in flash: what the file does not have is erased. */
static void read_table(const char *name, uint8_t raw[OTTER_PARTITION_TABLE_LEN])
{
    char path[128];
    snprintf(path, sizeof(path), "bin/%s.bin", name);
    uint32_t len;
    uint8_t *data = rig_load("ptable", path, &len);
    memset(raw, 0xFF, OTTER_PARTITION_TABLE_LEN);
    memcpy(raw, data, len < OTTER_PARTITION_TABLE_LEN ? len : OTTER_PARTITION_TABLE_LEN);
    free(data);
}

/** [code, count, log line] of one version of ESP-IDF. */
static void check_verdict(const char *table, const char *version, const cJSON *verdict)
{
    uint8_t raw[OTTER_PARTITION_TABLE_LEN];
    read_table(table, raw);
    esp_err_t want = (esp_err_t)strtol(cJSON_GetArrayItem(verdict, 0)->valuestring, NULL, 16);
    uint32_t want_count = (uint32_t)cJSON_GetArrayItem(verdict, 1)->valueint;
    const char *want_log = cJSON_GetArrayItem(verdict, 2)->valuestring;

    uint32_t count = 99;
    otter_fault_t fault = {0};
    esp_err_t got = otter_partition_table_verify(raw, FLASH_4MB, &count, &fault);
    if (got != want || count != want_count) {
        fail_msg("%s, %s: got 0x%x count %u, ESP-IDF says 0x%x count %u (%s)", table, version, (unsigned)got,
                 count, (unsigned)want, want_count, fault.why);
    }
    if (strlen(want_log) > 0) {
        assert_string_equal(fault.why, strchr(want_log, ':') + 2); /* behind "E flash_parts: " */
    } else {
        assert_string_equal(fault.why, "");
    }
}

/*
 * Two known differences, both as ESP-IDF does it now: 4.4 takes a wholly erased table, and up to 6.0 the bounds check
 * wraps at 32 bits.
 */
static bool differs(const char *table, const char *version)
{
    return (strcmp(table, "bad_all_ff") == 0 && strcmp(version, "c_v4.4.8") == 0) ||
           (strcmp(table, "odd_offset_size_wrap") == 0 && strcmp(version, "c_HEAD") != 0);
}

static void verify_gives_the_verdict_of_esp_idf_on_every_recorded_table(void **state)
{
    (void)state;
    static const char *const versions[] = {"c_v4.4.8", "c_v5.5.5", "c_v6.0.2", "c_HEAD"};
    uint32_t len;
    char *text = (char *)rig_load("ptable", "bin_cases.json", &len);
    cJSON *cases = cJSON_Parse(text);
    assert_non_null(cases);
    unsigned same = 0, different = 0;
    for (const cJSON *one = cases->child; one != NULL; one = one->next) {
        for (size_t v = 0; v < 4; v++) {
            if (differs(one->string, versions[v])) {
                different++;
                continue;
            }
            check_verdict(one->string, versions[v], cJSON_GetObjectItem(one, versions[v]));
            same++;
        }
    }
    assert_int_equal(same + different, 84);
    assert_int_equal(different, 4);
    cJSON_Delete(cases);
    free(text);
}

/** A table of `count` data partitions of one sector each, with MD5. */
static void make_table(uint8_t raw[OTTER_PARTITION_TABLE_LEN], uint32_t count)
{
    otter_partition_entry_t entries[OTTER_PARTITIONS_MAX] = {0};
    for (uint32_t i = 0; i < count; i++) {
        entries[i] = (otter_partition_entry_t){.type = 0x40, .offset = 0x9000 + i * 0x1000, .size = 0x1000};
        snprintf(entries[i].label, sizeof(entries[i].label), "p%u", i);
    }
    assert_int_equal(otter_partition_table_encode(entries, count, true, raw), ESP_OK);
}

static void verify_never_wraps_at_32_bits(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t offset, size, flash;
        esp_err_t want;
    } rows[] = {
        {"ends with the flash", 0x3FF000, 0x1000, FLASH_4MB, ESP_OK},
        {"one byte beyond", 0x3FF000, 0x1001, FLASH_4MB, ESP_ERR_INVALID_SIZE},
        {"starts at the end, empty", 0x400000, 0, FLASH_4MB, ESP_OK},
        {"starts beyond, empty", 0x400001, 0, FLASH_4MB, ESP_ERR_INVALID_SIZE},
        {"sum wraps to 0", 0x10000, 0xFFFF0000, FLASH_4MB, ESP_ERR_INVALID_SIZE},
        {"sum wraps inside", 0x300000, 0xFFE00000, FLASH_4MB, ESP_ERR_INVALID_SIZE},
        {"everything", 0xFFFFFFFF, 0xFFFFFFFF, 0x80000000, ESP_ERR_INVALID_SIZE},
        {"ends with 2 GiB", 0x7FFFF000, 0x1000, 0x80000000, ESP_OK},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        otter_partition_entry_t entry = {
            .type = 1, .subtype = 2, .label = "x", .offset = rows[i].offset, .size = rows[i].size};
        uint8_t raw[OTTER_PARTITION_TABLE_LEN];
        uint32_t count;
        assert_int_equal(otter_partition_table_encode(&entry, 1, true, raw), ESP_OK);
        esp_err_t got = otter_partition_table_verify(raw, rows[i].flash, &count, NULL);
        if (got != rows[i].want) {
            fail_msg("%s: 0x%x", rows[i].name, (unsigned)got);
        }
    }
}

static void any_flipped_bit_of_the_records_is_found_by_the_md5(void **state)
{
    (void)state;
    uint8_t raw[OTTER_PARTITION_TABLE_LEN];
    make_table(raw, 3);
    for (uint32_t bit = 0; bit < 3 * OTTER_PARTITION_RECORD_SIZE * 8; bit++) {
        uint32_t count;
        raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(otter_partition_table_verify(raw, FLASH_4MB, &count, NULL), ESP_OK);
        assert_int_equal(count, 0);
        raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void encode_refuses_what_leaves_no_room_for_the_end_record(void **state)
{
    (void)state;
    static otter_partition_entry_t entries[OTTER_PARTITION_RECORDS_MAX];
    uint8_t raw[OTTER_PARTITION_TABLE_LEN];
    uint32_t count;
    assert_int_equal(otter_partition_table_encode(entries, 94, true, raw), ESP_OK);
    assert_int_equal(otter_partition_table_verify(raw, FLASH_4MB, &count, NULL), ESP_OK);
    assert_int_equal(count, 94);
    assert_int_equal(otter_partition_table_encode(entries, 95, true, raw), ESP_ERR_INVALID_SIZE);
    assert_int_equal(otter_partition_table_encode(entries, 95, false, raw), ESP_OK);
    assert_int_equal(otter_partition_table_verify(raw, FLASH_4MB, &count, NULL), ESP_OK);
    assert_int_equal(count, 95);
    assert_int_equal(otter_partition_table_encode(entries, 96, false, raw), ESP_ERR_INVALID_SIZE);
}

static void a_record_survives_decode_and_encode(void **state)
{
    (void)state;
    otter_partition_entry_t entry = {
        .type = 0, .subtype = 0x1F, .offset = 0x12345678, .size = 0x9ABCDEF0, .flags = 0x80000003};
    memcpy(entry.label, "sixteen_chars_ok", 16);
    uint8_t raw[OTTER_PARTITION_RECORD_SIZE], again[OTTER_PARTITION_RECORD_SIZE];
    otter_partition_entry_encode(&entry, raw);
    otter_partition_entry_t back;
    otter_partition_entry_decode(raw, &back);
    assert_string_equal(back.label, "sixteen_chars_ok");
    assert_int_equal(back.offset, 0x12345678);
    assert_int_equal(back.flags, 0x80000003);
    otter_partition_entry_encode(&back, again);
    assert_memory_equal(raw, again, sizeof(raw));
}

static void keep_line(void *arg, const char *line)
{
    char *all = arg;
    strncat(all, line, 2000 - strlen(all) - 1);
    strncat(all, "\n", 2000 - strlen(all) - 1);
}

static void check_names_what_the_bootloader_overlooks(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        otter_partition_entry_t entries[2];
        uint32_t faults;
        const char *want;
    } rows[] = {
        {"a good pair", {{1, 2, 0x9000, 0x3000, "a", 0}, {0, 0, 0x10000, 0x10000, "b", 0}}, 0, ""},
        {"overlap",
         {{1, 2, 0x9000, 0x3000, "a", 0}, {1, 1, 0xB000, 0x1000, "b", 0}},
         1,
         "b at 0xb000 overlaps a at 0x9000"},
        {"overlap, later first",
         {{1, 2, 0xB000, 0x1000, "a", 0}, {1, 1, 0x9000, 0x3000, "b", 0}},
         1,
         "b at 0x9000 overlaps a at 0xb000"},
        {"touching is fine", {{1, 2, 0x9000, 0x1000, "a", 0}, {1, 1, 0xA000, 0x1000, "b", 0}}, 0, ""},
        {"app not at 64K",
         {{1, 2, 0x9000, 0x1000, "a", 0}, {0, 0, 0x11000, 0x1000, "b", 0}},
         1,
         "b: offset 0x11000 is not a multiple of 0x10000"},
        {"odd size",
         {{1, 2, 0x9000, 0x1000, "a", 0}, {1, 1, 0xA000, 0x1001, "b", 0}},
         1,
         "b: size 0x1001 is not a multiple of 0x1000"},
        {"over the table",
         {{1, 2, 0x8000, 0x1000, "a", 0}, {1, 1, 0xA000, 0x1000, "b", 0}},
         1,
         "a: covers the partition table at 0x8000"},
        {"from before the table",
         {{1, 2, 0x1000, 0x8000, "a", 0}, {1, 1, 0xA000, 0x1000, "b", 0}},
         1,
         "a: covers the partition table at 0x8000"},
        {"the table's own entry", {{3, 0, 0x8000, 0x1000, "a", 0}, {1, 1, 0xA000, 0x1000, "b", 0}}, 0, ""},
        {"beyond the flash",
         {{1, 2, 0x9000, 0x1000, "a", 0}, {1, 1, 0x3FF000, 0x2000, "b", 0}},
         1,
         "b: 0x3ff000 + 0x2000 is beyond the flash of 0x400000 bytes"},
        {"one label twice",
         {{1, 2, 0x9000, 0x1000, "a", 0}, {1, 1, 0xA000, 0x1000, "a", 0}},
         1,
         "a: two partitions have this label"},
        {"one slot twice",
         {{0, 16, 0x10000, 0x1000, "a", 0}, {0, 16, 0x20000, 0x1000, "b", 0}},
         1,
         "a and b have the same type and subtype: only one of them is used"},
        {"small otadata",
         {{1, 0, 0x9000, 0x1000, "a", 0}, {1, 1, 0xA000, 0x1000, "b", 0}},
         1,
         "a: otadata needs 0x2000 bytes, has 0x1000"},
        {"new flag",
         {{1, 1, 0x9000, 0x1000, "a", 4}, {1, 2, 0xA000, 0x1000, "b", 3}},
         1,
         "a: unknown flags 0x4 (made by a newer tool?)"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        otter_partition_table_t table = {.count = 2, .md5 = OTTER_PARTITION_MD5_GOOD};
        memcpy(table.entries, rows[i].entries, sizeof(rows[i].entries));
        char lines[2000] = "";
        uint32_t faults = otter_partition_table_check(&table, 0x8000, FLASH_4MB, keep_line, lines);
        if (faults != rows[i].faults || strncmp(lines, rows[i].want, strlen(rows[i].want)) != 0) {
            fail_msg("%s: %u faults: %s", rows[i].name, faults, lines);
        }
    }
}

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/** Mostly good tables with some bytes changed: pure noise would end at the first magic. */
static void random_tables_get_a_verdict_and_never_count_what_is_out_of_bounds(void **state)
{
    (void)state;
    const char *env = getenv("OTTER_TEST_SEED");
    uint32_t first_seed = env != NULL ? (uint32_t)strtoul(env, NULL, 0) : 0x5EED0001;
    uint32_t seed = first_seed;
    uint8_t *raw = malloc(OTTER_PARTITION_TABLE_LEN); /* exact size: the sanitizer sees any read past it */
    otter_partition_table_t *table = malloc(sizeof(*table));
    assert_non_null(raw);
    assert_non_null(table);
    unsigned accepted = 0;
    for (uint32_t round = 0; round < 20000; round++) {
        make_table(raw, next_random(&seed) % 95);
        for (uint32_t n = next_random(&seed) % 4; n > 0; n--) {
            uint32_t at = next_random(&seed) % (n % 2 ? 128 : OTTER_PARTITION_TABLE_LEN);
            raw[at] = (uint8_t)(next_random(&seed) % 3 ? next_random(&seed) : 0xFF);
        }
        uint32_t count;
        esp_err_t err = otter_partition_table_verify(raw, FLASH_4MB, &count, NULL);
        assert_int_equal(otter_partition_table_decode(raw, table), ESP_OK);
        if (err == ESP_OK) {
            accepted++;
            for (uint32_t i = 0; i < table->count; i++) {
                if (!range_fits(table->entries[i].offset, table->entries[i].size, FLASH_4MB)) {
                    fail_msg("seed 0x%x round %u: entry %u is out of bounds", first_seed, round, i);
                }
            }
        }
        otter_partition_table_check(table, 0x8000, FLASH_4MB, NULL, NULL);
    }
    printf("seed 0x%x: %u of 20000 damaged tables accepted\n", first_seed, accepted);
    free(table);
    free(raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verify_gives_the_verdict_of_esp_idf_on_every_recorded_table),
        cmocka_unit_test(verify_never_wraps_at_32_bits),
        cmocka_unit_test(any_flipped_bit_of_the_records_is_found_by_the_md5),
        cmocka_unit_test(encode_refuses_what_leaves_no_room_for_the_end_record),
        cmocka_unit_test(a_record_survives_decode_and_encode),
        cmocka_unit_test(check_names_what_the_bootloader_overlooks),
        cmocka_unit_test(random_tables_get_a_verdict_and_never_count_what_is_out_of_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
