/*
 * The journal of a staged copy, found at a boot: an order to overwrite flash, which anybody may have written.
 * Input: flags (bits of enum), where the journal lies, final partition, length, operation that loses power and how, header
 * (68 bytes), marks (16), the bytes that are staged.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "boot/copy_journal.h"
#include "boot/staged_copy.h"
#include "otter/partition_table.h"
#include "fuzz.h"
#include "otter/device.h"
#include "reference.h"
#include "sim/sim_flash.h"

enum {
    FIELDS_RIGHT = 1,
    CRC_RIGHT = 2,
    DIGEST_RIGHT = 4,
    STAGED_TABLE = 8,  /* a table that a device can live with is staged */
    NO_TABLE_NOW = 16, /* the table in use was torn */
    POWER_CUT = 32,
    NOT_COMMITTED = 64,
    CLOSED = 128
};

#define FLASH_SIZE   0x14000u
#define SECTOR       0x1000u
#define TABLE_OFFSET 0x1000u

static const otter_partition_entry_t layout[] = {
    {.type = 3, .subtype = 0, .offset = TABLE_OFFSET, .size = SECTOR, .label = "table"},
    {.type = 1, .subtype = 0, .offset = 0x2000, .size = 0x2000, .label = "otadata"},
    {.type = 0, .subtype = 0x10, .offset = 0x10000, .size = 0x2000, .label = "ota_0"}, /* boots */
    {.type = 0, .subtype = 0x11, .offset = 0x4000, .size = 0x3000, .label = "ota_1"},
    {.type = 1, .subtype = 6, .offset = 0x7000, .size = 0x3000, .label = "raw"},
    {.type = 1, .subtype = 0x81, .offset = 0xA000, .size = 0x2000, .label = "files"},
    {.type = 1, .subtype = 0x82, .offset = 0xC000, .size = 0x1000, .label = "fixed", .flags = 2},
    {.type = 0x40, .subtype = 7, .offset = 0xD000, .size = 0x2000, .label = "custom"},
    {.type = 0x40,
     .subtype = 8,
     .offset = 0xF000,
     .size = 0x1000,
     .label = "added"}, /* in the staged table only */
};
enum { COMMITTED_AT = 68, CLOSED_AT = 69, MARKS_AT = 128 };
enum { TABLE, OTADATA, OTA_0, OTA_1, RAW, FILES, FIXED, CUSTOM, PLACES };

static sim_flash_t sim;
static uint8_t before[FLASH_SIZE];

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> 8 * i);
    }
}

/** Puts right what a fuzzer cannot guess. */
static void make_plausible(uint8_t *raw, uint8_t flags, const otter_partition_entry_t *staging,
                           const otter_partition_entry_t *final, uint32_t len)
{
    if ((flags & FIELDS_RIGHT) != 0) {
        const uint32_t words[] = {staging->offset, staging->size, final->offset, final->size};
        for (size_t i = 0; i < 4; i++) {
            put32(raw + 4 + 4 * i, words[i]);
        }
        raw[20] = final->type;
        raw[21] = final->subtype;
        raw[22] = raw[23] = 0;
        put32(raw + 24, len);
        put32(raw + 28, SECTOR);
    }
    uint64_t off = reference_le32(raw + 4), all = off + reference_le32(raw + 24);
    if ((flags & DIGEST_RIGHT) != 0 && all <= FLASH_SIZE) {
        reference_sha256(sim.bytes + off, (size_t)(all - off), raw + 32);
    }
    if ((flags & CRC_RIGHT) != 0) {
        memcpy(raw, "OTC1", 4);
        put32(raw + 64, reference_crc32(0, raw, 64));
    }
}

/* ---- what should happen, from the description in copy_journal.h and staged_copy.h ---- */

typedef enum { UNTOUCHED, CLEARED, FOLLOWED } outcome_t;

static bool is_sensible(const uint8_t *raw)
{
    uint32_t staging_size = reference_le32(raw + 8), final_size = reference_le32(raw + 16);
    uint32_t len = reference_le32(raw + 24), unit = reference_le32(raw + 28);
    return memcmp(raw, "OTC1", 4) == 0 && reference_le32(raw + 64) == reference_crc32(0, raw, 64) &&
           raw[22] == 0 && raw[23] == 0 && unit != 0 && len != 0 && len <= final_size && len <= staging_size;
}

