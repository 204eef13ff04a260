/*
 * From ELF sections to image segments. What is mapped must lie in flash at an offset congruent to its address modulo
 * the MMU page; the gaps this makes are filled with what is loaded to RAM anyway, else with padding segments.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "image_layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/image.h"
#include "otter/promise.h"

#define SEGMENT_HEADER      8u
#define SEGMENT_MAX         0x01000000u /* a segment of 16 MiB is refused by chips */
#define LARGEST_FLASH       0x08000000u /* bytes that an image header can tell of */
#define ESP32_LAST_PAGE_MIN 0x24u       /* see write_mapped */

/** Which memory an address belongs to: pieces of different kinds are not merged. */
static int memory_kind(const otter_chip_facts_t *chip, uint32_t addr)
{
    const otter_window_t *mapped[] = {&chip->data, &chip->inst, &chip->extram};
    for (int i = 0; i < 3; i++) {
        if (addr >= mapped[i]->start && addr < mapped[i]->end) {
            return i;
        }
    }
    for (int i = 0; i < OTTER_RAM_WINDOWS; i++) {
        if (addr >= chip->ram[i].start && addr < chip->ram[i].end) {
            return 3 + i;
        }
    }
    return -1;
}

static size_t padded_len(size_t len)
{
    return (len + 3) & ~(size_t)3;
}

static bool append(layout_piece_t *piece, const uint8_t *data, size_t len)
{
    size_t padded = padded_len(len);
    uint8_t *grown = realloc(piece->data, piece->len + padded);
    if (grown == NULL) {
        return false;
    }
    memset(grown + piece->len, 0, padded);
    memcpy(grown + piece->len, data, len);
    piece->data = grown;
    piece->len += padded;
    return true;
}

/* ---- from sections to pieces: all is checked before the first byte is copied ---- */

static int by_section_addr(const void *a, const void *b)
{
    const elf_section_t *const *x = a, *const *y = b;
    return ((*x)->addr > (*y)->addr) - ((*x)->addr < (*y)->addr);
}

static esp_err_t check_sections(const elf_t *elf, otter_fault_t *fault)
{
    const elf_section_t **sorted = calloc(elf->count, sizeof(const elf_section_t *));
    if (sorted == NULL) {
        return otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
    }
    for (size_t i = 0; i < elf->count; i++) {
        sorted[i] = &elf->sections[i];
    }
    qsort(sorted, elf->count, sizeof(const elf_section_t *), by_section_addr);
    esp_err_t err = ESP_OK;
    for (size_t i = 1; err == ESP_OK && i < elf->count; i++) {
        const elf_section_t *a = sorted[i - 1], *b = sorted[i];
        if (b->addr - a->addr < a->len) {
            err = otter_fault(fault, ESP_FAIL,
                              "sections %.31s at 0x%08" PRIx32 " and %.31s at 0x%08" PRIx32 " overlap",
                              a->name, a->addr, b->name, b->addr);
        }
    }
    free(sorted);
    return err;
}

/** Does a section continue the last piece, without a gap and in the same memory? */
static bool continues(const layout_t *layout, const elf_section_t *section)
{
    if (layout->count == 0) {
        return false;
    }
    const layout_piece_t *last = &layout->pieces[layout->count - 1];
    return section->addr >= last->addr && section->addr - last->addr == last->len &&
           memory_kind(layout->chip, last->addr) == memory_kind(layout->chip, section->addr);
}

/** The piece that takes the next section: the last one, or a new one. @return NULL: fault says what is wrong */
static layout_piece_t *piece_for(layout_t *layout, const elf_section_t *section, otter_fault_t *fault)
{
    if (!continues(layout, section)) {
        if (layout->count == ESP_IMAGE_MAX_SEGMENTS) {
            otter_fault(fault, ESP_FAIL, "more than %d segments: merge sections in the linker script",
                        ESP_IMAGE_MAX_SEGMENTS);
            return NULL;
        }
        layout_piece_t *piece = &layout->pieces[layout->count++];
        snprintf(piece->name, sizeof(piece->name), "%.31s", section->name);
        piece->addr = section->addr;
        piece->mapped = otter_chip_maps(layout->chip, section->addr, layout->chip->mmu_page);
    }
    layout_piece_t *piece = &layout->pieces[layout->count - 1];
    if (padded_len(section->len) >= SEGMENT_MAX - piece->len) {
        otter_fault(fault, ESP_FAIL, "section %s has %zu bytes; a segment ends below 16 MiB", piece->name,
                    piece->len + padded_len(section->len));
        return NULL;
    }
    return piece;
}

