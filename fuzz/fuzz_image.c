/*
 * App images through the streaming judge: whole, byte by byte, in random pieces, and from flash.
 * Input: chip, flags (bits of enum), size of the partition, seed of the cuts, revision, block revision, image.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "fuzz.h"
#include "otter/image.h"
#include "image_writer.h"
#include "otter/promise.h"
#include "reference.h"
#include "sim/sim_flash.h"

enum {
    LOADING = 1,
    NO_CHECKS = 2,
    BOOTLOADER = 4,
    REPAIR = 8, /* put checksum and hash right: what lies behind them is to be reached too */
    IGNORE_MAX = 16,
    IGNORE_BLK_MAX = 32,
    AT_START = 64 /* flash offset 0 */
};

#define FLASH_SIZE  0x40000u
#define FLASH_START 0x10000u
#define IMAGE_MAX   0x20000u

typedef struct {
    otter_chip_t chip;
    otter_image_rules_t rules;
    uint32_t seed;
    uint8_t *bytes; /* what there is */
    size_t len;
} case_t;

/** The checksum and hash that the image should have go where it has them, if they are within it. */
static void repair(case_t *c)
{
    reference_image_t ref;
    for (int pass = 0; pass < 2; pass++) {
        reference_image(c->bytes, c->len, &c->rules, &ref);
        size_t total = ((size_t)ref.body_len / 16 + 1) * 16;
        if (ref.body_len != 0 && ref.checksum_in) {
            c->bytes[total - 1] = ref.want_checksum;
        }
        if (ref.body_len != 0 && ref.hash_in) {
            memcpy(c->bytes + total, ref.want_hash, sizeof(ref.want_hash));
        }
    }
}

static void take_case(fuzz_input_t in, case_t *c)
{
    unsigned chips = 0;
    while (otter_chip_at(chips) != NULL) {
        chips++;
    }
    unsigned chip = fuzz_u8(&in) % (chips + 1);
    uint8_t flags = fuzz_u8(&in), size_mode = fuzz_u8(&in);
    c->seed = fuzz_u8(&in);
    c->chip.revision = fuzz_u16(&in);
    c->chip.blk_revision = fuzz_u16(&in);
    c->chip.ignore_max_revision = (flags & IGNORE_MAX) != 0;
    c->chip.ignore_max_blk_revision = (flags & IGNORE_BLK_MAX) != 0;
    c->len = in.len < IMAGE_MAX - 0x1000 ? in.len : IMAGE_MAX - 0x1000;
    if (c->len > 0) {
        memcpy(c->bytes, in.bytes, c->len);
    }
    uint32_t size = (uint32_t)c->len;
    size = size_mode < 0x80    ? size + 16u * size_mode
           : size_mode == 0xFF ? 0x2000000
                               : size - min_u32(size, size_mode & 0x7Fu);
    c->rules = (otter_image_rules_t){
        .flash_offset = (flags & AT_START) != 0 ? 0 : FLASH_START,
        .size = size,
        .loading = (flags & LOADING) != 0,
        .no_checks = (flags & NO_CHECKS) != 0,
        .bootloader = (flags & BOOTLOADER) != 0,
    };
    if (chip < chips) {
        c->chip.id = otter_chip_at(chip)->id;
        c->rules.chip = &c->chip;
    }
    if ((flags & REPAIR) != 0) {
        repair(c);
    }
}

/** Feeds in pieces of up to `max` bytes; 0: random ones. */
static void judge(const case_t *c, size_t max, otter_image_stream_t *s)
{
    memset(s, 0, sizeof(*s));
    uint32_t seed = c->seed;
    esp_err_t err = otter_image_stream_begin(s, &c->rules);
    for (size_t at = 0; err == ESP_OK && at < c->len;) {
        size_t rest = c->len - at;
        size_t n = max == 0 ? fuzz_cut(&seed, rest) : max < rest ? max : rest;
        uint8_t *exact = malloc(n); /* its own block: a sanitizer sees what reads past a piece */
        FUZZ_CHECK(exact != NULL, "no memory");
        memcpy(exact, c->bytes + at, n);
        esp_err_t verdict = otter_image_stream_feed(s, exact, n);
        free(exact);
        FUZZ_CHECK(verdict == s->verdict, "feed says 0x%x", verdict);
        FUZZ_CHECK(s->pos <= c->rules.size, "consumed %u of %u bytes", s->pos, c->rules.size);
        at += n;
        if (verdict != ESP_ERR_NOT_FINISHED) {
            break;
        }
    }
    if (err == ESP_OK) {
        otter_ignore(otter_image_stream_close(s));
    }
    FUZZ_CHECK((s->verdict == ESP_OK) == (s->fault.why[0] == '\0'), "verdict 0x%x and reason \"%s\"",
               s->verdict, s->fault.why);
}