/** Bytes that one of the marks stands for, so that all fit behind the first 128 bytes of the sector. */
static uint32_t reference_unit(uint32_t final_size)
{
    uint32_t sectors = final_size / SECTOR, each = 0;
    while ((uint64_t)each * (SECTOR - 128) < sectors) {
        each++;
    }
    return each * SECTOR;
}

static outcome_t reference_outcome(const uint8_t *raw, unsigned place, unsigned *final)
{
    if ((place != OTA_0 && place != OTA_1 && place != RAW) || !is_sensible(raw) ||
        reference_le32(raw + 28) != reference_unit(reference_le32(raw + 16))) {
        return UNTOUCHED;
    }
    if (raw[COMMITTED_AT] == 0xFF || raw[CLOSED_AT] != 0xFF) {
        return CLEARED; /* it does not count; this flash does not read stably, so that is made sure */
    }
    const otter_partition_entry_t *staging = &layout[place];
    for (* final = 0; *final < PLACES; ++*final) {
        const otter_partition_entry_t *p = &layout[*final];
        if (p->offset == reference_le32(raw + 12) && p->size == reference_le32(raw + 16) &&
            p->type == raw[20] && p->subtype == raw[21]) {
            break;
        }
    }
    uint32_t len = reference_le32(raw + 24);
    bool allowed = *final != PLACES && *final != place && *final != FIXED && *final != OTADATA &&
                   *final != OTA_0 && place != OTA_0 && reference_le32(raw + 4) == staging->offset &&
                   reference_le32(raw + 8) == staging->size && len <= staging->size - SECTOR;
    if (!allowed) {
        return CLEARED;
    }
    uint8_t digest[32];
    const uint8_t *source = before + staging->offset;
    reference_sha256(source, len, digest);
    uint32_t last = layout[*final].size - SECTOR; /* no copy may leave a journal behind */
    bool journal_inside = (*final == OTA_1 || *final == RAW) && (uint64_t)last + 4 <= len &&
                          memcmp(source + last, "OTC1", 4) == 0;
    return memcmp(digest, raw + 32, 32) == 0 && !journal_inside ? FOLLOWED : CLEARED;
}

/* ---- properties ---- */

static void check_coding(const uint8_t *raw)
{
    copy_journal_t journal;
    uint8_t again[COPY_JOURNAL_HEADER_SIZE];
    bool ok = copy_journal_decode(raw, &journal);
    FUZZ_CHECK(ok == is_sensible(raw), "decoded: %d", ok);
    if (ok) {
        copy_journal_encode(&journal, again);
        FUZZ_CHECK(memcmp(again, raw, sizeof(again)) == 0, "it encodes to other bytes");
    }
}

/** Nothing but the journal's sector and, if the journal counts, final has changed. */
static void check_flash(unsigned place, unsigned final, outcome_t outcome)
{
    static uint8_t want[FLASH_SIZE];
    const otter_partition_entry_t *staging = &layout[place];
    uint32_t journal = staging->offset + staging->size - SECTOR;
    memcpy(want, before, FLASH_SIZE);
    if (outcome == FOLLOWED) {
        uint8_t *to = want + layout[final].offset;
        memset(to, 0xFF, layout[final].size);
        memcpy(to, before + staging->offset, reference_le32(before + journal + 24));
    }
    if (outcome != UNTOUCHED) {
        FUZZ_CHECK(memcmp(sim.bytes + journal, "OTC1", 4) != 0, "the journal stays");
        memcpy(want + journal, sim.bytes + journal, outcome == FOLLOWED ? SECTOR : 4);
        want[journal + CLOSED_AT] = 0;
    }
    for (uint32_t at = 0; at < FLASH_SIZE; at += SECTOR) {
        FUZZ_CHECK(memcmp(want + at, sim.bytes + at, SECTOR) == 0, "the sector at 0x%x is wrong", at);
    }
}

