/* A second opinion on app images (FORMATS.md sections 5 and 6), over the whole image at once. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <string.h>

/* ESP-IDF: too large a partition is the caller's mistake, another chip ESP_FAIL, everything else an invalid image. */
#define BAD ESP_ERR_IMAGE_INVALID

typedef struct {
    const uint8_t *bytes;
    uint64_t have, room; /* bytes there are; bytes the image may use */
    const otter_image_rules_t *rules;
    const otter_chip_facts_t *facts; /* NULL: unknown chip */
    uint64_t pos;
    uint64_t page;
    uint8_t sum;
    uint64_t addrs[16]; /* of the segments so far */
    uint32_t seen;
    bool has_desc, has_boot_desc;
} walk_t;

static uint64_t limit_of(const walk_t *w)
{
    return w->facts != NULL ? w->facts->image_limit : 16u * 1024 * 1024;
}

/** As an ESP8266 would read it: entry at 4, load address of the first segment at 8. */
static bool is_esp8266(const uint8_t *header)
{
    uint32_t entry = reference_le32(header + 4), load = reference_le32(header + 8);
    bool loads = (load >= 0x40100000 && load < 0x40110000) || (load >= 0x3FFE8000 && load < 0x40000000) ||
                 (load >= 0x40200000 && load < 0x40400000);
    return entry >= 0x40100000 && entry < 0x40110000 && loads;
}

static esp_err_t check_chip(const walk_t *w)
{
    const otter_chip_t *chip = w->rules->chip;
    if (chip == NULL || w->rules->no_checks) {
        return ESP_OK;
    }
    unsigned min = reference_le16(w->bytes + 15), max = reference_le16(w->bytes + 17);
    if (is_esp8266(w->bytes) || reference_le16(w->bytes + 12) != chip->id || chip->revision < min) {
        return ESP_FAIL;
    }
    bool limited = max != 0 && max != 65535 && !w->rules->bootloader && !chip->ignore_max_revision;
    return limited && chip->revision > max ? ESP_FAIL : ESP_OK;
}

static bool in_window(const otter_window_t *window, uint64_t start, uint64_t len)
{
    return start >= window->start && start < window->end && start + len <= window->end;
}

static bool is_mapped(const walk_t *w, uint64_t addr)
{
    if (w->facts->mmu_pages != 0) {
        return addr >= w->facts->data.start && addr < w->facts->data.start + w->facts->mmu_pages * w->page;
    }
    return in_window(&w->facts->data, addr, 0) || in_window(&w->facts->inst, addr, 0) ||
           in_window(&w->facts->extram, addr, 0);
}

/** Load addresses that only ESP-IDF's bootloaders have: the end of the chip's memory. Chip, from, up to. */
static const uint32_t bootloader_ends[][3] = {
    {0x00, 0x40078000, 0x40080000}, {0x00, 0x3FFF0000, 0x3FFF8000}, {0x02, 0x4004A000, 0x40056000},
    {0x02, 0x3FFE4000, 0x3FFF0000}, {0x05, 0x403C8000, 0x403E0000}, {0x05, 0x3FCD4000, 0x3FCE0000},
    {0x09, 0x403B6000, 0x403E0000}, {0x09, 0x3FCD0000, 0x3FD00000}, {0x0C, 0x403A8000, 0x403C0000},
    {0x0C, 0x3FCD0000, 0x3FCE0000}, {0x0D, 0x40868000, 0x40880000}, {0x10, 0x40838000, 0x40850000},
    {0x12, 0x4FF28000, 0x4FF40000}, {0x12, 0x4FFA8000, 0x4FFC0000}, {0x14, 0x40838000, 0x40850000},
    {0x17, 0x40848000, 0x40860000}, {0x19, 0x40836000, 0x40850000}, {0x1C, 0x40848000, 0x40860000},
};

typedef enum { NOTHING, APP, BOOTLOADER, RAM_PROGRAM } kind_t;

