/*
 * Journals of copies that nobody began: forged, damaged, outdated or random ones are never followed, and none can be brought
 * by a download. Random journals print their seed; OTTER_SEED replays it.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/staged_copy.h"
#include "support/copy_rig.h"
#include "support/test_cipher.h"

#define COMMITTED           68u /* offsets in the journal */
#define CLOSED              69u
#define COMMITTED_IN_BLOCKS 80u /* where the header fills blocks of a cipher */

/** A journal as a cut in the copy of data_new from ota_1 to files would leave it. */
static copy_journal_t good_journal(copy_rig_t *w)
{
    copy_journal_t journal = {.staging_off = 0x20000,
                              .staging_size = 0x8000,
                              .final_off = 0x40000,
                              .final_size = 0x4000,
                              .final_type = 1,
                              .final_subtype = 0x81,
                              .len = PAYLOAD,
                              .unit = SECTOR};
    copy_rig_put(w, "ota_1", data_new, PAYLOAD);
    return journal;
}

static void place_journal(copy_rig_t *w, copy_journal_t *journal, uint32_t end)
{
    otter_digest_t sha = {0};
    assert_true(otter_sha256_begin(&sha));
    if (range_fits(journal->staging_off, journal->len, FLASH_SIZE)) {
        otter_digest_update(&sha, w->sim.bytes + journal->staging_off, journal->len);
        otter_digest_finish(&sha, journal->digest);
    }
    otter_digest_end(&sha);
    memset(w->sim.bytes + end - SECTOR, 0xFF, SECTOR);
    copy_journal_encode(journal, w->sim.bytes + end - SECTOR);
    w->sim.bytes[end - SECTOR + COMMITTED] = 0;
}

/** Boots. Flash must be as before, but for the journal, which may be closed. */
static void check_not_followed(copy_rig_t *w, uint32_t end, const char *name)
{
    uint8_t *before = malloc(FLASH_SIZE);
    assert_non_null(before);
    memcpy(before, w->sim.bytes, FLASH_SIZE);
    assert_true(copy_rig_boot(w));
    assert_string_equal(w->device.running->label, "ota_0");
    copy_journal_t journal;
    bool live = copy_journal_read(&w->sim.flash, end, &journal) == ESP_OK;
    assert_true(live == (end == 0x44000)); /* cleared, except where none is looked for */
    memcpy(w->sim.bytes + end - SECTOR, before + end - SECTOR, 4);
    w->sim.bytes[end - SECTOR + CLOSED] = before[end - SECTOR + CLOSED];
    if (memcmp(before, w->sim.bytes, FLASH_SIZE) != 0) {
        fail_msg("%s: the journal was followed", name);
    }
    free(before);
}

