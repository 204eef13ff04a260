/* The list of partitions as an application loads it, and finding in it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flash/partition_list.h"
#include "otter/partition_table.h"
#include "sim/sim_flash.h"
#include "support/ota_rig.h"

#define FLASH_SIZE 0x400000u

static sim_flash_t sim;
static otter_partition_list_t list;

static int setup(void **state)
{
    (void)state;
    return sim_flash_init(&sim, FLASH_SIZE) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    sim_flash_free(&sim);
    return 0;
}

/** Put a recorded table into flash at `offset`, the rest erased. */
static void place_table(const char *name, uint32_t offset)
{
    char file[64];
    snprintf(file, sizeof(file), "%s.bin", name);
    uint32_t len;
    uint8_t *bytes = rig_load("ptable/bin", file, &len);
    memset(sim.bytes, 0xFF, FLASH_SIZE);
    memcpy(sim.bytes + offset, bytes, len);
    free(bytes);
}

static void load_takes_what_an_application_takes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *table;
        bool allow_no_md5;
        esp_err_t want;
        uint32_t count;
    } rows[] = {
        {"two OTA slots", "two_ota_md5", false, ESP_OK, 6},
        {"no MD5, demanded", "two_ota_nomd5", false, ESP_ERR_NOT_FOUND, 0},
        {"no MD5, allowed", "two_ota_nomd5", true, ESP_OK, 6},
        {"wrong MD5", "bad_md5_digest", false, ESP_ERR_INVALID_STATE, 0},
        {"wrong MD5, though none is needed", "bad_md5_digest", true, ESP_ERR_INVALID_STATE, 0},
        {"erased", "bad_all_ff", false, ESP_ERR_NOT_FOUND, 0},
        {"erased, MD5 not needed", "bad_all_ff", true, ESP_OK, 0},
        {"zeros", "bad_all_zero", false, ESP_ERR_NOT_FOUND, 0},
        {"garbage ends the table before its MD5", "bad_magic_entry1", false, ESP_ERR_NOT_FOUND, 0},
        {"garbage just ends the table", "bad_magic_entry1", true, ESP_OK, 1},
        {"behind the MD5 nothing counts", "odd_entry_after_md5", false, ESP_OK, 6},
        {"only entries up to the last record", "bad_no_terminator_96", true, ESP_ERR_INVALID_STATE, 0},
        {"as many as fit", "ok_max94", false, ESP_OK, 94},
        {"as many as fit without MD5", "ok_max95_nomd5", true, ESP_OK, 95},
        {"overlap is not looked at", "odd_overlapping", false, ESP_OK, 2},
        {"bounds are not looked at", "bad_exceeds_4mb", false, ESP_OK, 2},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        place_table(rows[i].table, 0x8000);
        esp_err_t got = partition_list_load(&list, &sim.flash, 0x8000, rows[i].allow_no_md5, NULL);
        if (got != rows[i].want || list.status != got || list.count != rows[i].count) {
            fail_msg("%s: 0x%x, %u partitions", rows[i].name, (unsigned)got, list.count);
        }
    }
}

static void load_needs_a_whole_sector_of_flash(void **state)
{
    (void)state;
    place_table("two_ota_md5", FLASH_SIZE - 0x1000);
    assert_int_equal(partition_list_load(&list, &sim.flash, FLASH_SIZE - 0x1000, false, NULL), ESP_OK);
    assert_int_equal(partition_list_load(&list, &sim.flash, FLASH_SIZE - 0xC00, false, NULL),
                     ESP_ERR_INVALID_SIZE);
    assert_int_equal(partition_list_load(&list, &sim.flash, FLASH_SIZE, false, NULL), ESP_ERR_INVALID_SIZE);
    assert_int_equal(partition_list_load(&list, &sim.flash, UINT32_MAX, false, NULL), ESP_ERR_INVALID_SIZE);
}

