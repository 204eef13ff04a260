/*
 * The journal of a first boot that encrypts flash in place, found at a boot: an order to overwrite flash, which anybody may have
 * written, but only who has the key can seal.
 * Input: flags (bits of enum), sector of the plan, operation that loses power and how, number of ranges, the plan's head (44
 * bytes), its ranges, for each slot flags, number of its batch, and the head (48 bytes).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "boot/encryption_journal.h"
#include "fuzz.h"
#include "otter/boot.h"
#include "otter/bytes.h"
#include "otter/partition_table.h"
#include "reference.h"
#include "sim/sim_flash.h"
#include "support/image_builder.h"
#include "support/test_cipher.h"

enum { FIELDS_RIGHT = 1, CRC_RIGHT = 2, SEALED = 4, RANGES_RIGHT = 8, POWER_CUT = 16, NO_ROOM = 32 };
enum { HEAD_RIGHT = 1, DIGEST_RIGHT = 2 };

#define FLASH_SIZE 0x20000u
#define SECTOR     0x1000u
#define SECTORS    (FLASH_SIZE / SECTOR)
#define TABLE      0x8000u
#define OTADATA    0x9000u
#define APP        0x10000u
#define APP_SIZE   0x2000u
#define ROOM       0x16000u /* erased, to the end, and no partition's */

#define OWN_PLAN (44 + 12 * 3u) /* bytes */

#define RANGES_MAX 120u /* more than a plan may have */
#define PLAN_MAX   (44 + 12 * RANGES_MAX)

/* A boot writes each sector twice at most, with an erase before, a head behind, and what is before and after. */
#define OPERATIONS_MAX (8 * SECTORS + 64)

static sim_flash_t sim;
static uint8_t before[FLASH_SIZE], wanted[FLASH_SIZE];
static uint32_t crypt_count;

static esp_err_t read_count(void *dev, uint32_t *bits)
{
    (void)dev;
    *bits = crypt_count;
    return ESP_OK;
}

static esp_err_t burn_count(void *dev)
{
    (void)dev;
    crypt_count |= sim.dead ? 0 : 1;
    return sim.dead ? ESP_FAIL : ESP_OK;
}

/* ---- flash that a chip with a new key finds ---- */

static void make_flash(bool room)
{
    static const otter_partition_entry_t rows[] = {
        {.type = 1, .subtype = 0, .offset = OTADATA, .size = 2 * SECTOR, .label = "otadata"},
        {.type = 0, .subtype = 0, .offset = APP, .size = APP_SIZE, .label = "factory"},
        {.type = 1, .subtype = 0x81, .offset = 0xB000, .size = 0x5000, .label = "data"},
        {.type = 1, .subtype = 0x82, .offset = APP + APP_SIZE, .size = 0x4000, .label = "more"}};
    static const image_plan_t plan = {.max_revision = 399,
                                      .flash_code = 0x20,
                                      .entry = IMAGE_ENTRY,
                                      .load_addr = IMAGE_DROM,
                                      .segment = 512};
    memset(sim.bytes, 0xFF, FLASH_SIZE);
    memset(sim.bytes + 0xB000, 0x5A, 0x5000);
    memset(sim.bytes + APP + APP_SIZE, 0xA5, room ? 0x4000 : FLASH_SIZE - APP - APP_SIZE);
    image_describe(sim.bytes + APP, "first", "1.0.0", 0);
    image_finish(&plan, sim.bytes + APP);
    FUZZ_CHECK(otter_partition_table_encode(rows, 4, true, sim.bytes + TABLE) == ESP_OK, "no table");
}

/* ---- what the bytes say, from FORMATS.md section 14 ---- */

typedef struct {
    uint32_t at, sector, batch, count, ranges;
} plan_words_t;

static uint32_t reference_crc(const uint8_t *raw, uint32_t ranges)
{
    uint8_t joined[PLAN_MAX];
    memcpy(joined, raw, 40);
    memcpy(joined + 40, raw + 44, 12 * (size_t)ranges);
    return reference_crc32(0, joined, 40 + 12 * (size_t)ranges);
}

static bool reference_meet(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
    return a < b + b_len && b < a + a_len;
}

