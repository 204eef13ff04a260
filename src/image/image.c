/*
 * The streaming judge of app images.
 *
 * The image is a chain of parts: header, then per segment a header and its data, then padding and checksum, then the
 * hash. Small parts are collected in `buf`, the start of segment 0 where its description will be; other segment data goes from
 * the caller's buffer straight into checksum and hash. Each part is judged by one function when it is complete, which also
 * decides what comes next. Invariants:
 *   1. `pos` is the number of bytes consumed, and never passes rules.size: a part is begun only if it fits.
 *   2. `want - have` bytes of the present part are still to come, and want > have while the verdict is open.
 *   3. The order of the judgements is ESP-IDF's (FORMATS.md section 6): checksum, then length, then hash.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/image.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "otter/bytes.h"
#include "flash/flash_buffer.h"
#include "image/judge.h"
#include "image/signature.h"
#include "image/signed_bytes.h"
#include "otter/image_kind.h"
#include "otter/system.h"

#define CHECKSUM_SEED     0xEFu
#define ALIGN_CHECKSUM    16u
#define NOT_LOADED_BELOW  0x10000000u /* load addresses below are ignored: padding segments */
#define DEFAULT_LIMIT     0x01000000u
#define CACHE_BLOCK       16384u  /* summed and hashed while it is in the first-level cache */
#define HEAD_READ         0x1000u /* bytes read at a time where no segment data is */
#define SMALL_BUFFER      256u    /* where the flash lends none */
#define READ_AHEAD        64u /* behind a segment's data: the next header, or padding, checksum and hash */
#define DESC_EFUSE_FIELDS 180u

enum part {
    PART_HEADER,
    PART_SEGMENT_HEADER,
    PART_SEGMENT_START,
    PART_SEGMENT_DATA,
    PART_TAIL,
    PART_HASH,
    PART_SIGNED_PADDING, /* up to the signature's sector */
    PART_SIGNATURE,
};

static uint32_t size_limit(const otter_image_stream_t *s)
{
    return s->facts != NULL ? s->facts->image_limit : DEFAULT_LIMIT;
}

/** Checksum and hash of a stream are compared only when they were computed. */
static bool contents_are_judged(const otter_image_stream_t *s)
{
    return !s->rules.no_checks && !s->rules.known;
}

static bool needs_signature(const otter_image_stream_t *s)
{
    const otter_trust_t *trust = &s->rules.trust;
    return !s->rules.no_checks && (trust->signatures != NULL || trust->error != ESP_OK);
}

static uint32_t signature_len(const otter_trust_t *trust)
{
    return trust->scheme == OTTER_SIGNED_V1 ? OTTER_SIGNATURE_V1_SIZE : OTTER_SIGNATURE_SECTOR;
}

/* ---- checksum and hash ---- */

/* Four registers of the widest kind every compiler has; where there is none, it splits them into words. */
typedef uint64_t lane_t __attribute__((vector_size(16)));

static uint64_t xor_bytes(const uint8_t *p, size_t len)
{
    lane_t a = {0}, b = {0}, c = {0}, d = {0};
    for (; len >= 4 * sizeof(lane_t); len -= 4 * sizeof(lane_t), p += 4 * sizeof(lane_t)) {
        lane_t word[4];
        memcpy(word, p, sizeof(word));
        a ^= word[0];
        b ^= word[1];
        c ^= word[2];
        d ^= word[3];
    }
    a ^= b ^ c ^ d;
    uint64_t sum = a[0] ^ a[1];
    for (size_t i = 0; i < len; i++) {
        sum ^= p[i];
    }
    return sum;
}

/** All lanes into one byte. The order does not matter to XOR, so neither does how the data was divided or aligned. */
static uint8_t fold_checksum(uint64_t sum)
{
    sum ^= sum >> 32;
    sum ^= sum >> 16;
    sum ^= sum >> 8;
    return (uint8_t)(sum ^ CHECKSUM_SEED);
}

static void hash(otter_image_stream_t *s, const uint8_t *data, size_t len)
{
    if (s->hashing) {
        otter_digest_update(&s->sha, data, len);
    }
    if (s->signature != NULL) {
        s->rules.trust.signatures->cover(s->signature, data, len);
    }
}

