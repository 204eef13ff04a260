/*
 * A partition of NVS: opened, looked through, written on.
 * Input: flags (bits of enum), pages less one, then as often as there is something left: where in them (2 bytes, in units of 32),
 * how many bytes (1), the bytes. What is not given is erased.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "fuzz.h"
#include "otter/nvs_store.h"
#include "reference.h"
#include "sim/sim_flash.h"

enum { HEADS_RIGHT = 1, ENTRIES_RIGHT = 2, STATES_AS_ENTRIES = 4 };

#define FLASH_SIZE 0x10000u
#define AT         0x4000u
#define PAGE       4096u
#define ENTRY      32u
#define PAGES_MAX  6u

static sim_flash_t sim;

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> 8 * i);
    }
}

static uint32_t entry_crc(const uint8_t *entry)
{
    uint8_t covered[28];
    memcpy(covered, entry, 4);
    memcpy(covered + 4, entry + 8, 24);
    return reference_crc32(0xFFFFFFFF, covered, sizeof(covered));
}

/** Puts right what a fuzzer cannot guess. */
static void make_plausible(uint8_t *page, uint8_t flags)
{
    if ((flags & HEADS_RIGHT) != 0 && reference_le32(page) != 0xFFFFFFFF) {
        put32(page + 28, reference_crc32(0xFFFFFFFF, page + 4, 24));
    }
    for (uint32_t i = 0; i < 126; i++) {
        uint8_t *entry = page + 64 + (size_t)i * ENTRY;
        const bool blank = entry[0] == 0xFF && entry[2] == 0xFF;
        if ((flags & ENTRIES_RIGHT) != 0 && !blank) {
            put32(entry + 4, entry_crc(entry));
        }
        if ((flags & STATES_AS_ENTRIES) != 0) {
            page[32 + i / 4] &= (uint8_t) ~((blank ? 0u : 1u) << 2 * (i % 4));
        }
    }
}

/** Values by an own reading of the pages, when nothing is half done any more: heads that are written, parts of blobs aside. */
static uint32_t reference_count(const uint8_t *partition, uint32_t pages)
{
    uint32_t count = 0;
    for (uint32_t p = 0; p < pages; p++) {
        const uint8_t *page = partition + (size_t)p * PAGE;
        uint32_t state = reference_le32(page);
        if ((state != 0xFFFFFFFE && state != 0xFFFFFFFC && state != 0xFFFFFFF8) ||
            reference_le32(page + 28) != reference_crc32(0xFFFFFFFF, page + 4, 24)) {
            continue;
        }
        for (uint32_t i = 0; i < 126; i++) {
            const uint8_t *entry = page + 64 + (size_t)i * ENTRY;
            if ((page[32 + i / 4] >> 2 * (i % 4) & 3) != 2) {
                continue;
            }
            FUZZ_CHECK(reference_le32(entry + 4) == entry_crc(entry), "page %u, entry %u is no entry", p, i);
            FUZZ_CHECK(entry[2] >= 1 && entry[2] <= 126 - i, "page %u, entry %u leaves the page", p, i);
            count += entry[1] != 0x42 ? 1 : 0;
            i += entry[2] - 1u;
        }
    }
    return count;
}

static void count_line(void *arg, const char *line)
{
    ++*(uint32_t *)arg;
    FUZZ_CHECK(strlen(line) < OTTER_WHY_MAX, "a long line");
}

/** A checksum over all values that are there. @return how many */
static uint32_t look_through(otter_nvs_t *nvs, uint32_t *sum)
{
    static uint8_t bytes[OTTER_NVS_PAGE_SIZE * PAGES_MAX];
    otter_nvs_walk_t walk = {0};
    otter_nvs_item_t item;
    uint32_t count = 0, damaged;
    *sum = 0;
    while (otter_nvs_next(nvs, &walk, &item) == ESP_OK) {
        size_t size = sizeof(bytes);
        esp_err_t err = otter_nvs_get(nvs, item.ns, item.key, item.type, bytes, &size);
        FUZZ_CHECK(err != ESP_ERR_NVS_INVALID_LENGTH, "%s has %zu bytes", item.key, size);
        if (err == ESP_OK) {
            *sum += reference_crc32(reference_crc32(item.ns, (const uint8_t *)item.key, strlen(item.key)),
                                    bytes, size);
        }
        count++;
    }
    FUZZ_CHECK(otter_nvs_check(nvs, NULL, NULL, &damaged) == ESP_OK, "cannot be checked");
    return count;
}