static void forged_journals_are_not_followed(void **state)
{
    copy_rig_t *w = *state;
    static const struct {
        const char *name, *final; /* NULL: fields as below */
        uint32_t staging_off, staging_size, final_off, final_size, len, unit;
        bool any; /* the kind of final is the wildcard of a look-up */
    } rows[] = {
        {.name = "final runs", .final = "ota_0"},
        {.name = "final says what boots", .final = "otadata"},
        {.name = "final is read-only", .final = "fixed"},
        {.name = "final is the table, source is none", .final = "table"},
        {.name = "final is staging", .final = "ota_1"},
        {.name = "final is a bootloader, called anything", .final = "boot", .any = true},
        {.name = "final is data, called anything", .final = "files", .any = true},
        {.name = "final is not in the table", .final_off = 0x41000, .final_size = 0x3000},
        {.name = "final is larger than its partition", .final_size = 0x5000},
        {.name = "final lies beyond the flash", .final_off = 0xFFFFF000u, .final_size = 0x4000},
        {.name = "staging is another partition", .staging_off = 0x30000, .staging_size = 0x4000},
        {.name = "staging begins elsewhere", .staging_off = 0x1F000, .staging_size = 0x9000},
        {.name = "staging wraps", .staging_off = 0xFFFFF000u, .staging_size = 0x29000},
        {.name = "more bytes than final has", .len = 0x4001},
        {.name = "bytes up to the journal and into it", .final = "ota_0", .len = 0x7001},
        {.name = "no bytes", .len = 0xFFFFFFFF},
        {.name = "unit 0", .unit = 0xFFFFFFFF},
        {.name = "unit of no sectors", .unit = 77},
        {.name = "unit of two sectors", .unit = 0x2000},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sim_flash_copy(&w->sim, &w->golden);
        copy_journal_t journal = good_journal(w);
        if (rows[i].final != NULL) {
            const otter_partition_entry_t *final = copy_place_of(rows[i].final);
            journal.final_off = final->offset;
            journal.final_size = final->size;
            journal.final_type = final->type;
            journal.final_subtype = final->subtype;
            journal.len = final->size < journal.len ? final->size : journal.len;
        }
        if (rows[i].any) {
            journal.final_type = journal.final_subtype = ESP_PARTITION_SUBTYPE_ANY;
        }
        const uint32_t *from[] = {&rows[i].staging_off, &rows[i].staging_size, &rows[i].final_off,
                                  &rows[i].final_size,  &rows[i].len,          &rows[i].unit};
        uint32_t *to[] = {&journal.staging_off, &journal.staging_size, &journal.final_off,
                          &journal.final_size,  &journal.len,          &journal.unit};
        for (size_t k = 0; k < sizeof(to) / sizeof(to[0]); k++) {
            *to[k] = *from[k] == 0 ? *to[k] : *from[k] == 0xFFFFFFFF ? 0 : *from[k];
        }
        place_journal(w, &journal, 0x28000);
        check_not_followed(w, 0x28000, rows[i].name);
    }
}

static void the_same_journal_unforged_is_followed(void **state)
{
    copy_rig_t *w = *state;
    const copy_case_t c = {"", "ota_1", "files", data_new, PAYLOAD};
    copy_journal_t journal = good_journal(w);
    place_journal(w, &journal, 0x28000);
    otter_boot_result_t result;
    copy_rig_start(w);
    const uint32_t ops = w->sim.ops;
    assert_int_equal(otter_boot(&w->device, OTTER_BOOT_DRY_RUN, &result), ESP_OK);
    assert_non_null(strstr(result.reason, "unfinished copy"));
    assert_int_equal(w->sim.ops, ops);
    assert_true(copy_rig_boot(w));
    assert_true(final_is_new(w, &c));
    assert_int_equal(copy_journal_read(&w->sim.flash, 0x28000, &journal), ESP_ERR_NOT_FOUND);
}

static void a_journal_whose_source_was_overwritten_is_dropped(void **state)
{
    copy_rig_t *w = *state;
    copy_journal_t journal = good_journal(w);
    place_journal(w, &journal, 0x28000);
    w->sim.bytes[0x20000 + PAYLOAD - 1] ^= 1;
    check_not_followed(w, 0x28000, "overwritten source");
}

/** What a cut leaves before a journal counts, and after it does not count any more: no boot follows it. */
static void a_journal_that_is_not_committed_or_closed_is_not_followed(void **state)
{
    copy_rig_t *w = *state;
    for (int stable = 0; stable < 2; stable++) {
        for (int closed = 0; closed < 2; closed++) {
            sim_flash_copy(&w->sim, &w->golden);
            w->stable_reads = stable != 0;
            copy_rig_start(w);
            copy_journal_t journal = good_journal(w);
            place_journal(w, &journal, 0x28000);
            uint8_t *flags = w->sim.bytes + 0x27000;
            flags[COMMITTED] = closed ? 0 : 0xFF;
            flags[CLOSED] = closed ? 0x7F : 0xFF;
            assert_int_equal(copy_journal_read(&w->sim.flash, 0x28000, &journal), ESP_ERR_INVALID_STATE);
            check_not_followed(w, 0x28000, "not committed, or closed");
            /* Where bits may hang between 0 and 1 it is made sure that this is so at the next boot too. */
            w->sim.ops = 0;
            assert_true(copy_rig_boot(w));
            assert_int_equal(w->sim.ops, stable ? 0 : 2);
            assert_true(copy_rig_boot(w));
            assert_int_equal(w->sim.ops, stable ? 0 : 2);
        }
    }
}