static void absorb_segment_data(otter_image_stream_t *s, const uint8_t *data, size_t len)
{
    while (len > 0) {
        size_t n = len < CACHE_BLOCK ? len : CACHE_BLOCK;
        hash(s, data,
             n); /* before the sum: hashing is slower, and the sum then finds the bytes in the cache */
        s->xor_word ^= xor_bytes(data, n);
        data += n;
        len -= n;
    }
}

/* ---- the parts in their order ---- */

/** Invariant 1: only a part that fits is begun. */
static bool begin_part(otter_image_stream_t *s, enum part part, uint32_t len)
{
    if (len > s->rules.size - s->pos) {
        return false;
    }
    s->state = part;
    s->want = len;
    s->have = 0;
    return true;
}

/** True if an app's rules hold: for a device, of all but its bootloader; for a file, of what is an app. */
static bool judged_as_app(const otter_image_stream_t *s)
{
    return !s->rules.bootloader &&
           (s->rules.chip != NULL || otter_image_kind(&s->info) == OTTER_IMAGE_KIND_APP);
}

static bool needs_desc(const otter_image_stream_t *s)
{
    return s->facts != NULL && s->facts->mmu_page_min != 0;
}

/** True, with the reason, if this is a bootloader and an app is to be loaded. */
static bool is_foreign_bootloader(otter_image_stream_t *s)
{
    bool found = !s->rules.no_checks && s->rules.loading && judged_as_app(s) &&
                 otter_image_kind(&s->info) == OTTER_IMAGE_KIND_BOOTLOADER;
    if (found) {
        s->verdict = otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID, "this is a bootloader image, not an app");
    }
    return found;
}

/** After the last segment: now it is known what the image is for. */
static bool kind_is_good(otter_image_stream_t *s)
{
    otter_image_kind_t kind = otter_image_kind(&s->info);
    if (s->rules.no_checks) {
        return true;
    }
    if (s->rules.loading && judged_as_app(s) && kind != OTTER_IMAGE_KIND_APP) {
        s->verdict = otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID,
                                 "this is a %s, not an app: it does not begin with what is mapped from flash",
                                 otter_image_kind_name(kind));
        return false;
    }
    const image_have_t any = {.unknown = true};
    const uint16_t min = s->info.header.min_chip_rev_full;
    if (s->rules.chip == NULL && kind == OTTER_IMAGE_KIND_APP &&
        !image_revision_suits("chip", min, 0, &any, false, &s->fault)) {
        s->verdict = s->fault.code = ESP_FAIL;
        return false;
    }
    return true;
}

static void begin_tail(otter_image_stream_t *s)
{
    if (!kind_is_good(s)) {
        return;
    }
    uint32_t len = ALIGN_CHECKSUM - s->pos % ALIGN_CHECKSUM;
    if (!begin_part(s, PART_TAIL, len)) {
        s->verdict = otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID,
                                 "checksum at %" PRIu32 " is beyond the %" PRIu32 " bytes there are", s->pos,
                                 s->rules.size);
        return;
    }
    s->info.image_len = s->pos + len + (s->info.header.hash_appended != 0 ? OTTER_IMAGE_HASH_LEN : 0);
}

static void begin_next_segment(otter_image_stream_t *s)
{
    if (s->info.segments_seen == s->info.header.segment_count) {
        begin_tail(s);
    } else if (!begin_part(s, PART_SEGMENT_HEADER, OTTER_IMAGE_SEGMENT_SIZE)) {
        s->verdict = otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID,
                                 "header of segment %" PRIu32 " at %" PRIu32 " is beyond the %" PRIu32
                                 " bytes there are",
                                 s->info.segments_seen, s->pos, s->rules.size);
    }
}

