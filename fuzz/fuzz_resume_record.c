/*
 * The memory of an unfinished download in a slot's last sector.
 * Input: flags (bits of enum), sectors of the slot, length of the file, sectors of right marks, header and marks (404
 * bytes), the slot's bytes.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "ota/resume_record.h"
#include "reference.h"
#include "sim/sim_flash.h"

enum { HEADER_RIGHT = 1, KEEP_LENGTH = 2, KEEP_UNIT = 4, KEEP_URL = 8 };

#define FLASH_SIZE 0x20000u
#define SECTOR     4096u
#define URL        "https://example.com/fw.bin"

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> 8 * i);
    }
}

static uint32_t mark_of(const uint8_t *unit, uint32_t len)
{
    uint32_t sum = reference_fletcher(unit, len);
    return sum == 0xFFFFFFFF ? 0 : sum;
}

/** Puts right what a fuzzer cannot guess: the fields, their checksum, some marks. */
static void make_plausible(uint8_t *record, const uint8_t *slot, uint8_t flags, uint32_t length,
                           uint32_t right_marks)
{
    memcpy(record, "OTR3", 4);
    if ((flags & KEEP_LENGTH) == 0) {
        put32(record + 4, length);
    }
    if ((flags & KEEP_UNIT) == 0) {
        put32(record + 8, SECTOR);
    }
    if ((flags & KEEP_URL) == 0) {
        put32(record + 12, reference_crc32(0, (const uint8_t *)URL, strlen(URL)));
    }
    put32(record + 144, reference_crc32(0, record + 4, 140));
    for (uint32_t i = 0; i < right_marks && (i + 1) * SECTOR <= length; i++) {
        put32(record + 256 + 4 * (size_t)i, mark_of(slot + (size_t)i * SECTOR, SECTOR));
    }
}

/** Bytes that a record may claim: header and every mark looked at one after the other. */
static uint32_t reference_claim(const uint8_t *slot, uint32_t slot_size)
{
    const uint8_t *record = slot + slot_size - SECTOR;
    uint64_t length = reference_le32(record + 4);
    if (memcmp(record, "OTR3", 4) != 0 ||
        reference_le32(record + 144) != reference_crc32(0, record + 4, 140) || length > slot_size - SECTOR ||
        reference_le32(record + 8) != SECTOR || record[16] == 0 || record[143] != 0 ||
        reference_le32(record + 12) != reference_crc32(0, (const uint8_t *)URL, strlen(URL))) {
        return 0;
    }
    uint32_t good = 0;
    while ((uint64_t)(good + 1) * SECTOR < length && /* the last byte is always fetched again */
           reference_le32(record + 256 + 4 * (size_t)good) == mark_of(slot + (size_t)good * SECTOR, SECTOR)) {
        good++;
    }
    return good * SECTOR;
}

/** Everything from here on is our own writing: it must be found again. */
static void check_going_on(resume_record_t *r, otter_device_t *device, const esp_partition_t *slot,
                           uint32_t claim)
{
    char validator[RESUME_VALIDATOR_SIZE];
    resume_record_t again;
    if (claim == 0) {
        const int64_t length = slot->size - SECTOR;
        const resume_file_t file = {.url = URL, .validator = "\"tag\"", .length = length, .image = length};
        FUZZ_CHECK(resume_record_start(r, device, slot, &file) == ESP_OK, "cannot start");
        FUZZ_CHECK(r->active == (length > 0), "no record was made");
    }
    const uint8_t *bytes = ((const sim_flash_t *)device->flash->dev)->bytes +
                           slot->address; /* what is there already, taken as what comes */
    uint32_t half = r->length / 2 > claim ? r->length / 2 : claim;
    for (uint32_t at = claim, len; at < half; at += len) {
        len = half - at < 1000 ? half - at : 1000;
        FUZZ_CHECK(resume_record_take(r, bytes + at, len) == ESP_OK, "cannot mark");
    }
    uint32_t want = half / SECTOR * SECTOR;
    uint32_t got = resume_record_load(&again, device, slot, URL, validator, NULL);
    FUZZ_CHECK(got == want, "%u bytes marked, %u found", want, got);
    FUZZ_CHECK(resume_record_take(r, bytes + half, r->length - half) == ESP_OK, "cannot mark all");
    got = resume_record_load(&again, device, slot, URL, validator, NULL);
    FUZZ_CHECK(got == (r->length - 1) / SECTOR * SECTOR, "%u of %u bytes found", got, r->length);
    FUZZ_CHECK(resume_record_load(&again, device, slot, URL "x", validator, NULL) == 0,
               "found for another URL");
    FUZZ_CHECK(resume_record_clear(r) == ESP_OK, "cannot clear");
    FUZZ_CHECK(resume_record_load(&again, device, slot, URL, validator, NULL) == 0,
               "found after it was cleared");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static sim_flash_t sim;
    static otter_device_t device;
    FUZZ_CHECK(sim.bytes != NULL || sim_flash_init(&sim, FLASH_SIZE), "no memory");
    fuzz_input_t in = {data, size};
    uint8_t flags = fuzz_u8(&in);
    uint32_t slot_size = (1 + fuzz_u8(&in) % 12u) * SECTOR;
    uint32_t length = fuzz_u16(&in), right_marks = fuzz_u8(&in) % 16u;
    esp_partition_t slot = {
        .flash_chip = &sim.flash, .address = 0x10000, .size = slot_size, .erase_size = SECTOR};
    uint8_t *bytes = sim.bytes + slot.address, *record = bytes + slot_size - SECTOR;
    memset(bytes, 0xFF, slot_size);
    fuzz_input_t head = fuzz_take(&in, 404), body = fuzz_take(&in, slot_size - SECTOR);
    if (body.len > 0) {
        memcpy(bytes, body.bytes, body.len);
    }
    if (head.len > 0) {
        memcpy(record, head.bytes, head.len);
    }
    if ((flags & HEADER_RIGHT) != 0) {
        make_plausible(record, bytes, flags, length, right_marks);
    }
    device.flash = &sim.flash;
    sim.fence_off = slot.address + slot_size - SECTOR; /* nothing but its own sector is ever changed */
    sim.fence_len = SECTOR;

    uint32_t want = slot_size > SECTOR ? reference_claim(bytes, slot_size) : 0;
    resume_record_t r;
    char validator[RESUME_VALIDATOR_SIZE] = "";
    uint32_t claim = resume_record_load(&r, &device, &slot, URL, validator, NULL);
    FUZZ_CHECK(claim == want, "%u bytes, the reference says %u", claim, want);
    FUZZ_CHECK(claim == 0 || (validator[0] != '\0' && memchr(validator, 0, sizeof(validator)) != NULL),
               "no validator");
    if (slot_size > SECTOR) {
        check_going_on(&r, &device, &slot, claim);
    }
    return 0;
}