/** Decides which pieces there will be, and their lengths. */
static esp_err_t plan_pieces(layout_t *layout, const elf_t *elf, otter_fault_t *fault)
{
    uint32_t limit = layout->chip->image_limit < LARGEST_FLASH ? layout->chip->image_limit : LARGEST_FLASH;
    uint32_t rest = limit;
    for (size_t i = 0; i < elf->count; i++) {
        const elf_section_t *section = &elf->sections[i];
        layout_piece_t *piece = piece_for(layout, section, fault);
        if (piece == NULL) {
            return fault->code;
        }
        if (section->len > rest) {
            return otter_fault(fault, ESP_FAIL,
                               "its sections have more than the %" PRIu32 " MiB that fit in an image",
                               limit >> 20);
        }
        rest -= section->len;
        piece->len += padded_len(section->len);
    }
    return ESP_OK;
}

static bool copy_sections(layout_t *layout, const elf_t *elf)
{
    const elf_section_t *section = elf->sections;
    for (size_t i = 0; i < layout->count; i++) {
        layout_piece_t *piece = &layout->pieces[i];
        piece->data = calloc(1, piece->len);
        if (piece->data == NULL) {
            return false;
        }
        for (size_t used = 0; used < piece->len; used += padded_len(section->len), section++) {
            memcpy(piece->data + used, section->data, section->len);
        }
    }
    return true;
}

esp_err_t layout_from_elf(layout_t *layout, const elf_t *elf, const otter_chip_facts_t *chip,
                          otter_fault_t *fault)
{
    *layout = (layout_t){.chip = chip, .page = chip->mmu_page};
    if (elf->count == 0) {
        return otter_fault(fault, ESP_FAIL, "it has no sections to load");
    }
    esp_err_t err = check_sections(elf, fault);
    if (err == ESP_OK) {
        err = plan_pieces(layout, elf, fault);
    }
    if (err != ESP_OK) {
        return err;
    }
    return copy_sections(layout, elf) ? ESP_OK : otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
}

void layout_free(layout_t *layout)
{
    for (size_t i = 0; i < layout->count; i++) {
        free(layout->pieces[i].data);
    }
    layout->count = 0;
}

layout_piece_t *layout_find_desc(layout_t *layout)
{
    for (size_t i = 0; i < layout->count; i++) {
        layout_piece_t *piece = &layout->pieces[i];
        if (strcmp(piece->name, APPDESC_SECTION) == 0 && piece->mapped &&
            piece->len >= OTTER_IMAGE_DESC_SIZE) {
            return piece;
        }
    }
    return NULL;
}

/** Is a piece anywhere in the page at `start`? */
static bool page_is_used(const layout_t *layout, uint32_t start)
{
    for (size_t i = 0; i < layout->count; i++) {
        const layout_piece_t *piece = &layout->pieces[i];
        uint64_t end = (uint64_t)piece->addr + piece->len;
        if (piece->addr < (uint64_t)start + layout->page && end > start) {
            return true;
        }
    }
    return false;
}

esp_err_t layout_add_desc(layout_t *layout, const uint8_t *desc, otter_fault_t *fault)
{
    for (size_t i = 0; i < layout->count; i++) {
        if (strcmp(layout->pieces[i].name, APPDESC_SECTION) == 0 && layout->pieces[i].mapped) {
            return otter_fault(fault, ESP_FAIL, "section %s has %zu bytes, a descriptor has %u",
                               APPDESC_SECTION, layout->pieces[i].len, OTTER_IMAGE_DESC_SIZE);
        }
    }
    const otter_window_t *window = &layout->chip->data;
    for (uint32_t page = window->start; page < window->end; page += layout->page) {
        if (page_is_used(layout, page)) {
            continue;
        }
        OTTER_ASSERT(layout->count < sizeof(layout->pieces) / sizeof(layout->pieces[0]));
        layout_piece_t *piece = &layout->pieces[layout->count++];
        *piece =
            (layout_piece_t){.name = APPDESC_SECTION, .addr = page + OTTER_IMAGE_DESC_OFFSET, .mapped = true};
        if (append(piece, desc, OTTER_IMAGE_DESC_SIZE)) {
            return ESP_OK;
        }
        return otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
    }
    return otter_fault(fault, ESP_FAIL, "no page is free for an app descriptor");
}