static void load_tells_that_the_flash_failed(void **state)
{
    (void)state;
    place_table("two_ota_md5", 0x8000);
    sim.fail_read_at = sim.reads;
    assert_int_equal(partition_list_load(&list, &sim.flash, 0x8000, false, NULL), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(list.count, 0);
    assert_null(
        otter_partition_list_find(&list, NULL, ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL));
    sim.fail_read_at = UINT32_MAX;
}

static void a_record_says_what_the_table_says(void **state)
{
    (void)state;
    place_table("ok_flags", 0x8000);
    assert_int_equal(partition_list_load(&list, &sim.flash, 0x8000, false, NULL), ESP_OK);
    const esp_partition_t *keys = &list.items[2];
    assert_string_equal(keys->label, "k");
    assert_int_equal(keys->type, ESP_PARTITION_TYPE_DATA);
    assert_int_equal(keys->subtype, ESP_PARTITION_SUBTYPE_DATA_NVS_KEYS);
    assert_int_equal(keys->address, 0x10000);
    assert_int_equal(keys->size, 0x1000);
    assert_int_equal(keys->erase_size, 4096);
    assert_true(keys->readonly && !list.items[0].readonly);
    assert_false(keys->encrypted ||
                 list.items[0].encrypted); /* the flag says it, and this flash has no encryption */
    assert_ptr_equal(keys->flash_chip, &sim.flash);
}

static void a_label_may_use_all_sixteen_bytes(void **state)
{
    (void)state;
    place_table("odd_label16_no_nul", 0x8000);
    assert_int_equal(partition_list_load(&list, &sim.flash, 0x8000, false, NULL), ESP_OK);
    assert_int_equal(strlen(list.items[0].label), 16);
}

static void find_honours_wildcards_and_table_order(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned type, subtype;
        const char *label;
        unsigned count;
        const char *first;
    } rows[] = {
        {"everything", 0xFF, 0xFF, NULL, 6, "nvs"},
        {"all apps", 0, 0xFF, NULL, 3, "factory"},
        {"one slot", 0, 0x11, NULL, 1, "ota_1"},
        {"by label", 0xFF, 0xFF, "otadata", 1, "otadata"},
        {"label of another type", 0, 0xFF, "otadata", 0, NULL},
        {"subtype without type", 0xFF, 0x00, NULL, 0, NULL},
        {"none of that subtype", 1, 0x03, NULL, 0, NULL},
        {"part of a label", 0xFF, 0xFF, "ota", 0, NULL},
        {"empty label", 0xFF, 0xFF, "", 0, NULL},
    };
    place_table("two_ota_md5", 0x8000);
    assert_int_equal(partition_list_load(&list, &sim.flash, 0x8000, false, NULL), ESP_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned count = 0;
        const esp_partition_t *found = NULL, *first = NULL;
        while ((found = otter_partition_list_find(&list, found, (esp_partition_type_t)rows[i].type,
                                                  (esp_partition_subtype_t)rows[i].subtype, rows[i].label)) !=
               NULL) {
            first = first != NULL ? first : found;
            count++;
        }
        if (count != rows[i].count || (first != NULL && strcmp(first->label, rows[i].first) != 0)) {
            fail_msg("%s: %u found", rows[i].name, count);
        }
    }
}

static void verify_finds_the_canonical_record(void **state)
{
    (void)state;
    place_table("two_ota_md5", 0x8000);
    assert_int_equal(partition_list_load(&list, &sim.flash, 0x8000, false, NULL), ESP_OK);
    esp_partition_t copy = list.items[4];
    assert_ptr_equal(partition_list_verify(&list, &copy), &list.items[4]);
    copy.label[0] = '\0'; /* no label: place and kind decide */
    assert_ptr_equal(partition_list_verify(&list, &copy), &list.items[4]);
    copy.readonly = true; /* not compared */
    assert_ptr_equal(partition_list_verify(&list, &copy), &list.items[4]);

    copy = list.items[4];
    strcpy(copy.label, "other");
    assert_null(partition_list_verify(&list, &copy));
    copy = list.items[4];
    copy.address += 0x1000;
    assert_null(partition_list_verify(&list, &copy));
    copy = list.items[4];
    copy.size -= 1;
    assert_null(partition_list_verify(&list, &copy));
    copy = list.items[4];
    copy.encrypted = true;
    assert_null(partition_list_verify(&list, &copy));
    copy = list.items[4];
    copy.flash_chip = NULL;
    assert_null(partition_list_verify(&list, &copy));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(load_takes_what_an_application_takes),
        cmocka_unit_test(load_needs_a_whole_sector_of_flash),
        cmocka_unit_test(load_tells_that_the_flash_failed),
        cmocka_unit_test(a_record_says_what_the_table_says),
        cmocka_unit_test(a_label_may_use_all_sixteen_bytes),
        cmocka_unit_test(find_honours_wildcards_and_table_order),
        cmocka_unit_test(verify_finds_the_canonical_record),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
