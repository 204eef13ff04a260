/*
 * ELF files on their way to an image: `otter image build --elf`.
 * Input: chip, flags (2: with a hash), ELF file.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "elf.h"
#include "fuzz.h"
#include "otter/promise.h"
#include "image_layout.h"
#include "reference.h"

static void check_sections(const elf_t *elf, const uint8_t *file, size_t len)
{
    for (size_t i = 0; i < elf->count; i++) {
        const elf_section_t *s = &elf->sections[i];
        FUZZ_CHECK(s->len > 0 && s->data >= file && s->len <= len && (size_t)(s->data - file) <= len - s->len,
                   "section %zu is not in the file", i);
        FUZZ_CHECK((const uint8_t *)s->name >= file && (const uint8_t *)s->name < file + len,
                   "a name outside the file");
        FUZZ_CHECK(strlen(s->name) < len, "a name without an end");
        FUZZ_CHECK((uint64_t)s->addr + s->len <= UINT32_MAX, "section %zu wraps around", i);
    }
}

/** A program's section is found where it lies, in either word size. */
static void check_own_section(const uint8_t *file, size_t len)
{
    size_t section_len = 0;
    const uint8_t *section = elf_own_section(file, len, ".rodata_desc", &section_len);
    FUZZ_CHECK(section == NULL || (section >= file && section_len <= len - (size_t)(section - file)),
               "a section of %zu bytes outside the file", section_len);
}

/** Does any section begin inside another one? Every pair is looked at, bytes of padding are nobody's. */
static bool overlaps(const elf_t *elf)
{
    for (size_t i = 0; i < elf->count; i++) {
        for (size_t k = 0; k < elf->count; k++) {
            const elf_section_t *a = &elf->sections[i], *b = &elf->sections[k];
            if (i != k && b->addr >= a->addr && b->addr - a->addr < a->len) {
                return true;
            }
        }
    }
    return false;
}

/** Every byte of a section that a segment loads is in the image at its address. */
static bool image_holds(const uint8_t *image, const otter_image_info_t *info, uint32_t addr, uint8_t byte)
{
    for (uint32_t i = 0; i < info->segments_seen; i++) {
        uint32_t start = info->segments[i].load_addr, len = info->segments[i].data_len;
        if (addr >= start && addr - start < len && image[info->segment_data[i] + (addr - start)] == byte) {
            return true;
        }
    }
    return false;
}

static void check_image(const image_writer_t *w, const otter_chip_facts_t *facts, const elf_t *elf)
{
    const otter_chip_t chip = {.id = facts->id, .revision = 300};
    const otter_image_rules_t rules = {.chip = &chip, .size = (uint32_t)w->len};
    reference_image_t ref;
    reference_image(w->bytes, w->len, &rules, &ref);
    otter_image_stream_t s = {0};
    if (otter_image_stream_begin(&s, &rules) == ESP_OK) {
        otter_image_stream_feed(&s, w->bytes, w->len);
        otter_ignore(otter_image_stream_close(&s));
    }
    FUZZ_CHECK(s.verdict == ref.verdict, "0x%x, the reference says 0x%x", s.verdict, ref.verdict);
    if (w->len <= facts->image_limit) {
        FUZZ_CHECK(s.verdict == ESP_OK, "what was built is not good: %s", s.fault.why);
        FUZZ_CHECK(s.info.image_len == w->len, "%u bytes of %zu", s.info.image_len, w->len);
        for (size_t i = 0; i < elf->count; i++) {
            const elf_section_t *section = &elf->sections[i];
            const uint32_t places[] = {0, section->len / 2, section->len - 1};
            for (size_t k = 0; k < 3; k++) {
                FUZZ_CHECK(
                    image_holds(w->bytes, &s.info, section->addr + places[k], section->data[places[k]]),
                    "byte %u of section %s is lost", places[k], section->name);
            }
        }
    }
    otter_image_stream_end(&s);
}

static void build(const elf_t *elf, const otter_chip_facts_t *facts, uint8_t flags)
{
    layout_t layout;
    otter_fault_t fault = {0};
    static const uint8_t desc[OTTER_IMAGE_DESC_SIZE] = {0x32, 0x54, 0xCD, 0xAB};
    bool ok = layout_from_elf(&layout, elf, facts, &fault) == ESP_OK;
    FUZZ_CHECK(!ok || !overlaps(elf), "sections that overlap are taken");
    const char *why = fault.why;
    bool told = strlen(why) > 8 && strcmp(why + strlen(why) - 8, " overlap") == 0;
    FUZZ_CHECK(!told || overlaps(elf), "%s: they do not", why);
    layout_piece_t *own = ok ? layout_find_desc(&layout) : NULL;
    if (own != NULL) {
        memcpy(own->data, desc, 4);
        memset(own->data + 176, 0, 5); /* its revisions and page: another device, another layout */
    } else if (ok) {
        ok = layout_add_desc(&layout, desc, &fault) == ESP_OK;
    }
    if (ok) {
        esp_image_header_t header = {.chip_id = (esp_chip_id_t)facts->id, .hash_appended = (flags & 2) != 0};
        image_writer_t w;
        image_writer_begin(&w, &header);
        ok = layout_write(&layout, &w, &fault) == ESP_OK;
        if (ok) {
            FUZZ_CHECK(image_writer_end(&w), "no memory");
            /* A descriptor that was patched is not the file's any more. */
            elf_t none = {0};
            check_image(&w, facts, own != NULL ? &none : elf);
        }
        image_writer_free(&w);
    }
    FUZZ_CHECK(ok || why[0] != '\0', "refused without a reason");
    layout_free(&layout);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned chips = 0;
    while (otter_chip_at(chips) != NULL) {
        chips++;
    }
    fuzz_input_t in = {data, size};
    const otter_chip_facts_t *facts = otter_chip_at((unsigned)fuzz_choose(&in, chips));
    uint8_t flags = fuzz_u8(&in);
    if (!otter_chip_is_espressif(facts->id)) {
        facts = otter_chip_facts(0); /* its images hold the whole file and no layout */
    }
    char *file = fuzz_text(in); /* with the 0 behind it that elf_read wants */
    elf_t elf;
    otter_fault_t fault = {0};
    otter_ignore(elf_check_whole((const uint8_t *)file, in.len, &fault)); /* reads nothing beyond its end */
    check_own_section((const uint8_t *)file, in.len);
    if (elf_read(&elf, (const uint8_t *)file, in.len, &fault) == ESP_OK) {
        check_sections(&elf, (const uint8_t *)file, in.len);
        build(&elf, facts, flags);
        elf_free(&elf);
    } else {
        FUZZ_CHECK(fault.why[0] != '\0', "refused without a reason");
    }
    free(file);
    return 0;
}