static bool header_is_good(otter_image_stream_t *s)
{
    const esp_image_header_t *header = &s->info.header;
    if (!s->rules.no_checks && header->magic != ESP_IMAGE_HEADER_MAGIC) {
        s->verdict =
            image_refuse_magic(s->buf, OTTER_IMAGE_HEADER_SIZE, ESP_ERR_IMAGE_INVALID, "", &s->fault);
        return false;
    }
    if (!s->rules.no_checks && s->rules.chip == NULL && image_header_is_esp8266(header)) {
        s->verdict = otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID,
                                 "this is an image for ESP8266, whose format and updates are not ESP-IDF's");
        return false;
    }
    if (!s->rules.no_checks && s->rules.chip != NULL &&
        !image_suits_chip(header, s->rules.chip, s->rules.bootloader, s->rules.strict, &s->fault)) {
        s->verdict = s->fault.code = ESP_FAIL;
        return false;
    }
    if (header->segment_count > ESP_IMAGE_MAX_SEGMENTS) {
        s->verdict = otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID, "%u segments, more than %d",
                                 header->segment_count, ESP_IMAGE_MAX_SEGMENTS);
        return false;
    }
    if (s->rules.hashed && header->hash_appended == 0) {
        s->verdict = otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID,
                                 "no SHA-256 is appended, which this device requires");
        return false;
    }
    if (s->rules.loading && header->segment_count == 0) {
        s->verdict =
            otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID, "it has no segments: there is nothing to load");
        return false;
    }
    /* Where no chip loads it, the second segment is what runs. */
    if (s->rules.loading && !otter_chip_is_espressif(header->chip_id) && header->segment_count < 2) {
        s->verdict = otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID,
                                 "%u segments: the one with the %s is missing", header->segment_count,
                                 header->chip_id == OTTER_CHIP_LINUX ? "executable" : "payload");
        return false;
    }
    return true;
}

static void judge_header(otter_image_stream_t *s)
{
    otter_image_decode_header(s->buf, &s->info.header);
    s->info.header_seen = true;
    if (s->rules.chip == NULL) {
        s->facts = otter_chip_facts(s->info.header.chip_id);
    }
    if (s->facts != NULL) {
        s->info.mmu_page_size = s->facts->mmu_page;
    }
    if (!header_is_good(s)) {
        return;
    }
    s->hashing = contents_are_judged(s) && (s->info.header.hash_appended != 0 || s->signature != NULL);
    hash(s, s->buf, OTTER_IMAGE_HEADER_SIZE);
    begin_next_segment(s);
}

/** Where the segment goes: mapped ones must be congruent, copied ones (when loading) must go to RAM. */
static bool placement_is_good(otter_image_stream_t *s, uint32_t index)
{
    if (s->facts == NULL || !otter_chip_is_espressif(s->facts->id)) {
        return true;
    }
    uint32_t load_addr = s->info.segments[index].load_addr;
    uint32_t len = s->info.segments[index].data_len;
    if (otter_chip_maps(s->facts, load_addr, s->info.mmu_page_size)) {
        uint32_t flash_addr = s->rules.flash_offset + s->info.segment_data[index];
        uint32_t mask = s->info.mmu_page_size - 1;
        if (((flash_addr ^ load_addr) & mask) == 0) {
            return true;
        }
        s->verdict = otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID,
                                 "segment %" PRIu32 ": load address 0x%08" PRIx32
                                 " and flash address 0x%08" PRIx32 " differ modulo %" PRIu32,
                                 index, load_addr, flash_addr, s->info.mmu_page_size);
        return false;
    }
    if (!s->rules.loading || !judged_as_app(s) || load_addr < NOT_LOADED_BELOW || len == 0 ||
        otter_chip_can_load(s->facts, load_addr, len)) {
        return true;
    }
    s->verdict = otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID,
                             "segment %" PRIu32 ": %" PRIu32 " bytes at 0x%08" PRIx32
                             " are not all in the chip's memory",
                             index, len, load_addr);
    return false;
}

static void begin_segment_data(otter_image_stream_t *s, uint32_t len)
{
    if (len == 0) {
        begin_next_segment(s);
    } else {
        (void)begin_part(s, PART_SEGMENT_DATA, len); /* fits: judge_segment_header looked */
    }
}

static void judge_segment_start(otter_image_stream_t *s);