/** A plan that a device could follow: whole sectors of some flash, none of them twice, and none of the journal's. */
static bool reference_plan(const uint8_t *raw, size_t size, plan_words_t *w)
{
    *w = (plan_words_t){.at = reference_le32(raw + 4),
                        .sector = reference_le32(raw + 8),
                        .batch = reference_le32(raw + 12),
                        .count = reference_le32(raw + 16),
                        .ranges = reference_le32(raw + 20)};
    if (size < 44 || memcmp(raw, "OTE1", 4) != 0 || w->ranges == 0 || w->ranges > ENCRYPTION_RANGES_MAX ||
        44 + 12 * (uint64_t)w->ranges > size || reference_le32(raw + 40) != reference_crc(raw, w->ranges) ||
        w->sector == 0 || (w->sector & (w->sector - 1)) != 0 || w->sector > OTTER_FLASH_ERASE_MAX ||
        w->batch == 0 || w->batch > 16 || w->at % w->sector != 0) {
        return false;
    }
    const uint64_t journal = (uint64_t)w->sector * (3 + 2 * w->batch);
    bool good = w->at + journal <= OTTER_FLASH_SIZE_MAX;
    for (uint32_t i = 0; i < w->ranges; i++) {
        const uint64_t off = reference_le32(raw + 44 + 12 * i), len = reference_le32(raw + 48 + 12 * i);
        good = good && len != 0 && off % w->sector == 0 && len % w->sector == 0 &&
               off + len <= OTTER_FLASH_SIZE_MAX && !reference_meet(off, len, w->at, journal);
        for (uint32_t j = 0; j < i; j++) {
            good = good && !reference_meet(off, len, reference_le32(raw + 44 + 12 * j),
                                           reference_le32(raw + 48 + 12 * j));
        }
    }
    return good;
}

/** Of the device's flash, and begun with its eFuses. */
static bool reference_is_ours(const uint8_t *raw, const plan_words_t *w, uint32_t place)
{
    bool ours = w->at == place && w->sector == SECTOR && w->count == 0 &&
                w->at + (uint64_t)SECTOR * (3 + 2 * w->batch) <= FLASH_SIZE;
    for (uint32_t i = 0; i < w->ranges; i++) {
        ours = ours &&
               (uint64_t)reference_le32(raw + 44 + 12 * i) + reference_le32(raw + 48 + 12 * i) <= FLASH_SIZE;
    }
    return ours;
}

static void reference_seal(const uint8_t *raw, uint32_t ranges, uint32_t at, uint8_t seal[16])
{
    uint8_t joined[PLAN_MAX], digest[32];
    memcpy(joined, raw, 24);
    memcpy(joined + 24, raw + 44, 12 * (size_t)ranges);
    reference_sha256(joined, 24 + 12 * (size_t)ranges, digest);
    memcpy(seal, digest, 16);
    const otter_flash_cipher_t *cipher = test_cipher();
    FUZZ_CHECK(cipher->crypt(cipher->ctx, false, at, seal, 16), "no memory");
}

/* ---- the input ---- */

/** What the device itself would have planned. @return number of ranges */
static uint32_t put_own_ranges(uint8_t *raw)
{
    static const uint32_t own[][3] = {
        {OTADATA, 2 * SECTOR, 0}, {APP, APP_SIZE, 1}, {TABLE, SECTOR, ENCRYPTION_ROW_TABLE}};
    for (uint32_t i = 0; i < 9; i++) {
        le32_put(raw + 44 + 4 * i, own[i / 3][i % 3]);
    }
    return 3;
}

/** Puts right what a fuzzer cannot guess. @return bytes of the plan */
static uint32_t make_plan(uint8_t *raw, uint8_t flags, uint32_t place, uint32_t ranges)
{
    if ((flags & RANGES_RIGHT) != 0) {
        ranges = put_own_ranges(raw);
    }
    if ((flags & FIELDS_RIGHT) != 0) {
        memcpy(raw, "OTE1", 4);
        le32_put(raw + 4, place);
        le32_put(raw + 8, SECTOR);
        le32_put(raw + 12, 1 + raw[12] % 4);
        le32_put(raw + 16, 0);
        le32_put(raw + 20, ranges);
    }
    if ((flags & SEALED) != 0) {
        reference_seal(raw, ranges, place & ~15u, raw + 24);
    }
    if ((flags & CRC_RIGHT) != 0) {
        le32_put(raw + 40, reference_crc(raw, ranges));
    }
    return 44 + 12 * ranges;
}