/** What an application would do next. */
static void go_on(otter_nvs_t *nvs, fuzz_input_t *in)
{
    uint8_t ns, value[500], back[500];
    size_t size = sizeof(back);
    memset(value, fuzz_u8(in), sizeof(value));
    esp_err_t err = otter_nvs_namespace(nvs, "fuzz", true, &ns);
    FUZZ_CHECK(err == ESP_OK || err == ESP_ERR_NVS_NOT_ENOUGH_SPACE || err == ESP_ERR_NVS_TYPE_MISMATCH ||
                   err == ESP_ERR_NVS_NOT_FOUND,
               "no namespace: 0x%x", (unsigned)err);
    if (err != ESP_OK || ns == 0) {
        return;
    }
    for (uint32_t turn = 0; turn < 12; turn++) {
        const nvs_type_t type = turn % 2 == 0 ? NVS_TYPE_BLOB : NVS_TYPE_STR;
        value[0] = (uint8_t)(1 + turn);
        value[sizeof(value) - 1] = 0;
        err = otter_nvs_set(nvs, ns, "key", &(otter_nvs_value_t){type, value, sizeof(value)});
        FUZZ_CHECK(err == ESP_OK || err == ESP_ERR_NVS_NOT_ENOUGH_SPACE, "cannot set: 0x%x", (unsigned)err);
        if (err != ESP_OK) {
            return;
        }
        size = sizeof(back);
        err = otter_nvs_get(nvs, ns, "key", type, back, &size);
        FUZZ_CHECK(err == ESP_OK && size == sizeof(value) && memcmp(back, value, size) == 0,
                   "not what was set");
    }
    FUZZ_CHECK(otter_nvs_erase(nvs, ns, "key") == ESP_OK, "cannot erase");
}

static void take_contents(fuzz_input_t *in, uint32_t pages, uint8_t flags)
{
    uint8_t *partition = sim.bytes + AT;
    memset(sim.bytes, 0xFF, FLASH_SIZE);
    while (in->len > 3) {
        uint32_t at = fuzz_u16(in) * ENTRY % (pages * PAGE);
        fuzz_input_t some = fuzz_take(in, fuzz_u8(in));
        size_t room = (size_t)pages * PAGE - at;
        memcpy(partition + at, some.bytes, some.len < room ? some.len : room);
    }
    for (uint32_t i = 0; i < pages; i++) {
        make_plausible(partition + (size_t)i * PAGE, flags);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FUZZ_CHECK(sim.bytes != NULL || sim_flash_init(&sim, FLASH_SIZE), "no memory");
    fuzz_input_t in = {data, size};
    const uint8_t flags = fuzz_u8(&in);
    const uint32_t pages = 1 + fuzz_u8(&in) % PAGES_MAX;
    uint32_t sum, repaired_sum, lines = 0, again = 0;
    otter_nvs_place_t place = {.flash = &sim.flash, .offset = AT, .size = pages * PAGE, .read_only = true};
    otter_nvs_t *nvs;
    take_contents(&in, pages, flags);
    sim.fence_off = AT;
    sim.fence_len = pages * PAGE;

    const uint32_t ops = sim.ops;
    esp_err_t looked = otter_nvs_open(&place, &nvs, NULL);
    uint32_t count = looked == ESP_OK ? look_through(nvs, &sum) : 0;
    otter_nvs_close(nvs);
    FUZZ_CHECK(sim.ops == ops, "looking has changed it");

    place.read_only = false;
    place.tell = count_line;
    place.arg = &lines;
    esp_err_t err = otter_nvs_open(&place, &nvs, NULL);
    FUZZ_CHECK(err == looked || err == ESP_ERR_NVS_NO_FREE_PAGES, "0x%x, and to look at it 0x%x",
               (unsigned)err, (unsigned)looked);
    if (err != ESP_OK) {
        return 0;
    }
    uint32_t repaired = look_through(nvs, &repaired_sum);
    FUZZ_CHECK(repaired == count && repaired_sum == sum, "%u values to look at, %u when repaired", count,
               repaired);
    FUZZ_CHECK(reference_count(sim.bytes + AT, pages) == repaired, "%u values, the reference says %u",
               repaired, reference_count(sim.bytes + AT, pages));
    otter_nvs_close(nvs);
    place.arg = &again;
    FUZZ_CHECK(otter_nvs_open(&place, &nvs, NULL) == ESP_OK, "not a second time");
    uint32_t second = look_through(nvs, &repaired_sum);
    FUZZ_CHECK(second == count && repaired_sum == sum, "%u values, then %u", count, second);
    go_on(nvs, &in);
    otter_nvs_close(nvs);
    return 0;
}