static esp_err_t boot_once(otter_device_t *device, bool rescue)
{
    static const otter_chip_t chip = {.id = 0};
    static const otter_device_config_t config = {.table_offset = TABLE_OFFSET};
    otter_device_init(device, &sim.flash, &chip, NULL, &config);
    device->config.copies = &otter_staged_copies;
    bool has_table = device->partitions.count > 0;
    FUZZ_CHECK(has_table || rescue, "the table is lost");
    esp_err_t err = has_table ? staged_copy_finish_all(device, &device->partitions.items[OTA_0])
                              : staged_copy_rescue_table(device);
    otter_device_deinit(device);
    return err;
}

static void check_boots(unsigned place, uint8_t flags, uint32_t cut, uint8_t tear)
{
    static otter_device_t device;
    uint32_t journal = layout[place].offset + layout[place].size - SECTOR;
    unsigned final = PLACES;
    outcome_t outcome = reference_outcome(before + journal, place, &final);
    bool to_table = outcome == FOLLOWED && final == TABLE;
    bool rescue = (flags & NO_TABLE_NOW) != 0;
    if ((flags & POWER_CUT) != 0) {
        sim.cut_fired = false;
        sim.cut_at = sim.ops + cut;
        sim.tear = (sim_tear_t)(tear % SIM_TEAR_COUNT);
        esp_err_t err = boot_once(&device, rescue);
        FUZZ_CHECK(!sim.cut_fired || err != ESP_OK, "the cut went by unnoticed");
        sim_flash_power_on(&sim);
    }
    esp_err_t err = boot_once(&device, rescue || to_table);
    if (rescue || to_table) {
        /* What makes a good table is fuzz_partition_table's matter: it came whole, or the old one stays. */
        FUZZ_CHECK(err == ESP_OK || err == ESP_ERR_NOT_FOUND, "0x%x", err);
        bool same = memcmp(sim.bytes + TABLE_OFFSET, before + TABLE_OFFSET, SECTOR) == 0;
        check_flash(place, TABLE, !same ? FOLLOWED : rescue ? UNTOUCHED : CLEARED);
        return;
    }
    FUZZ_CHECK(err == ESP_OK, "0x%x", err);
    check_flash(place, final, outcome);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FUZZ_CHECK(sim.bytes != NULL || sim_flash_init(&sim, FLASH_SIZE), "no memory");
    fuzz_input_t in = {data, size};
    uint8_t flags = fuzz_u8(&in);
    unsigned place = OTADATA + (unsigned)fuzz_choose(&in, PLACES - OTADATA);
    unsigned final = (unsigned)fuzz_choose(&in, PLACES);
    uint32_t len = fuzz_u16(&in), cut = fuzz_u8(&in);
    uint8_t tear = fuzz_u8(&in);
    const otter_partition_entry_t *staging = &layout[place];
    uint8_t *source = sim.bytes + staging->offset, *raw = source + staging->size - SECTOR;

    memset(sim.bytes, 0xA5, FLASH_SIZE);
    FUZZ_CHECK(otter_partition_table_encode(layout, PLACES, true, sim.bytes + TABLE_OFFSET) == ESP_OK,
               "no table");
    memset(source, 0xFF, staging->size);
    fuzz_input_t head = fuzz_take(&in, COPY_JOURNAL_HEADER_SIZE), marks = fuzz_take(&in, 16);
    fuzz_input_t body = fuzz_take(&in, staging->size - SECTOR);
    memcpy(source, body.bytes, body.len);
    if ((flags & STAGED_TABLE) != 0 && staging->size > SECTOR) {
        FUZZ_CHECK(otter_partition_table_encode(layout, PLACES + 1, true, source) == ESP_OK, "no table");
    }
    memcpy(raw, head.bytes, head.len);
    memcpy(raw + MARKS_AT, marks.bytes, marks.len);
    raw[COMMITTED_AT] = (flags & NOT_COMMITTED) != 0 ? 0xFF : 0;
    raw[CLOSED_AT] = (flags & CLOSED) != 0 ? 0x7F : 0xFF;
    make_plausible(raw, flags, staging, &layout[final], len);
    if ((flags & NO_TABLE_NOW) != 0) {
        memset(sim.bytes + TABLE_OFFSET, 0, 32);
    }
    memcpy(before, sim.bytes, FLASH_SIZE);
    check_coding(raw);
    check_boots(place, flags, cut, tear);
    return 0;
}