static void check_head(const uint8_t raw[ENCRYPTION_HEAD_SIZE])
{
    encryption_head_t head;
    uint8_t again[ENCRYPTION_HEAD_SIZE];
    const bool right = memcmp(raw, "OTEB", 4) == 0 && reference_le32(raw + 44) == reference_crc32(0, raw, 44);
    const bool decoded = encryption_head_decode(raw, &head);
    FUZZ_CHECK(decoded == right, "head: %d, the reference says %d", decoded, right);
    if (decoded) {
        encryption_head_encode(&head, again);
        FUZZ_CHECK(memcmp(again, raw, sizeof(again)) == 0, "a head encodes to other bytes");
    }
}

/** A batch beside its place, where the plan is one of this flash. */
static void put_slot(fuzz_input_t *in, const encryption_plan_t *plan, uint32_t slot, bool fits)
{
    uint8_t raw[ENCRYPTION_HEAD_SIZE] = {0};
    const uint8_t flags = fuzz_u8(in), number = fuzz_u8(in);
    const fuzz_input_t bytes = fuzz_take(in, sizeof(raw));
    memcpy(raw, bytes.bytes, bytes.len);
    if ((flags & HEAD_RIGHT) != 0) {
        memcpy(raw, "OTEB", 4);
        le32_put(raw + 4, 2u * number + slot);
        le32_put(raw + 8, plan->crc);
    }
    if ((flags & DIGEST_RIGHT) != 0 && fits && 2u * number + slot < encryption_plan_batches(plan)) {
        const encryption_range_t batch = encryption_plan_batch(plan, 2u * number + slot);
        reference_sha256(sim.bytes + encryption_plan_slot(plan, slot), batch.len, raw + 12);
    }
    if ((flags & HEAD_RIGHT) != 0) {
        le32_put(raw + 44, reference_crc32(0, raw, 44));
    }
    check_head(raw);
    if (fits) {
        memcpy(sim.bytes + encryption_plan_head(plan, slot), raw, sizeof(raw));
    }
}

/* ---- properties ---- */

static void check_coding(const uint8_t *raw, uint32_t len, bool right, encryption_plan_t *plan)
{
    uint8_t again[ENCRYPTION_PLAN_MAX];
    const bool decoded = encryption_plan_decode(raw, len, plan);
    FUZZ_CHECK(decoded == right, "plan: %d, the reference says %d", decoded, right);
    if (decoded) {
        const uint32_t size = encryption_plan_encode(plan, again);
        FUZZ_CHECK(size <= len && memcmp(again, raw, size) == 0, "a plan encodes to other bytes");
    }
}

static esp_err_t boot_once(otter_boot_mode_t mode, otter_boot_result_t *result)
{
    static const otter_chip_t chip = {.id = 0, .revision = 300};
    static const otter_efuse_t efuse = {.read_crypt_count = read_count, .burn_crypt_count = burn_count};
    static const otter_device_config_t config = {.table_offset = TABLE,
                                                 .first_encryption = &otter_first_encryption};
    static otter_device_t device;
    const uint32_t ops = sim.ops;
    sim.flash.cipher = crypt_count != 0 ? test_cipher() : NULL;
    sim.flash.waiting = crypt_count != 0 ? NULL : test_cipher();
    otter_ignore(otter_device_init(&device, &sim.flash, &chip, &efuse, &config)); /* the boot looks itself */
    esp_err_t err = otter_boot(&device, mode, result);
    otter_device_deinit(&device);
    FUZZ_CHECK(sim.ops - ops <= OPERATIONS_MAX, "%u operations", sim.ops - ops);
    FUZZ_CHECK(err == ESP_OK || result->reason[0] != '\0', "nothing boots, and it does not say why");
    return err;
}

/** A plan that is followed changes what it names, and the journal. */
static void check_followed(const encryption_plan_t *plan)
{
    memcpy(wanted, before, FLASH_SIZE);
    for (uint32_t i = 0; i < plan->range_count; i++) {
        memcpy(wanted + plan->ranges[i].offset, sim.bytes + plan->ranges[i].offset, plan->ranges[i].len);
    }
    memcpy(wanted + plan->at, sim.bytes + plan->at, (size_t)encryption_plan_sectors(plan) * SECTOR);
    FUZZ_CHECK(memcmp(wanted, sim.bytes, FLASH_SIZE) == 0, "what the plan does not name has changed");
}