static kind_t kind_of(const walk_t *w)
{
    uint16_t id = (uint16_t)reference_le16(w->bytes + 12);
    const otter_chip_facts_t *own = otter_chip_facts(id);
    if (w->bytes[0] != 0xE9 || is_esp8266(w->bytes)) {
        return NOTHING;
    }
    if (w->has_boot_desc) {
        return BOOTLOADER;
    }
    if (own == NULL || !otter_chip_is_espressif(own->id)) {
        return APP;
    }
    walk_t as_own = *w;
    as_own.facts = own;
    bool at_end = false, mapped = false, begins = w->seen == 0 || w->has_desc;
    for (uint32_t i = 0; i < w->seen; i++) {
        mapped |= is_mapped(&as_own, w->addrs[i]);
        begins |= i == 0 && mapped;
        for (size_t k = 0; k < sizeof(bootloader_ends) / sizeof(bootloader_ends[0]); k++) {
            at_end |= id == bootloader_ends[k][0] && w->addrs[i] >= bootloader_ends[k][1] &&
                      w->addrs[i] < bootloader_ends[k][2];
        }
    }
    bool app = begins && (mapped || w->seen < w->bytes[1]);
    return app ? APP : at_end ? BOOTLOADER : RAM_PROGRAM;
}

static bool as_app(const walk_t *w)
{
    return !w->rules->bootloader && (w->rules->chip != NULL || kind_of(w) == APP);
}

static bool wants_desc(const walk_t *w)
{
    return w->facts != NULL && w->facts->mmu_page_min != 0;
}

static esp_err_t check_place(const walk_t *w, uint64_t addr, uint64_t len)
{
    if (w->facts == NULL || !otter_chip_is_espressif(w->facts->id)) {
        return ESP_OK;
    }
    if (is_mapped(w, addr)) {
        return (w->rules->flash_offset + w->pos) % w->page == addr % w->page ? ESP_OK : BAD;
    }
    if (!w->rules->loading || !as_app(w) || addr < 0x10000000 || len == 0) {
        return ESP_OK;
    }
    for (int i = 0; i < OTTER_RAM_WINDOWS; i++) {
        if (in_window(&w->facts->ram[i], addr, len)) {
            return ESP_OK;
        }
    }
    return BAD;
}

/** Judgements that need the start of segment 0; w->pos is there. */
static esp_err_t check_first_segment(walk_t *w, uint64_t addr, uint64_t len)
{
    uint64_t seen = len < 256 ? len : 256;
    if (w->have - w->pos < seen) {
        return BAD;
    }
    const uint8_t *p = w->bytes + w->pos;
    bool has_magic = seen >= 4 && reference_le32(p) == 0xABCD5432;
    w->has_desc = has_magic && seen == 256;
    w->has_boot_desc = seen >= 80 && p[0] == 0x50 && p[8] > 0x20 && p[8] < 0x7F;
    bool app = as_app(w);
    if (!w->rules->no_checks && w->rules->loading && app && kind_of(w) == BOOTLOADER) {
        return BAD;
    }
    if (app && wants_desc(w)) {
        if (!has_magic || seen <= 180) {
            return ESP_FAIL;
        }
        for (uint64_t page = w->facts->mmu_page_min, log2 = page == 0x2000 ? 13 : 14; log2 <= 16;
             log2++, page *= 2) {
            w->page = p[180] == log2 ? page : w->page;
        }
    }
    esp_err_t place = check_place(w, addr, len);
    const otter_chip_t *chip = w->rules->chip;
    if (place != ESP_OK || !app || w->rules->no_checks || chip == NULL || w->facts == NULL ||
        !w->facts->has_blk_revision || seen < 180) {
        return place;
    }
    unsigned min = reference_le16(p + 176), max = reference_le16(p + 178);
    bool too_old = min != 0 && min != 65535 && chip->blk_revision < min;
    bool too_new = max != 0 && max != 65535 && chip->blk_revision > max && !chip->ignore_max_blk_revision;
    return too_old || too_new ? ESP_FAIL : ESP_OK;
}

