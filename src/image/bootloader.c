/* Telling what lies at the place of a bootloader, and judging it as the chip's ROM does. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/bootloader.h"

#include "otter/bytes.h"
#include "otter/image_kind.h"
#include "otter/promise.h"

static bool is_known(const uint32_t *offsets, uint32_t count, uint32_t offset)
{
    for (uint32_t i = 0; i < count; i++) {
        if (offsets[i] == offset) {
            return true;
        }
    }
    return false;
}

uint32_t otter_bootloader_places(uint32_t offsets[OTTER_BOOTLOADER_PLACES_MAX])
{
    uint32_t count = 0;
    const otter_chip_facts_t *chip;
    for (unsigned i = 0; (chip = otter_chip_at(i)) != NULL && count < OTTER_BOOTLOADER_PLACES_MAX; i++) {
        uint32_t offset = chip->bootloader_offset;
        if (is_known(offsets, count, offset)) {
            continue;
        }
        uint32_t at = count++;
        for (; at > 0 && offsets[at - 1] > offset; at--) {
            offsets[at] = offsets[at - 1];
        }
        offsets[at] = offset;
    }
    return count;
}

/** Room for a bootloader at this place; 0: there is none. */
static uint32_t room_at(const otter_flash_t *flash, uint32_t offset, uint32_t table_offset)
{
    uint32_t end = min_u32(flash->size, table_offset);
    return offset < end ? end - offset : 0;
}

/** Tells it by the segments, also of a broken image. */
static otter_bootloader_kind_t kind_of_image(otter_flash_t *flash, uint32_t offset, uint32_t room)
{
    const otter_image_rules_t rules = {
        .flash_offset = offset, .size = room, .no_checks = true, .bootloader = true};
    otter_image_stream_t s = {0};
    otter_ignore(otter_image_stream_from_flash(
        &s, flash, &rules)); /* also after a failure: what it has seen until then is enough */
    otter_image_kind_t kind =
        s.info.segments_seen > 0 ? otter_image_kind(&s.info) : OTTER_IMAGE_KIND_BOOTLOADER;
    otter_image_stream_end(&s);
    return kind == OTTER_IMAGE_KIND_APP                                          ? OTTER_BOOTLOADER_APP
           : kind == OTTER_IMAGE_KIND_BOOTLOADER || kind == OTTER_IMAGE_KIND_RAM ? OTTER_BOOTLOADER_IMAGE
                                                                                 : OTTER_BOOTLOADER_OTHER;
}

otter_bootloader_place_t otter_bootloader_look(otter_flash_t *flash, uint32_t offset, uint32_t table_offset)
{
    otter_bootloader_place_t place = {.offset = offset, .kind = OTTER_BOOTLOADER_OTHER};
    uint8_t raw[OTTER_IMAGE_HEADER_SIZE];
    uint32_t room = room_at(flash, offset, table_offset);
    if (room < sizeof(raw) || otter_flash_reads_blank(flash, offset, sizeof(raw))) {
        place.kind = OTTER_BOOTLOADER_BLANK;
        return place;
    }
    if (otter_flash_read(flash, offset, raw, sizeof(raw)) != ESP_OK || raw[0] != ESP_IMAGE_HEADER_MAGIC) {
        place.kind =
            bytes_are_erased(raw, sizeof(raw)) ? OTTER_BOOTLOADER_BLANK : place.kind; /* encrypted so */
        return place;
    }
    esp_image_header_t header;
    otter_image_decode_header(raw, &header);
    const otter_chip_facts_t *chip = otter_chip_facts(header.chip_id);
    if (chip == NULL || header.segment_count == 0 || header.segment_count > ESP_IMAGE_MAX_SEGMENTS) {
        return place;
    }
    place.kind = kind_of_image(flash, offset, room);
    place.chip = chip;
    place.min_revision = header.min_chip_rev_full;
    return place;
}

bool otter_bootloader_find(otter_flash_t *flash, uint32_t table_offset, otter_bootloader_place_t *found)
{
    uint32_t offsets[OTTER_BOOTLOADER_PLACES_MAX];
    uint32_t count = otter_bootloader_places(offsets);
    bool any = false;
    for (uint32_t i = 0; i < count; i++) {
        otter_bootloader_place_t place = otter_bootloader_look(flash, offsets[i], table_offset);
        if (place.kind != OTTER_BOOTLOADER_IMAGE) {
            continue;
        }
        bool expected_here = place.chip->bootloader_offset == place.offset;
        if (expected_here || !any) {
            *found = place;
            any = true;
        }
        if (expected_here) {
            break;
        }
    }
    return any;
}

esp_err_t otter_bootloader_verify(otter_image_stream_t *s, otter_flash_t *flash,
                                  const otter_bootloader_place_t *place, const otter_chip_t *chip,
                                  uint32_t table_offset, const otter_trust_t *trust)
{
    const otter_image_rules_t rules = {.chip = chip,
                                       .flash_offset = place->offset,
                                       .size = room_at(flash, place->offset, table_offset),
                                       .bootloader = true,
                                       .trust = trust != NULL ? *trust : (otter_trust_t){0}};
    return otter_image_stream_from_flash(s, flash, &rules);
}