/** Whatever lies there is none of its plans: it encrypts as a new device, or leaves all as it was. */
static void check_own_way(esp_err_t err, const otter_boot_result_t *result)
{
    memcpy(wanted, before, FLASH_SIZE);
    if (crypt_count != 0) {
        test_cipher_apply(wanted, false, TABLE, SECTOR);
        test_cipher_apply(wanted, false, OTADATA, 2 * SECTOR);
        test_cipher_apply(wanted, false, APP, APP_SIZE);
    } else {
        FUZZ_CHECK(err != ESP_OK, "it boots from flash that is not encrypted: %s", result->reason);
    }
    for (uint32_t at = 0; at < FLASH_SIZE; at += SECTOR) {
        /* The journal was in erased sectors outside of all partitions, or on a plan of its own that a cut has torn. */
        const bool torn = at >= ROOM && bytes_are_erased(before + at + OWN_PLAN, SECTOR - OWN_PLAN);
        FUZZ_CHECK(memcmp(wanted + at, sim.bytes + at, SECTOR) == 0 ||
                       (torn && (sim.cut_fired || bytes_are_erased(sim.bytes + at, SECTOR))),
                   "the sector at 0x%x is wrong (%s)", at, result->reason);
    }
}

static void check_boots(const encryption_plan_t *plan, bool ours, bool sealed, bool cuts, uint32_t cut,
                        uint8_t tear)
{
    otter_boot_result_t result;
    sim.cut_fired = false;
    otter_ignore(boot_once(OTTER_BOOT_DRY_RUN, &result)); /* which changes nothing */
    FUZZ_CHECK(memcmp(before, sim.bytes, FLASH_SIZE) == 0 && crypt_count == 0, "a dry run writes");
    if (cuts) {
        sim.cut_at = sim.ops + cut;
        sim.tear = (sim_tear_t)(tear % SIM_TEAR_COUNT);
        const esp_err_t err = boot_once(OTTER_BOOT_COMMIT, &result);
        FUZZ_CHECK(!sim.cut_fired || crypt_count != 0 || err != ESP_OK, "the cut went by unnoticed");
        sim_flash_power_on(&sim);
    }
    const esp_err_t err = boot_once(OTTER_BOOT_COMMIT, &result);
    if (ours && sealed) {
        check_followed(plan);
    } else if (ours) {
        FUZZ_CHECK(err == ESP_ERR_INVALID_STATE && crypt_count == 0, "0x%x: %s", err, result.reason);
        FUZZ_CHECK(memcmp(before, sim.bytes, FLASH_SIZE) == 0,
                   "a plan that another key has sealed is followed");
    } else {
        check_own_way(err, &result);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FUZZ_CHECK(sim.bytes != NULL || sim_flash_init(&sim, FLASH_SIZE), "no memory");
    fuzz_input_t in = {data, size};
    const uint8_t flags = fuzz_u8(&in);
    const uint32_t place = SECTOR * (uint32_t)fuzz_choose(&in, SECTORS), cut = fuzz_u8(&in);
    const uint8_t tear = fuzz_u8(&in);
    const uint32_t ranges = (uint32_t)fuzz_choose(&in, RANGES_MAX + 1);
    static uint8_t raw[PLAN_MAX];
    encryption_plan_t plan = {0};
    plan_words_t words;
    uint8_t seal[16] = {0};

    crypt_count = 0;
    make_flash((flags & NO_ROOM) == 0);
    memset(raw, 0xFF, sizeof(raw));
    const fuzz_input_t head = fuzz_take(&in, 44), body = fuzz_take(&in, 12 * (size_t)ranges);
    memcpy(raw, head.bytes, head.len);
    memcpy(raw + 44, body.bytes, body.len);
    const uint32_t len = make_plan(raw, flags, place, ranges);
    const bool right = reference_plan(raw, sizeof(raw), &words);
    check_coding(raw, sizeof(raw), right, &plan);
    const bool ours = right && reference_is_ours(raw, &words, place);
    memcpy(sim.bytes + place, raw, len);
    put_slot(&in, &plan, 0, ours);
    put_slot(&in, &plan, 1, ours);
    if (ours) {
        reference_seal(raw, words.ranges, place, seal);
    }
    memcpy(before, sim.bytes, FLASH_SIZE);
    check_boots(&plan, ours, ours && memcmp(seal, raw + 24, sizeof(seal)) == 0, (flags & POWER_CUT) != 0, cut,
                tear);
    return 0;
}