static esp_err_t walk_segment(walk_t *w, uint32_t index)
{
    if (w->pos + 8 > w->room || w->pos + 8 > w->have) {
        return BAD;
    }
    uint64_t addr = reference_le32(w->bytes + w->pos), len = reference_le32(w->bytes + w->pos + 4);
    w->pos += 8;
    w->addrs[w->seen++] = addr;
    if (len % 4 != 0 || len >= limit_of(w) || w->pos + len > w->room) {
        return BAD;
    }
    uint64_t told = reference_le32(w->bytes + 4); /* of the payload, in the header */
    if (index == 1 && w->rules->loading && reference_le16(w->bytes + 12) == OTTER_CHIP_DEVICE &&
        (told > len || told + 3 < len)) {
        return BAD;
    }
    bool bootloader =
        index > 0 && !w->rules->no_checks && w->rules->loading && as_app(w) && kind_of(w) == BOOTLOADER;
    esp_err_t err = bootloader   ? BAD
                    : index == 0 ? check_first_segment(w, addr, len)
                                 : check_place(w, addr, len);
    if (err != ESP_OK) {
        return err;
    }
    if (w->pos + len > w->have) {
        return BAD;
    }
    for (uint64_t i = 0; i < len; i++) {
        w->sum ^= w->bytes[w->pos + i];
    }
    w->pos += len;
    return ESP_OK;
}

static esp_err_t check_end(const walk_t *w, reference_image_t *out)
{
    uint64_t total = (w->pos / 16 + 1) * 16;
    bool hashed = w->bytes[23] != 0;
    if (!w->rules->no_checks) {
        bool app = kind_of(w) == APP;
        if (w->rules->loading && as_app(w) && !app) {
            return BAD;
        }
        if (w->rules->chip == NULL && app && reference_le16(w->bytes + 15) == 65535) {
            return ESP_FAIL; /* no chip has that revision */
        }
    }
    out->body_len = (uint32_t)w->pos;
    out->want_checksum = w->sum;
    out->checksum_in = total <= w->have && total <= w->room;
    if (!out->checksum_in || (!w->rules->no_checks && w->bytes[total - 1] != w->sum)) {
        return BAD;
    }
    out->image_len = (uint32_t)(total + (hashed ? 32 : 0));
    if (!hashed) {
        return ESP_OK;
    }
    reference_sha256(w->bytes, total, out->want_hash);
    out->hash_in = total + 32 <= w->have && total + 32 <= w->room;
    bool compared = !w->rules->no_checks && as_app(w);
    bool equal = out->hash_in && memcmp(w->bytes + total, out->want_hash, 32) == 0;
    return out->hash_in && (equal || !compared) ? ESP_OK : BAD;
}

static esp_err_t walk_all(walk_t *w, reference_image_t *out)
{
    const otter_chip_t *chip = w->rules->chip;
    if (chip != NULL) {
        w->facts = otter_chip_facts(chip->id);
        if (w->room > limit_of(w)) {
            return ESP_ERR_INVALID_ARG;
        }
    }
    if (w->room < 24 || w->have < 24 || (!w->rules->no_checks && w->bytes[0] != 0xE9)) {
        return BAD;
    }
    if (chip == NULL && !w->rules->no_checks && is_esp8266(w->bytes)) {
        return BAD;
    }
    if (chip == NULL) {
        w->facts = otter_chip_facts(reference_le16(w->bytes + 12));
    }
    w->page = w->facts != NULL ? w->facts->mmu_page : 0;
    esp_err_t err = check_chip(w);
    out->segments = w->bytes[1];
    bool too_few =
        w->rules->loading && reference_le16(w->bytes + 12) >= OTTER_CHIP_DEVICE && out->segments < 2;
    too_few = too_few || (w->rules->loading && out->segments == 0);
    if (err == ESP_OK && (out->segments > 16 || too_few)) {
        err = BAD;
    }
    w->pos = 24;
    for (uint32_t i = 0; err == ESP_OK && i < out->segments; i++) {
        err = walk_segment(w, i);
    }
    return err == ESP_OK ? check_end(w, out) : err;
}

void reference_image(const uint8_t *bytes, size_t len, const otter_image_rules_t *rules,
                     reference_image_t *out)
{
    memset(out, 0, sizeof(*out));
    walk_t walk = {.bytes = bytes, .have = len, .room = rules->size, .rules = rules, .sum = 0xEF};
    out->verdict = walk_all(&walk, out);
}