static void marks_are_not_believed(void **state)
{
    copy_rig_t *w = *state;
    const copy_case_t c = {"", "ota_1", "files", data_new, PAYLOAD};
    copy_journal_t journal = good_journal(w);
    place_journal(w, &journal, 0x28000);
    memset(w->sim.bytes + 0x27000 + 128, 0, SECTOR - 128); /* all is done, it says */
    assert_true(copy_rig_boot(w));
    assert_true(final_is_new(w, &c));
}

static void journals_in_file_systems_are_not_looked_for(void **state)
{
    copy_rig_t *w = *state;
    copy_journal_t journal = good_journal(w);
    journal.staging_off = 0x40000;
    journal.staging_size = 0x4000;
    journal.final_off = 0x44000;
    journal.final_size = 0x3000;
    journal.final_type = 0x40;
    journal.final_subtype = 7;
    journal.len = 100;
    place_journal(w, &journal, 0x44000);
    check_not_followed(w, 0x44000, "files");
}

static void a_download_cannot_bring_a_journal(void **state)
{
    copy_rig_t *w = *state;
    copy_journal_t journal = good_journal(w);
    sim_flash_copy(&w->sim, &w->golden);
    assert_true(copy_rig_boot(w));
    uint8_t *image = malloc(0x8000);
    assert_non_null(image);
    memset(image, 0x77, 0x8000);
    image[0] = 0xE9;
    copy_journal_encode(&journal, image + 0x7000);
    static const uint32_t chunks[] = {0x8000, 1000, 0x7001, 0x7002, 0x7003};
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        esp_ota_handle_t handle;
        esp_err_t err = ota_begin(&w->device, copy_rig_find(w, "ota_1"), OTA_WITH_SEQUENTIAL_WRITES, &handle);
        for (uint32_t at = 0; at < 0x8000 && err == ESP_OK; at += chunks[i]) {
            err =
                ota_write(&w->device, handle, image + at, 0x8000 - at < chunks[i] ? 0x8000 - at : chunks[i]);
        }
        assert_int_equal(err, ESP_ERR_OTA_VALIDATE_FAILED);
        assert_int_equal(copy_journal_read(&w->sim.flash, 0x28000, &journal), ESP_ERR_NOT_FOUND);
        assert_int_equal(ota_abort(&w->device, handle), ESP_OK);
    }
    esp_ota_handle_t handle;
    assert_int_equal(ota_begin(&w->device, copy_rig_find(w, "ota_1"), 0, &handle), ESP_OK);
    assert_int_equal(ota_write_with_offset(&w->device, handle, image + 0x7001, 100, 0x7001), ESP_OK);
    assert_int_equal(ota_write_with_offset(&w->device, handle, image + 0x7000, 1, 0x7000),
                     ESP_ERR_OTA_VALIDATE_FAILED);
    /* Nor bit by bit: what is programmed twice is the AND of both. */
    assert_int_equal(ota_write_with_offset(&w->device, handle, "\xCF", 1, 0x7000), ESP_OK);
    assert_int_equal(ota_write_with_offset(&w->device, handle, "\x5F", 1, 0x7000),
                     ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(ota_abort(&w->device, handle), ESP_OK);
    free(image);
}

static void beginning_an_update_settles_the_journal_that_lies_there(void **state)
{
    copy_rig_t *w = *state;
    const copy_case_t c = {"", "ota_1", "files", data_new, PAYLOAD};
    copy_journal_t journal = good_journal(w);
    place_journal(w, &journal, 0x28000);
    esp_ota_handle_t handle;
    assert_int_equal(ota_begin(&w->device, copy_rig_find(w, "ota_1"), 0, &handle),
                     ESP_OK); /* staging: finished first */
    assert_true(final_is_new(w, &c));
    assert_int_equal(ota_abort(&w->device, handle), ESP_OK);

    sim_flash_copy(&w->sim, &w->golden);
    assert_true(copy_rig_boot(w));
    journal = good_journal(w);
    place_journal(w, &journal, 0x28000);
    assert_int_equal(ota_begin(&w->device, copy_rig_find(w, "files"), 0, &handle),
                     ESP_OK); /* final: cleared */
    assert_int_equal(ota_write(&w->device, handle, "mine", 4), ESP_OK);
    assert_int_equal(ota_end(&w->device, handle), ESP_OK);
    assert_true(copy_rig_boot(w));
    assert_memory_equal(w->sim.bytes + 0x40000, "mine\xFF", 5);
}

