/* The second-stage bootloader of a flash: what lies where the ROM of some chip begins to read. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "image/image.h"
#include "otter/promise.h"

typedef enum {
    BOOTLOADER_BLANK, /* erased, or the partition table comes before anything could be there */
    BOOTLOADER_IMAGE, /* an image that needs no mapped flash: a bootloader, whole or broken */
    BOOTLOADER_APP,   /* an application, which the ROM cannot start */
    BOOTLOADER_OTHER, /* something else */
} bootloader_kind_t;

/** What lies at one place. */
typedef struct {
    uint32_t offset; /* in flash */
    bootloader_kind_t kind;
    const otter_chip_facts_t *chip; /* of the image's header; NULL unless kind is IMAGE or APP */
    uint16_t min_revision;          /* of the same */
} bootloader_place_t;

/** The places that chips have, without repetition, lowest first. @return how many */
#define BOOTLOADER_PLACES_MAX 4u
uint32_t bootloader_places(uint32_t offsets[BOOTLOADER_PLACES_MAX]);

/**
 * Look at one place; reads headers alone.
 * @param table_offset  where the partition table is: a bootloader ends before it
 */
bootloader_place_t bootloader_look(otter_flash_t *flash, uint32_t offset, uint32_t table_offset);

/**
 * Look at all places for a bootloader that lies where its own chip looks for it, else for any.
 * @return false: there is none, `found` is not written
 */
OTTER_MUST_CHECK bool bootloader_find(otter_flash_t *flash, uint32_t table_offset, bootloader_place_t *found);

/**
 * Verify a BOOTLOADER_IMAGE as the ROM does: structure and checksum; and as it does itself when it starts: the chip's revision.
 * A wrong SHA-256 (info.hash_seen without info.hash_valid) is told on the console and the bootloader started all the same. The
 * caller ends the stream.
 * @param chip  that starts it; NULL: one of its own kind, of any revision
 * @return codes as image_verify_flash
 */
OTTER_MUST_CHECK esp_err_t bootloader_verify(image_stream_t *s, otter_flash_t *flash,
                                             const bootloader_place_t *place, const otter_chip_t *chip,
                                             uint32_t table_offset);