/** The header tells how many bytes of the payload's segment count; the others fill its last word. */
static bool payload_is_good(otter_image_stream_t *s, uint32_t len)
{
    const esp_image_header_t *header = &s->info.header;
    if (!s->rules.loading || header->chip_id != OTTER_CHIP_DEVICE ||
        (header->entry_addr <= len && len - header->entry_addr < 4)) {
        return true;
    }
    s->verdict = otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID,
                             "a payload of %" PRIu32 " bytes is told, and its segment has %" PRIu32,
                             header->entry_addr, len);
    return false;
}

static void judge_segment_header(otter_image_stream_t *s)
{
    hash(s, s->buf, OTTER_IMAGE_SEGMENT_SIZE);
    uint32_t index = s->info.segments_seen++;
    uint32_t load_addr = le32_get(s->buf);
    uint32_t len = le32_get(s->buf + 4);
    s->info.segments[index].load_addr = load_addr;
    s->info.segments[index].data_len = len;
    s->info.segment_data[index] = s->pos;

    if (len % 4 != 0 || len >= size_limit(s)) {
        s->verdict = otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID,
                                 "segment %" PRIu32 " has an impossible length of 0x%08" PRIx32, index, len);
    } else if (len > s->rules.size - s->pos) {
        s->verdict = otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID,
                                 "segment %" PRIu32 ": %" PRIu32 " bytes at %" PRIu32 " run past the %" PRIu32
                                 " bytes there are",
                                 index, len, s->pos, s->rules.size);
    } else if (needs_signature(s) &&
               len >
                   s->rules.size - s->pos - min_u32(s->rules.size - s->pos, signature_len(&s->rules.trust))) {
        s->verdict = otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID,
                                 "the image is not signed: %" PRIu32
                                 " bytes leave no room for a signature behind segment %" PRIu32,
                                 s->rules.size, index);
    } else if (index == 1 && !payload_is_good(s, len)) {
        return;
    } else if (index > 0) {
        if (!is_foreign_bootloader(s) && placement_is_good(s, index)) {
            begin_segment_data(s, len);
        }
    } else if (len > 0) {
        (void)begin_part(s, PART_SEGMENT_START, min_u32(len, OTTER_IMAGE_DESC_SIZE));
    } else {
        s->have = 0;
        judge_segment_start(s);
    }
}

/** Where the first bytes of segment 0 are collected, as many as make a descriptor, and become one. */
static uint8_t *segment_start(otter_image_stream_t *s)
{
    _Static_assert(sizeof(s->info.desc) == OTTER_IMAGE_DESC_SIZE, "a whole descriptor");
    return (uint8_t *)&s->info.desc;
}

/** The MMU page that the app chose. False: no descriptor. */
static bool page_is_good(otter_image_stream_t *s)
{
    const uint32_t at = offsetof(esp_app_desc_t, mmu_page_size);
    const uint8_t *start = segment_start(s);
    if (s->have <= at || le32_get(start) != ESP_APP_DESC_MAGIC_WORD) {
        s->verdict = otter_fault(&s->fault, ESP_FAIL, "no app descriptor at the start of segment 0");
        return false;
    }
    uint32_t page = otter_chip_mmu_page(s->facts, start[at]);
    s->info.mmu_page_size = page != 0 ? page : s->facts->mmu_page;
    return true;
}

/** As ESP-IDF, this reads the descriptor's place in segment 0 whatever its magic. */
static void note_blk_limits(otter_image_stream_t *s)
{
    otter_image_info_t *info = &s->info;
    const uint8_t *start = segment_start(s);
    info->has_blk_limits = s->facts != NULL && s->facts->has_blk_revision && s->have >= DESC_EFUSE_FIELDS;
    if (info->has_blk_limits) {
        info->min_blk_revision = le16_get(start + offsetof(esp_app_desc_t, min_efuse_blk_rev_full));
        info->max_blk_revision = le16_get(start + offsetof(esp_app_desc_t, max_efuse_blk_rev_full));
    }
}

