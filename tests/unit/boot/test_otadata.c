/* otadata records as values: bytes, the three predicates, which copy is active, arithmetic of sequence numbers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "boot/otadata.h"

static void record_has_the_documented_bytes(void **state)
{
    (void)state;
    static const uint8_t want[OTADATA_ENTRY_SIZE] = {
        2,    0,    0,    0,    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0,    0,    0,    0,    0x74, 0x37, 0xF6, 0x55};
    uint8_t raw[OTADATA_ENTRY_SIZE];
    otadata_entry_t entry = otadata_make(2, ESP_OTA_IMG_NEW), back;
    otadata_encode(&entry, raw);
    assert_memory_equal(raw, want, sizeof(want));
    otadata_decode(raw, &back);
    assert_memory_equal(&back, &entry, sizeof(entry));
}

static void crc_is_of_the_sequence_number_alone(void **state)
{
    (void)state;
    static const struct {
        uint32_t seq, crc;
    } rows[] = {
        {0, 0xFFFFFFFF}, {1, 0x4743989A},   {2, 0x55F63774},          {3, 0xED4A5011},
        {4, 0x709D68A8}, {5, 0xC8210FCD},   {6, 0xDA94A023},          {7, 0x6228C746},
        {8, 0x3A4BD710}, {100, 0x4BBB9FAB}, {0xFFFFFFFE, 0x99F8B879}, {0xFFFFFFFF, 0x2144DF1C},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(otadata_crc(rows[i].seq), rows[i].crc);
    }
}

static void predicates_differ_where_they_should(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t seq, state, crc;
        bool refused, valid, uninitialised;
    } rows[] = {
        {"erased", 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, true, false, true},
        {"valid", 1, ESP_OTA_IMG_VALID, 0x4743989A, false, true, false},
        {"new", 1, ESP_OTA_IMG_NEW, 0x4743989A, false, true, false},
        {"pending", 1, ESP_OTA_IMG_PENDING_VERIFY, 0x4743989A, false, true, false},
        {"undefined", 1, ESP_OTA_IMG_UNDEFINED, 0x4743989A, false, true, false},
        {"unknown state", 1, 5, 0x4743989A, false, true, false},
        {"torn state", 1, 0xFFFFFF03, 0x4743989A, false, true, false},
        {"invalid", 1, ESP_OTA_IMG_INVALID, 0x4743989A, true, false, false},
        {"aborted", 1, ESP_OTA_IMG_ABORTED, 0x4743989A, true, false, false},
        {"crc not written", 1, ESP_OTA_IMG_NEW, 0xFFFFFFFF, false, false, true},
        {"one crc bit missing", 1, ESP_OTA_IMG_VALID, 0x4743989B, false, false, true},
        {"invalid, crc wrong", 1, ESP_OTA_IMG_INVALID, 0, true, false, true},
        {"crc of an erased number", 0xFFFFFFFF, ESP_OTA_IMG_VALID, 0x2144DF1C, true, false, true},
        {"0 in an erased sector", 0, 0xFFFFFFFF, 0xFFFFFFFF, false, true, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const otadata_entry_t entry = {.seq = rows[i].seq, .state = rows[i].state, .crc = rows[i].crc};
        if (otadata_is_refused(&entry) != rows[i].refused || otadata_is_valid(&entry) != rows[i].valid ||
            otadata_is_uninitialised(&entry) != rows[i].uninitialised) {
            fail_msg("%s", rows[i].name);
        }
    }
}

static void higher_number_is_active_and_copy_0_on_a_tie(void **state)
{
    (void)state;
    static const struct {
        uint32_t seq[2], state[2];
        int want;
    } rows[] = {
        {{1, 2}, {ESP_OTA_IMG_VALID, ESP_OTA_IMG_VALID}, 1},
        {{3, 2}, {ESP_OTA_IMG_VALID, ESP_OTA_IMG_VALID}, 0},
        {{5, 5}, {ESP_OTA_IMG_VALID, ESP_OTA_IMG_NEW}, 0},
        {{0xFFFFFFFE, 1}, {ESP_OTA_IMG_VALID, ESP_OTA_IMG_VALID}, 0},
        {{1, 2}, {ESP_OTA_IMG_VALID, ESP_OTA_IMG_ABORTED}, 0},
        {{1, 2}, {ESP_OTA_IMG_INVALID, ESP_OTA_IMG_VALID}, 1},
        {{1, 2}, {ESP_OTA_IMG_INVALID, ESP_OTA_IMG_ABORTED}, OTADATA_NONE},
        {{0xFFFFFFFF, 0xFFFFFFFF}, {ESP_OTA_IMG_VALID, ESP_OTA_IMG_VALID}, OTADATA_NONE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const otadata_entry_t two[2] = {otadata_make(rows[i].seq[0], rows[i].state[0]),
                                        otadata_make(rows[i].seq[1], rows[i].state[1])};
        assert_int_equal(otadata_active(two), rows[i].want);
    }
}

static void next_number_is_the_first_above_that_selects_the_slot(void **state)
{
    (void)state;
    static const struct {
        uint32_t current, slot, count;
        esp_err_t want;
        uint32_t next;
    } rows[] = {
        {1, 1, 2, ESP_OK, 2},
        {2, 1, 2, ESP_OK, 4},
        {5, 0, 3, ESP_OK, 7},
        {6, 0, 3, ESP_OK, 7},
        {7, 0, 3, ESP_OK, 10},
        {0, 2, 3, ESP_OK, 3},
        {0, 0, 1, ESP_OK, 1},
        {0x80000000, 15, 16, ESP_OK, 0x80000010},
        {0xFFFFFFFC, 1, 2, ESP_OK, 0xFFFFFFFE},
        {0xFFFFFFFD, 0, 2, ESP_ERR_OTA_SELECT_INFO_INVALID, 0}, /* would be the erased number */
        {0xFFFFFFFE, 1, 2, ESP_ERR_OTA_SELECT_INFO_INVALID, 0}, /* would wrap */
        {0xFFFFFFFF, 0, 2, ESP_ERR_OTA_SELECT_INFO_INVALID, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t next = 0;
        assert_int_equal(otadata_next_seq(rows[i].current, rows[i].slot, rows[i].count, &next), rows[i].want);
        assert_int_equal(next, rows[i].next);
        assert_true(rows[i].want != ESP_OK || otadata_slot(next, rows[i].count) == rows[i].slot);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_has_the_documented_bytes),
        cmocka_unit_test(crc_is_of_the_sequence_number_alone),
        cmocka_unit_test(predicates_differ_where_they_should),
        cmocka_unit_test(higher_number_is_active_and_copy_0_on_a_tie),
        cmocka_unit_test(next_number_is_the_first_above_that_selects_the_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