static void check_same(const otter_image_stream_t *a, const otter_image_stream_t *b, const char *how)
{
    FUZZ_CHECK(a->verdict == b->verdict && strcmp(a->fault.why, b->fault.why) == 0,
               "%s: 0x%x (%s), whole: 0x%x (%s)", how, b->verdict, b->fault.why, a->verdict, a->fault.why);
    /* The stream begins with zeros, padding too: equal results have equal bytes. */
    /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
    FUZZ_CHECK(memcmp(&a->info, &b->info, sizeof(a->info)) == 0, "%s: another result", how);
    FUZZ_CHECK(a->pos == b->pos, "%s: %u bytes consumed, whole: %u", how, b->pos, a->pos);
}

static void check_reference(const case_t *c, const otter_image_stream_t *s)
{
    reference_image_t ref;
    reference_image(c->bytes, c->len, &c->rules, &ref);
    FUZZ_CHECK(ref.verdict == s->verdict, "0x%x (%s), the reference says 0x%x", s->verdict, s->fault.why,
               ref.verdict);
    if (ref.verdict == ESP_OK) {
        FUZZ_CHECK(s->info.image_len == ref.image_len && s->info.segments_seen == ref.segments,
                   "%u bytes, %u segments", s->info.image_len, s->info.segments_seen);
    }
}

/** A good image, written again from what was decoded, is good; and the same if it was as the tools write it. */
static void check_round_trip(const case_t *c, const otter_image_stream_t *s)
{
    image_writer_t w;
    esp_image_header_t header = s->info.header;
    image_writer_begin(&w, &header);
    for (uint32_t i = 0; i < s->info.segments_seen; i++) {
        image_writer_segment(&w, s->info.segments[i].load_addr, c->bytes + s->info.segment_data[i],
                             s->info.segments[i].data_len);
    }
    FUZZ_CHECK(image_writer_end(&w), "no memory");
    FUZZ_CHECK(w.len == s->info.image_len, "%zu bytes of %u", w.len, s->info.image_len);
    case_t again = *c;
    again.bytes = w.bytes;
    again.len = w.len;
    otter_image_stream_t second;
    judge(&again, SIZE_MAX, &second);
    /* The writer knows the magic only; an image that was judged without checks may have had another. */
    FUZZ_CHECK(second.verdict == ESP_OK || c->rules.no_checks, "written again: %s", second.fault.why);
    FUZZ_CHECK(second.info.image_len == s->info.image_len, "written again: %u bytes", second.info.image_len);
    otter_image_stream_end(&second);
    image_writer_free(&w);
}

/** From flash, once read and once remembered; the bytes behind the image are erased there. */
static void check_flash(case_t *c)
{
    static sim_flash_t sim;
    FUZZ_CHECK(sim.bytes != NULL || sim_flash_init(&sim, FLASH_SIZE), "no memory");
    uint8_t *place = sim.bytes + c->rules.flash_offset;
    memcpy(place, c->bytes, c->len);
    uint32_t in_flash = FLASH_SIZE - c->rules.flash_offset;
    memset(place + c->len, 0xFF, in_flash - c->len);
    otter_image_info_t info;
    otter_fault_t fault = {0};
    esp_err_t verdict = otter_image_verify(&sim.flash, &c->rules, &info, &fault);
    reference_image_t ref;
    reference_image(place, in_flash, &c->rules, &ref);
    if (c->rules.size <= in_flash || ref.verdict == ESP_OK) {
        FUZZ_CHECK(verdict == ref.verdict, "from flash: 0x%x (%s), the reference says 0x%x", verdict,
                   fault.why, ref.verdict);
    }
    FUZZ_CHECK(verdict != ESP_OK || info.image_len == ref.image_len, "from flash: %u bytes", info.image_len);
    otter_image_info_t second;
    otter_image_rules_t known = c->rules;
    known.known = verdict == ESP_OK && !c->rules.no_checks && !c->rules.bootloader;
    FUZZ_CHECK(otter_image_verify(&sim.flash, &known, &second, &fault) == verdict, "known: %s", fault.why);
    FUZZ_CHECK(second.image_len == info.image_len, "known: %u bytes", second.image_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t buffer[IMAGE_MAX];
    case_t c = {.bytes = buffer};
    take_case((fuzz_input_t){data, size}, &c);
    otter_image_stream_t whole, other;
    judge(&c, SIZE_MAX, &whole);
    check_reference(&c, &whole);
    if (c.len <= 8192) {
        judge(&c, 1, &other);
        check_same(&whole, &other, "byte by byte");
        otter_image_stream_end(&other);
    }
    judge(&c, 0, &other);
    check_same(&whole, &other, "in pieces");
    otter_image_stream_end(&other);
    if (whole.verdict == ESP_OK) {
        check_round_trip(&c, &whole);
    }
    otter_image_stream_end(&whole);
    check_flash(&c);
    return 0;
}
