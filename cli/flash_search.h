/* Looking through a flash for what is not where it should be: a partition table, images, or nothing but one kind of bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/image.h"
#include "otter/flash.h"
#include "otter/promise.h"

typedef enum {
    FLASH_ERASED, /* FF throughout */
    FLASH_ZERO,   /* 00 throughout */
    FLASH_NOISE,  /* all byte values alike, as of encrypted (or compressed) data */
    FLASH_DATA,   /* anything else */
} flash_content_t;

/** What [off, off + len) of the flash holds; erased sectors among others do not make noise of data. */
flash_content_t flash_content(otter_flash_t *flash, uint32_t off, uint32_t len);

/** The same of bytes in memory. */
flash_content_t flash_content_of(const uint8_t *bytes, uint32_t len);

/**
 * The first sector in [from, end) that begins a partition table which some bootloader would take.
 * @return false: there is none, `offset` is not written
 */
OTTER_MUST_CHECK bool flash_find_table(otter_flash_t *flash, uint32_t from, uint32_t end, uint32_t *offset);

/** The same at any byte before `end`, where a file is not the bytes of a flash sector by sector: a table of two rows or more. */
OTTER_MUST_CHECK bool flash_find_table_anywhere(otter_flash_t *flash, uint32_t end, uint32_t *offset);

/** One image in a flash. */
typedef struct {
    uint32_t offset;
    esp_err_t verdict;       /* ESP_OK: structure, checksum and hash are good */
    char why[OTTER_WHY_MAX]; /* not */
    otter_image_info_t info;
} flash_image_t;

/**
 * The first sector in [from, end) that begins an image: a good one, or a broken one whose app descriptor says what it was.
 * @return false: there is none
 */
OTTER_MUST_CHECK bool flash_find_image(otter_flash_t *flash, uint32_t from, uint32_t end,
                                       flash_image_t *image);

/**
 * The place where an image that is broken ends in erased flash, as when its download was cut.
 * @param limit  end of what it may use, in bytes of flash
 * @return bytes of it that are there; 0: this is not what happened to it
 */
uint32_t flash_image_broken_off(otter_flash_t *flash, const otter_image_stream_t *image, uint32_t limit);