/* ---- writing ---- */

static int by_addr(const void *a, const void *b)
{
    const layout_piece_t *const *x = a, *const *y = b;
    if ((*x)->addr != (*y)->addr) {
        return (*x)->addr < (*y)->addr ? -1 : 1;
    }
    return *x < *y ? -1 : *x > *y; /* equal addresses keep their order */
}

/** What is still to be written of one kind: pieces in the order of their addresses. */
typedef struct {
    layout_piece_t **items;
    size_t count, next;
    size_t used; /* bytes of the next one already written */
} queue_t;

static bool fill_queue(layout_t *layout, bool mapped, queue_t *queue)
{
    *queue = (queue_t){.items = calloc(layout->count, sizeof(layout_piece_t *))};
    if (queue->items == NULL) {
        return false;
    }
    for (size_t i = 0; i < layout->count; i++) {
        if (layout->pieces[i].mapped == mapped) {
            queue->items[queue->count++] = &layout->pieces[i];
        }
    }
    qsort(queue->items, queue->count, sizeof(layout_piece_t *), by_addr);
    return true;
}

/** The piece called `name` goes to the front, the others keep their order. */
static void move_to_front(queue_t *queue, const char *name)
{
    for (size_t i = 0; i < queue->count; i++) {
        if (strcmp(queue->items[i]->name, name) == 0) {
            layout_piece_t *piece = queue->items[i];
            memmove(queue->items + 1, queue->items, i * sizeof(layout_piece_t *));
            queue->items[0] = piece;
            return;
        }
    }
}

/** One page of flash cannot be mapped for two pieces. @param mapped  in the order of addresses */
static esp_err_t check_pages(const layout_t *layout, const queue_t *mapped, otter_fault_t *fault)
{
    for (size_t i = 1; i < mapped->count; i++) {
        const layout_piece_t *a = mapped->items[i - 1], *b = mapped->items[i];
        if ((a->addr + (uint64_t)a->len - 1) / layout->page >= b->addr / layout->page) {
            return otter_fault(fault, ESP_FAIL,
                               "sections %s at 0x%08" PRIx32 " and %s at 0x%08" PRIx32 " lie in one %" PRIu32
                               " KiB page: merge them in the linker script",
                               a->name, a->addr, b->name, b->addr, layout->page / 1024);
        }
    }
    return ESP_OK;
}

/**
 * Data bytes of a filler segment to write now, so that the data behind the segment header after it is congruent to
 * `addr`; 0 when no filler is needed. Like esptool this wastes a page where `addr` lies further into its page than the
 * image has come: real images never do, and the bytes stay the same.
 */
static uint32_t filler_len(const layout_t *layout, size_t pos, uint32_t addr)
{
    int64_t page = layout->page;
    int64_t gap = page - (int64_t)(pos % layout->page) + addr % layout->page - SEGMENT_HEADER;
    if (gap == 0 || gap == page) {
        return 0;
    }
    gap -= SEGMENT_HEADER; /* the filler has a header too */
    return (uint32_t)(gap > 0 ? gap : gap + page);
}

/** Takes up to `len` bytes from the loaded pieces. @return bytes written, 0 when none are left */
static size_t write_loaded(image_writer_t *w, queue_t *loaded, size_t len)
{
    if (loaded->next == loaded->count) {
        return 0;
    }
    const layout_piece_t *piece = loaded->items[loaded->next];
    size_t rest = piece->len - loaded->used;
    size_t n = len < rest ? len : rest;
    image_writer_segment(w, piece->addr + (uint32_t)loaded->used, piece->data + loaded->used, n);
    loaded->used += n;
    if (loaded->used == piece->len) {
        loaded->next++;
        loaded->used = 0;
    }
    return n;
}

