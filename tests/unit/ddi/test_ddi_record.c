/* The agent's record: its bytes are those of FORMATS.md section 16, and two sectors keep the old one or the new one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ddi/record.h"
#include "otter/bytes.h"
#include "support/session_rig.h"

static struct otter_ddi_record example(void)
{
    struct otter_ddi_record record = {.phase = DDI_SWITCHED,
                                      .tries = 1,
                                      .id = "7",
                                      .file = {.size = 9136, .kind = OTTER_DDI_SHA256},
                                      .image_len = 9136,
                                      .open_s = 90,
                                      .attributes_crc = 0x89ABCDEF,
                                      .server_crc = 0x12345678,
                                      .slot = "ota_1"};
    record.stored = 1;
    record.files_crc = 0xF11E5C4C;
    memset(record.file.hash, 0xAA, sizeof(record.file.hash));
    memset(record.image_sha256, 0xBB, sizeof(record.image_sha256));
    return record;
}

static void a_record_becomes_the_bytes_of_the_format_and_back(void **state)
{
    (void)state;
    uint8_t bytes[OTTER_DDI_RECORD_SIZE];
    struct otter_ddi_record record = example(), back;
    ddi_record_encode(&record, bytes);
    assert_int_equal(le32_get(bytes + 316), 0xd9021c79);
    memset(&back, 0, sizeof(back));
    assert_true(ddi_record_decode(bytes, &back));
    assert_memory_equal(back.id, record.id, sizeof(record.id));
    assert_int_equal(back.phase, DDI_SWITCHED);
    assert_int_equal(back.file.size, 9136);
    assert_int_equal(back.server_crc, 0x12345678);
    uint8_t again[OTTER_DDI_RECORD_SIZE];
    ddi_record_encode(&back, again);
    assert_memory_equal(again, bytes, sizeof(bytes));
}

static void a_record_that_is_damaged_is_none(void **state)
{
    (void)state;
    uint8_t bytes[OTTER_DDI_RECORD_SIZE];
    struct otter_ddi_record record = example(), back;
    for (uint32_t i = 0; i < OTTER_DDI_RECORD_SIZE; i++) {
        ddi_record_encode(&record, bytes);
        bytes[i] ^= 0x10;
        assert_false(ddi_record_decode(bytes, &back));
    }
    /* Values that nobody writes, with a checksum that is right. */
    static const struct {
        uint32_t at;
        uint8_t value;
    } rows[] = {{8, 5}, {9, 2}, {10, 2}, {12, 3}, {139, 'x'}, {156, 'x'}, {284, 'x'}, {285, 2}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ddi_record_encode(&record, bytes);
        bytes[rows[i].at] = rows[i].value;
        le32_put(bytes + 316, crc32_le(0, bytes, 316));
        assert_false(ddi_record_decode(bytes, &back));
    }
}

static void the_store_has_the_old_record_or_the_new_one(void **state)
{
    session_rig_t *s = *state;
    sim_flash_t *sim = &s->rig.sim;
    otter_flash_t *flash = &s->rig.flash;
    const esp_partition_t *partition = otter_partition_list_find(
        &s->device->partitions, NULL, ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, NULL);
    uint8_t records[2][OTTER_DDI_RECORD_SIZE], back[OTTER_DDI_RECORD_SIZE];
    otter_ddi_store_t store;
    assert_int_equal(otter_ddi_store_open(&store, flash, partition), ESP_OK);
    assert_int_equal(otter_ddi_store_load(&store, back), ESP_ERR_NOT_FOUND);
    for (unsigned i = 0; i < 40; i++) {
        struct otter_ddi_record record = example();
        record.open_s = i;
        ddi_record_encode(&record, records[i % 2]);
        if (i > 0) {
            sim->cut_at = sim->ops + i % 2;
            sim->tear = (sim_tear_t)(i / 2 % SIM_TEAR_LOST);
            const bool cut = otter_ddi_store_save(&store, records[i % 2]) != ESP_OK;
            sim_flash_power_on(sim);
            assert_int_equal(otter_ddi_store_open(&store, flash, partition), ESP_OK);
            assert_int_equal(otter_ddi_store_load(&store, back), ESP_OK);
            assert_true(memcmp(back, records[i % 2], sizeof(back)) == 0 ||
                        (cut && memcmp(back, records[1 - i % 2], sizeof(back)) == 0));
        }
        assert_int_equal(otter_ddi_store_save(&store, records[i % 2]), ESP_OK);
    }
}

static void a_partition_of_one_sector_has_no_store(void **state)
{
    session_rig_t *s = *state;
    otter_ddi_store_t store;
    esp_partition_t partition = *s->otadata;
    partition.size = 4096;
    assert_int_equal(otter_ddi_store_open(&store, &s->rig.flash, &partition), ESP_ERR_INVALID_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_becomes_the_bytes_of_the_format_and_back),
        cmocka_unit_test(a_record_that_is_damaged_is_none),
        SESSION_TEST(the_store_has_the_old_record_or_the_new_one),
        SESSION_TEST(a_partition_of_one_sector_has_no_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