static bool blk_revision_is_good(otter_image_stream_t *s)
{
    const otter_image_info_t *info = &s->info;
    const otter_chip_t *chip = s->rules.chip;
    if (s->rules.no_checks || chip == NULL || !info->has_blk_limits) {
        return true;
    }
    const image_have_t have = image_have_blk(chip);
    if (image_revision_suits("eFuse block", image_blk_minimum(info->min_blk_revision), info->max_blk_revision,
                             &have, s->rules.strict, &s->fault)) {
        return true;
    }
    s->verdict = s->fault.code = ESP_FAIL;
    return false;
}

static bool segment_start_is_good(otter_image_stream_t *s)
{
    const bool as_app = judged_as_app(s);
    return !is_foreign_bootloader(s) && (!as_app || !needs_desc(s) || page_is_good(s)) &&
           placement_is_good(s, 0) && (!as_app || blk_revision_is_good(s));
}

/** The first `have` bytes of segment 0 are there, up to a whole descriptor. They become one last, as they are read until then. */
static void judge_segment_start(otter_image_stream_t *s)
{
    const uint8_t *start = segment_start(s);
    const uint32_t seen = s->have;
    s->info.has_desc = seen == OTTER_IMAGE_DESC_SIZE && image_begins_desc(start);
    s->info.has_bootloader_desc =
        seen >= sizeof(esp_bootloader_desc_t) && image_begins_bootloader_desc(start);
    absorb_segment_data(s, start, seen);
    note_blk_limits(s);
    const bool good = segment_start_is_good(s);
    if (s->info.has_desc) {
        otter_ignore(otter_image_decode_desc(start, &s->info.desc)); /* looked at above */
    } else if (s->info.has_bootloader_desc) {
        otter_ignore(otter_image_decode_bootloader_desc(start, &s->info.bootloader_desc));
    } else {
        memset(&s->info.desc, 0, sizeof(s->info.desc));
    }
    if (good) {
        begin_segment_data(s, s->info.segments[0].data_len - seen);
    }
}

static void begin_signature_blocks(otter_image_stream_t *s)
{
    otter_digest_finish(&s->sha, s->signed_digest);
    (void)begin_part(s, PART_SIGNATURE, signature_len(&s->rules.trust)); /* fits: begin_signature looked */
}

/** After the last byte of the image itself: it is good, or its signature is still to come. */
static void begin_signature(otter_image_stream_t *s)
{
    const otter_trust_t *trust = &s->rules.trust;
    if (!needs_signature(s)) {
        s->verdict = ESP_OK;
        return;
    }
    uint32_t padding = trust->scheme == OTTER_SIGNED_V1 ? 0 : (0u - s->pos) % OTTER_SIGNATURE_SECTOR;
    uint32_t room = s->rules.size - s->pos, len = signature_len(trust);
    if (padding > room || len > room - padding) {
        s->verdict = otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID,
                                 "the image is not signed: %" PRIu32
                                 " bytes leave no room for a signature behind its %" PRIu32,
                                 s->rules.size, s->pos);
    } else if (s->rules.known) {
        s->info.image_len = s->pos + padding + len;
        s->verdict = ESP_OK;
    } else if (padding != 0) {
        (void)begin_part(s, PART_SIGNED_PADDING, padding);
    } else {
        begin_signature_blocks(s);
    }
}

static void judge_signature(otter_image_stream_t *s)
{
    s->verdict = s->rules.trust.signatures->verdict(s->signature, &s->fault);
    if (s->verdict == ESP_OK) {
        s->info.image_len = s->pos;
    }
}

static void judge_tail(otter_image_stream_t *s)
{
    otter_image_info_t *info = &s->info;
    info->checksum_stored = s->buf[s->want - 1];
    info->checksum = s->rules.known ? info->checksum_stored : fold_checksum(s->xor_word);
    info->checksum_seen = true;
    info->checksum_valid = info->checksum == info->checksum_stored;
    if (contents_are_judged(s) && !info->checksum_valid) {
        s->verdict = otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID, "checksum is 0x%02x, 0x%02x is stored",
                                 info->checksum, info->checksum_stored);
        return;
    }
    hash(s, s->buf, s->want);
    if (info->header.hash_appended == 0) {
        begin_signature(s);
    } else if (!begin_part(s, PART_HASH, OTTER_IMAGE_HASH_LEN)) {
        s->verdict = otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID,
                                 "image of %" PRIu32 " bytes does not fit in %" PRIu32,
                                 s->pos + OTTER_IMAGE_HASH_LEN, s->rules.size);
    }
}

