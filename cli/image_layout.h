/* Places the sections of a chip's ELF file in an image, byte for byte as esptool's elf2image does. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "elf.h"
#include "image_writer.h"
#include "otter/chip.h"
#include "otter/fault.h"
#include "otter/promise.h"

#define APPDESC_SECTION ".flash.appdesc"

/** One run of bytes with its address; several ELF sections once they are merged. */
typedef struct {
    char name[32]; /* of its first section, cut to fit */
    uint32_t addr;
    uint8_t *data; /* owned */
    size_t len;    /* bytes, a multiple of 4 */
    bool mapped;   /* the chip reads it from flash through its MMU */
} layout_piece_t;

typedef struct {
    const otter_chip_facts_t *chip;
    uint32_t page;                                     /* MMU page, bytes */
    layout_piece_t pieces[ESP_IMAGE_MAX_SEGMENTS + 1]; /* one more: layout_add_desc */
    size_t count;
} layout_t;

/**
 * Copies the sections out of the ELF file, once it is sure that they do not overlap and that an image can hold them: at
 * most 16 pieces below 16 MiB each, together no more than an image for the chip may have.
 * @return ESP_OK, or fault says what is wrong; layout_free() either way
 */
OTTER_MUST_CHECK esp_err_t layout_from_elf(layout_t *layout, const elf_t *elf, const otter_chip_facts_t *chip,
                                           otter_fault_t *fault);

/** The descriptor's piece: .flash.appdesc in flash with 256 bytes or more; NULL if the ELF file brings none. */
OTTER_MUST_CHECK layout_piece_t *layout_find_desc(layout_t *layout);

/** Adds a descriptor of 256 bytes at the first free page of the data window. @return as above */
OTTER_MUST_CHECK esp_err_t layout_add_desc(layout_t *layout, const uint8_t *desc, otter_fault_t *fault);

/** Writes all pieces as segments, with the padding the MMU needs. The descriptor comes first. @return as above */
OTTER_MUST_CHECK esp_err_t layout_write(layout_t *layout, image_writer_t *w, otter_fault_t *fault);

void layout_free(layout_t *layout);