/**
 * The ESP32's bootloader does not map the last page if less than 0x24 bytes of it are used (esptool works round it the
 * same way).
 */
static bool write_mapped(const layout_t *layout, image_writer_t *w, layout_piece_t *piece)
{
    size_t end = (w->len + SEGMENT_HEADER + piece->len) % layout->page;
    if (layout->chip->id == ESP_CHIP_ID_ESP32 && end < ESP32_LAST_PAGE_MIN) {
        static const uint8_t zeros[ESP32_LAST_PAGE_MIN];
        if (!append(piece, zeros, ESP32_LAST_PAGE_MIN - end)) {
            return false;
        }
    }
    image_writer_segment(w, piece->addr, piece->data, piece->len);
    return true;
}

static bool write_all(layout_t *layout, queue_t *mapped, queue_t *loaded, image_writer_t *w)
{
    while (mapped->next < mapped->count) {
        layout_piece_t *piece = mapped->items[mapped->next];
        uint32_t filler = filler_len(layout, w->len, piece->addr);
        if (filler == 0) {
            if (!write_mapped(layout, w, piece)) {
                return false;
            }
            mapped->next++;
        } else if (filler <= SEGMENT_HEADER || write_loaded(w, loaded, filler) == 0) {
            image_writer_segment(w, 0, NULL, filler);
        }
    }
    while (write_loaded(w, loaded, SIZE_MAX) > 0) {
    }
    return !w->out_of_memory;
}

/** What is mapped; the rest is copied and may lie anywhere. */
static esp_err_t check_alignment(const layout_t *layout, otter_fault_t *fault)
{
    for (size_t i = 0; i < layout->count; i++) {
        const layout_piece_t *piece = &layout->pieces[i];
        if (piece->mapped && piece->addr % 4 != 0) {
            return otter_fault(fault, ESP_FAIL, "section %s at 0x%08" PRIx32 " is not aligned to 4 bytes",
                               piece->name, piece->addr);
        }
    }
    return ESP_OK;
}

static esp_err_t check_desc_place(const layout_t *layout, const queue_t *mapped, otter_fault_t *fault)
{
    const layout_piece_t *desc = mapped->count > 0 ? mapped->items[0] : NULL;
    if (desc == NULL || strcmp(desc->name, APPDESC_SECTION) != 0 ||
        desc->addr % layout->page != OTTER_IMAGE_DESC_OFFSET) {
        return otter_fault(fault, ESP_FAIL,
                           "section %s is not at 0x%x behind the start of a %" PRIu32 " KiB page",
                           APPDESC_SECTION, OTTER_IMAGE_DESC_OFFSET, layout->page / 1024);
    }
    return ESP_OK;
}

static esp_err_t write_queues(layout_t *layout, queue_t *mapped, queue_t *loaded, image_writer_t *w,
                              otter_fault_t *fault)
{
    if (!fill_queue(layout, true, mapped) || !fill_queue(layout, false, loaded)) {
        return otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
    }
    /* Pages are compared in the order of the addresses, so before the descriptor leaves its place. */
    esp_err_t err = check_alignment(layout, fault);
    if (err == ESP_OK) {
        err = check_pages(layout, mapped, fault);
    }
    if (err != ESP_OK) {
        return err;
    }
    move_to_front(mapped, APPDESC_SECTION);
    err = check_desc_place(layout, mapped, fault);
    if (err != ESP_OK) {
        return err;
    }
    if (!write_all(layout, mapped, loaded, w)) {
        return otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
    }
    return w->segments <= ESP_IMAGE_MAX_SEGMENTS
               ? ESP_OK
               : otter_fault(fault, ESP_FAIL,
                             "%" PRIu32 " segments, more than %d: merge sections in the linker script",
                             w->segments, ESP_IMAGE_MAX_SEGMENTS);
}

esp_err_t layout_write(layout_t *layout, image_writer_t *w, otter_fault_t *fault)
{
    queue_t mapped = {0}, loaded = {0};
    esp_err_t err = write_queues(layout, &mapped, &loaded, w, fault);
    free(mapped.items);
    free(loaded.items);
    return err;
}