static void judge_hash(otter_image_stream_t *s)
{
    memcpy(s->info.digest, s->buf, OTTER_IMAGE_HASH_LEN);
    s->info.hash_seen = true;
    s->info.hash_compared = s->hashing || s->rules.known;
    if (s->rules.known) {
        memcpy(s->info.computed, s->info.digest, OTTER_IMAGE_HASH_LEN);
    } else if (s->hashing && !otter_digest_peek(&s->sha, s->info.computed)) {
        s->verdict = otter_fault(&s->fault, ESP_ERR_NO_MEM, "out of memory");
        return;
    }
    s->info.hash_valid =
        s->info.hash_compared && memcmp(s->info.computed, s->info.digest, OTTER_IMAGE_HASH_LEN) == 0;
    /* The ROM that starts what is no app does not look at it. */
    if (s->info.hash_compared && !s->info.hash_valid && judged_as_app(s)) {
        char is[2 * OTTER_IMAGE_HASH_LEN + 1], stored[2 * OTTER_IMAGE_HASH_LEN + 1];
        s->verdict = otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID, "SHA-256 differs: it is %s, %s is stored",
                                 otter_image_hex(is, s->info.computed, OTTER_IMAGE_HASH_LEN),
                                 otter_image_hex(stored, s->info.digest, OTTER_IMAGE_HASH_LEN));
        return;
    }
    hash(s, s->buf, OTTER_IMAGE_HASH_LEN);
    begin_signature(s);
}

static void finish_part(otter_image_stream_t *s)
{
    switch ((enum part)s->state) {
    case PART_HEADER:
        judge_header(s);
        break;
    case PART_SEGMENT_HEADER:
        judge_segment_header(s);
        break;
    case PART_SEGMENT_START:
        judge_segment_start(s);
        break;
    case PART_SEGMENT_DATA:
        begin_next_segment(s);
        break;
    case PART_TAIL:
        judge_tail(s);
        break;
    case PART_HASH:
        judge_hash(s);
        break;
    case PART_SIGNED_PADDING:
        begin_signature_blocks(s);
        break;
    case PART_SIGNATURE:
        judge_signature(s);
        break;
    }
}

/* ---- the stream ---- */

/** False, with a verdict, if no image could be good, whoever signed it. */
static bool trusts_somebody(otter_image_stream_t *s)
{
    bool good = !needs_signature(s) || trust_has_somebody(&s->rules.trust, &s->fault);
    s->verdict = good ? s->verdict : s->fault.code;
    return good;
}

static void end_signature(otter_image_stream_t *s)
{
    if (s->signature != NULL) {
        s->rules.trust.signatures->end(s->signature);
        s->signature = NULL;
    }
}

/** All is zeros but for the rules. */
static esp_err_t start(otter_image_stream_t *s)
{
    const otter_image_rules_t *rules = &s->rules;
    s->state = PART_HEADER;
    s->want = OTTER_IMAGE_HEADER_SIZE;
    s->verdict = ESP_ERR_NOT_FINISHED;
    bool lacks_memory = false;
    if (rules->trust.signatures != NULL && contents_are_judged(s)) {
        s->signature = rules->trust.signatures->begin(&rules->trust);
        lacks_memory = s->signature == NULL;
    }
    if (lacks_memory || !otter_sha256_begin(&s->sha)) {
        s->verdict = otter_fault(&s->fault, ESP_ERR_NO_MEM, "out of memory");
        return s->verdict;
    }
    if (rules->chip != NULL) {
        s->facts = otter_chip_facts(rules->chip->id);
        if (rules->size > size_limit(s)) {
            s->verdict = otter_fault(&s->fault, ESP_ERR_INVALID_ARG,
                                     "partition of 0x%" PRIx32 " bytes, larger than 0x%" PRIx32, rules->size,
                                     size_limit(s));
            return ESP_ERR_INVALID_ARG;
        }
    }
    if (!trusts_somebody(s)) {
        return ESP_OK;
    }
    if (rules->size < OTTER_IMAGE_HEADER_SIZE) { /* a verdict on the image: feed tells it */
        s->verdict = otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID,
                                 "%" PRIu32 " bytes are too few for an image", rules->size);
    }
    return ESP_OK;
}