/* Random journals, right CRC: whatever they say, the device keeps what it lives by. */

#define ROUNDS 20000u

static uint32_t next_random(uint32_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return *random;
}

static uint32_t odd_value(uint32_t *random)
{
    const otter_partition_entry_t *p = &copy_layout[next_random(random) % LAYOUT_COUNT];
    switch (next_random(random) % 6) {
    case 0:
    case 1:
        return p->offset;
    case 2:
    case 3:
        return p->size;
    case 4:
        return next_random(random) & ~(SECTOR - 1);
    default:
        return next_random(random) >> (next_random(random) % 32);
    }
}

static void random_journal(copy_rig_t *w, uint32_t *random)
{
    const otter_partition_entry_t *staging = &copy_layout[next_random(random) % LAYOUT_COUNT];
    const otter_partition_entry_t *final = &copy_layout[next_random(random) % LAYOUT_COUNT];
    copy_journal_t journal = {.staging_off = staging->offset,
                              .staging_size = staging->size,
                              .final_off = final->offset,
                              .final_size = final->size,
                              .final_type = final->type,
                              .final_subtype = final->subtype,
                              .len = next_random(random) % final->size + 1,
                              .unit = SECTOR};
    uint32_t *fields[] = {&journal.staging_off, &journal.staging_size, &journal.final_off,
                          &journal.final_size,  &journal.len,          &journal.unit};
    for (uint32_t n = next_random(random) % 3; n > 0; n--) {
        *fields[next_random(random) % 6] = odd_value(random);
    }
    place_journal(w, &journal, staging->offset + staging->size);
}

static void random_journals_leave_what_the_device_lives_by(void **state)
{
    copy_rig_t *w = *state;
    const char *given = getenv("OTTER_SEED");
    uint32_t seed = given != NULL ? (uint32_t)strtoul(given, NULL, 0) : 0x0C0FFEEu,
             random = seed != 0 ? seed : 1;
    static const char *const kept[] = {"boot", "recovery", "table", "otadata", "ota_0", "fixed"};
    uint32_t followed = 0;
    print_message("random journals: seed 0x%x, %u rounds\n", seed, ROUNDS);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        sim_flash_copy(&w->sim, &w->golden);
        random_journal(w, &random);
        for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]);
             i++) { /* a journal in these is damage of its own */
            copy_rig_put(w, kept[i], w->golden.bytes + copy_place_of(kept[i])->offset,
                         copy_place_of(kept[i])->size);
        }
        bool good = copy_rig_boot(w) && strcmp(w->device.running->label, "ota_0") == 0;
        for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
            good = good && same_as_golden(w, kept[i]);
        }
        if (!good) {
            print_message("replay: OTTER_SEED=0x%x, round %u\n", seed, round);
            fail();
        }
        followed += w->sim.ops > 2; /* closing one takes two */
    }
    print_message("random journals: %u allowed by every rule and followed\n", followed);
}

