/* The second-stage bootloader of a flash: what lies where the ROM of some chip begins to read. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/image.h"
#include "otter/promise.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    OTTER_BOOTLOADER_BLANK, /* erased, or the partition table comes before anything could be there */
    OTTER_BOOTLOADER_IMAGE, /* an image that needs no mapped flash: a bootloader, whole or broken */
    OTTER_BOOTLOADER_APP,   /* an application, which the ROM cannot start */
    OTTER_BOOTLOADER_OTHER, /* something else */
} otter_bootloader_kind_t;

/** What lies at one place. */
typedef struct {
    uint32_t offset; /* in flash */
    otter_bootloader_kind_t kind;
    const otter_chip_facts_t *chip; /* of the image's header; NULL unless kind is IMAGE or APP */
    uint16_t min_revision;          /* of the same */
} otter_bootloader_place_t;

/** The places that chips have, without repetition, lowest first. @return how many */
#define OTTER_BOOTLOADER_PLACES_MAX 4u
uint32_t otter_bootloader_places(uint32_t offsets[OTTER_BOOTLOADER_PLACES_MAX]);

/**
 * Look at one place; reads headers alone.
 * @param table_offset  where the partition table is: a bootloader ends before it
 */
otter_bootloader_place_t otter_bootloader_look(otter_flash_t *flash, uint32_t offset, uint32_t table_offset);

/**
 * Look at all places for a bootloader that lies where its own chip looks for it, else for any.
 * @return false: there is none, `found` is not written
 */
OTTER_MUST_CHECK bool otter_bootloader_find(otter_flash_t *flash, uint32_t table_offset,
                                            otter_bootloader_place_t *found);

/**
 * Verify an OTTER_BOOTLOADER_IMAGE as the ROM does: structure and checksum; and as it does itself when it starts: the chip's
 * revision. A wrong SHA-256 (info.hash_seen without info.hash_valid) is told on the console and the bootloader started all
 * the same. The caller ends the stream.
 * @param chip  that starts it; NULL: one of its own kind, of any revision
 * @param trust  whom it must be signed by (otter_trust_to_boot()); NULL: anybody
 * @return codes as otter_image_verify
 */
OTTER_MUST_CHECK esp_err_t otter_bootloader_verify(otter_image_stream_t *s, otter_flash_t *flash,
                                                   const otter_bootloader_place_t *place,
                                                   const otter_chip_t *chip, uint32_t table_offset,
                                                   const otter_trust_t *trust);

#ifdef __cplusplus
}
#endif