esp_err_t otter_image_stream_begin(otter_image_stream_t *s, const otter_image_rules_t *rules)
{
    end_signature(s);
    memset(&s->rules, 0, sizeof(*s) - offsetof(otter_image_stream_t, rules));
    s->rules = *rules;
    return start(s);
}

/** Moves bytes into the present part. @return how many it took, at least 1 */
static uint32_t take(otter_image_stream_t *s, const uint8_t *data, size_t len)
{
    uint32_t rest = s->want - s->have;
    uint32_t n = len < rest ? (uint32_t)len : rest;
    if (s->state == PART_SEGMENT_DATA) {
        absorb_segment_data(s, data, n);
    } else if (s->state == PART_SIGNED_PADDING) {
        hash(s, data, n);
    } else if (s->state == PART_SIGNATURE) {
        s->rules.trust.signatures->feed(s->signature, s->signed_digest, data, n);
    } else {
        memcpy((s->state == PART_SEGMENT_START ? segment_start(s) : s->buf) + s->have, data, n);
    }
    s->have += n;
    s->pos += n;
    if (s->have == s->want) {
        finish_part(s);
    }
    return n;
}

esp_err_t otter_image_stream_feed(otter_image_stream_t *s, const void *data, size_t len)
{
    const uint8_t *p = data;
    while (len > 0 && s->verdict == ESP_ERR_NOT_FINISHED) {
        uint32_t n = take(s, p, len);
        p += n;
        len -= n;
    }
    return s->verdict;
}

esp_err_t otter_image_stream_close(otter_image_stream_t *s)
{
    if (s->state == PART_SEGMENT_START && s->have < s->want) {
        memset(&s->info.desc, 0, sizeof(s->info.desc)); /* a part of one is none */
    }
    if (s->verdict == ESP_ERR_NOT_FINISHED) {
        static const char *const names[] = {
            "the header",
            "a segment's header",
            "segment 0",
            "a segment",
            "the checksum",
            "the hash",
            "the padding before its signature",
            "the signature",
        };
        s->verdict = otter_fault(&s->fault, ESP_ERR_IMAGE_INVALID, "truncated after %" PRIu32 " bytes, in %s",
                                 s->pos, names[s->state]);
    }
    return s->verdict;
}

void otter_image_stream_end(otter_image_stream_t *s)
{
    otter_digest_end(&s->sha);
    end_signature(s);
}

esp_err_t otter_image_check_head(const uint8_t *head, size_t len, const otter_image_rules_t *rules,
                                 otter_fault_t *fault)
{
    otter_image_stream_t s = {0};
    otter_image_rules_t strict = *rules;
    strict.strict = true;
    esp_err_t err = otter_image_stream_begin(&s, &strict);
    if (err == ESP_OK) {
        err = otter_image_stream_feed(&s, head, len);
    }
    otter_image_kind_t kind = otter_image_kind(&s.info);
    if (err == ESP_ERR_NOT_FINISHED && !rules->bootloader && kind != OTTER_IMAGE_KIND_APP) {
        err = otter_fault(&s.fault, ESP_ERR_IMAGE_INVALID, "this is a %s, not an app",
                          otter_image_kind_name(kind));
    }
    otter_image_stream_end(&s);
    if (err == ESP_OK || err == ESP_ERR_NOT_FINISHED) {
        return ESP_OK;
    }
    if (err == ESP_FAIL && s.info.has_blk_limits) {
        err = ESP_ERR_INVALID_VERSION; /* of the eFuse block */
    } else if (err != ESP_ERR_NO_MEM) {
        err = ESP_ERR_OTA_VALIDATE_FAILED;
    }
    return otter_fault(fault, err, "%s", s.fault.why);
}