/** A program that names no otter_staged_copies has no code for them: it leaves alone what it could only do half. */
static void who_cannot_finish_a_copy_neither_boots_nor_overwrites_it(void **state)
{
    copy_rig_t *w = *state;
    otter_boot_result_t result;
    esp_ota_handle_t handle;
    assert_true(copy_rig_boot(w));
    const esp_partition_t *staging = copy_rig_find(w, "ota_1"), *final = copy_rig_find(w, "files");
    w->device.config.copies = NULL;
    assert_int_equal(ota_begin(&w->device, staging, OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(ota_set_final_partition(&w->device, handle, final, true), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(ota_abort(&w->device, handle), ESP_OK);

    copy_journal_t journal = good_journal(w);
    place_journal(w, &journal, 0x28000);
    const uint32_t ops = w->sim.ops;
    assert_int_equal(ota_begin(&w->device, staging, OTA_WITH_SEQUENTIAL_WRITES, &handle),
                     ESP_ERR_NOT_SUPPORTED);
    for (int mode = OTTER_BOOT_COMMIT; mode <= OTTER_BOOT_DRY_RUN; mode++) {
        assert_int_equal(otter_boot(&w->device, (otter_boot_mode_t)mode, &result), ESP_ERR_NOT_SUPPORTED);
        assert_null(result.partition);
        assert_non_null(strstr(result.reason, "ota_1 holds an unfinished copy to 0x40000"));
    }
    assert_int_equal(w->sim.ops, ops); /* nothing was written */

    w->sim.bytes[0x27000 + COMMITTED] = 0xFF; /* no copy was begun: there is nothing to finish */
    assert_int_equal(otter_boot(&w->device, OTTER_BOOT_COMMIT, &result), ESP_OK);
    w->sim.bytes[0x27000 + COMMITTED] = 0;
    w->device.config.copies = &otter_staged_copies;
    assert_int_equal(otter_boot(&w->device, OTTER_BOOT_COMMIT, &result), ESP_OK);
    assert_memory_equal(w->sim.bytes + 0x40000, data_new, PAYLOAD);
}

/** Rows of a torn table may be right at one reading and wrong at the next: what they say of a partition counts for nothing. */
static void a_table_s_journal_is_found_whatever_the_list_says_behind_a_cipher(void **state)
{
    copy_rig_t *w = *state;
    const uint32_t raw = copy_place_of("raw")->offset, end = raw + copy_place_of("raw")->size;
    copy_journal_t journal = {.staging_off = raw,
                              .staging_size = end - raw,
                              .final_off = 0x8000,
                              .final_size = SECTOR,
                              .final_type = 3,
                              .final_subtype = 0,
                              .len = sizeof(table_new),
                              .unit = SECTOR};
    for (unsigned lists = 0; lists < 2; lists++) { /* without rows, and with those of the old table */
        sim_flash_copy(&w->sim, &w->golden);
        copy_rig_put(w, "raw", table_new, sizeof(table_new));
        place_journal(w, &journal, end);
        w->sim.bytes[end - SECTOR + COMMITTED_IN_BLOCKS] = 0;
        test_cipher_apply(w->sim.bytes, false, 0, raw); /* raw alone is not encrypted */
        w->sim.flash.cipher = test_cipher();
        copy_rig_start(w);
        assert_int_equal(w->device.partitions.count, LAYOUT_COUNT);
        w->device.partitions.count = lists == 0 ? 0 : LAYOUT_COUNT;
        assert_int_equal(otter_staged_copies.rescue_table(&w->device), ESP_OK);
        assert_int_equal(w->device.partitions.count, LAYOUT_COUNT + 1);
        test_cipher_apply(w->sim.bytes, true, 0x8000, sizeof(table_new));
        assert_memory_equal(w->sim.bytes + 0x8000, table_new, sizeof(table_new));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(forged_journals_are_not_followed, copy_rig_set_up,
                                        copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(the_same_journal_unforged_is_followed, copy_rig_set_up,
                                        copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(a_journal_whose_source_was_overwritten_is_dropped, copy_rig_set_up,
                                        copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(a_journal_that_is_not_committed_or_closed_is_not_followed,
                                        copy_rig_set_up, copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(marks_are_not_believed, copy_rig_set_up, copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(journals_in_file_systems_are_not_looked_for, copy_rig_set_up,
                                        copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(a_download_cannot_bring_a_journal, copy_rig_set_up,
                                        copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(beginning_an_update_settles_the_journal_that_lies_there,
                                        copy_rig_set_up, copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(who_cannot_finish_a_copy_neither_boots_nor_overwrites_it,
                                        copy_rig_set_up, copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(a_table_s_journal_is_found_whatever_the_list_says_behind_a_cipher,
                                        copy_rig_set_up, copy_rig_tear_down),
        cmocka_unit_test_setup_teardown(random_journals_leave_what_the_device_lives_by, copy_rig_set_up,
                                        copy_rig_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