/* ---- images in flash ---- */

/** Where the next bytes are in flash; beyond any flash rather than wrapped around. */
static uint32_t next_offset(const otter_image_stream_t *s)
{
    uint32_t start = s->rules.flash_offset;
    return s->pos <= UINT32_MAX - start ? start + s->pos : UINT32_MAX;
}

/** How much to read next: never more than the image can still use, nor than the flash has. */
static uint32_t next_piece(const otter_image_stream_t *s, const otter_flash_t *flash,
                           const otter_buffer_t *buffer)
{
    uint32_t off = next_offset(s);
    uint32_t rest = s->want - s->have;
    uint32_t piece = contents_are_judged(s) ? HEAD_READ : rest;
    if (contents_are_judged(s) && s->state == PART_SEGMENT_DATA) {
        piece = rest < buffer->size ? rest + READ_AHEAD : buffer->size;
    }
    piece = min_u32(min_u32(piece, buffer->size), s->rules.size - s->pos);
    if (off < flash->size && piece > flash->size - off) {
        piece = flash->size - off;
    }
    return piece;
}

/** @param err  of the stream's start */
static esp_err_t walk(otter_image_stream_t *s, otter_flash_t *flash, esp_err_t err,
                      const otter_buffer_t *buffer)
{
    while (err == ESP_OK && s->verdict == ESP_ERR_NOT_FINISHED && s->pos < s->rules.size) {
        if (s->state == PART_SEGMENT_DATA && !contents_are_judged(s)) { /* nobody will look at these bytes */
            s->pos += s->want - s->have;
            finish_part(s);
            continue;
        }
        uint32_t off = next_offset(s);
        uint32_t len = next_piece(s, flash, buffer);
        err = otter_flash_read(flash, off, buffer->bytes, len);
        if (err != ESP_OK) {
            s->verdict = otter_fault(&s->fault, err, "reading flash at 0x%08" PRIx32 " failed: %s", off,
                                     esp_err_to_name(err));
            break;
        }
        otter_image_stream_feed(s, buffer->bytes, len);
        otter_system_alive();
    }
    return otter_image_stream_close(s);
}

static esp_err_t read_all(otter_image_stream_t *s, otter_flash_t *flash, esp_err_t started)
{
    uint8_t small[SMALL_BUFFER];
    otter_buffer_t lent = flash_borrow_buffer(flash), buffer = lent;
    if (buffer.size < sizeof(small)) {
        buffer = (otter_buffer_t){small, sizeof(small)};
    }
    esp_err_t err = walk(s, flash, started, &buffer);
    flash_return_buffer(flash, &lent);
    return err;
}

esp_err_t otter_image_stream_from_flash(otter_image_stream_t *s, otter_flash_t *flash,
                                        const otter_image_rules_t *rules)
{
    return read_all(s, flash, otter_image_stream_begin(s, rules));
}

esp_err_t otter_image_verify(otter_flash_t *flash, const otter_image_rules_t *rules, otter_image_info_t *info,
                             otter_fault_t *fault)
{
    otter_image_stream_t stream = {0};
    esp_err_t err = otter_image_stream_from_flash(&stream, flash, rules);
    if (fault != NULL && err != ESP_OK) {
        *fault = stream.fault;
    }
    if (info != NULL && err == ESP_OK) {
        *info = stream.info;
    } else if (info != NULL) {
        memset(info, 0, sizeof(*info));
    }
    otter_image_stream_end(&stream);
    return err;
}

esp_err_t otter_image_length(otter_flash_t *flash, const otter_chip_t *chip, uint32_t offset, uint32_t size,
                             uint32_t *len)
{
    /* The rules are where the stream keeps them: this is deep down on small stacks. */
    otter_image_stream_t stream = {
        .rules = {.chip = chip, .flash_offset = offset, .size = size, .no_checks = true}};
    esp_err_t err = read_all(&stream, flash, start(&stream));
    *len = err == ESP_OK ? stream.info.image_len : 0;
    otter_image_stream_end(&stream);
    return err;
}
