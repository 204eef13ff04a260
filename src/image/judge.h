/* What the parts of the image layer share: does an image suit a chip, is it for another family of chips. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/image.h"
#include "otter/promise.h"

/** Upper limits of revisions: 0 and 65535 say "none". Lower limits have no such value. */
static inline bool image_limit_is_set(uint16_t max_revision)
{
    return max_revision != 0 && max_revision != UINT16_MAX;
}

/** The ESP8266's images have the same magic and another header. */
bool image_header_is_esp8266(const esp_image_header_t *header);

/** Says that these bytes do not begin as an image, and what they seem to be instead, and `more`. @return code */
OTTER_MUST_CHECK esp_err_t image_refuse_magic(const uint8_t *head, size_t len, esp_err_t code,
                                              const char *more, otter_fault_t *fault);

#define IMAGE_HAVE_SIZE 64

/** The device's side of a revision that does not suit: "this is v3.0", or how little is known of it. @return buf */
const char *image_have_text(uint16_t revision, bool unknown, char buf[IMAGE_HAVE_SIZE]);

/** Which limit of the eFuse block revision a chip misses: -1 the lower, 1 the upper, 0 none. */
static inline int image_missed_blk_revision(const otter_chip_t *chip, uint16_t min, uint16_t max)
{
    if (image_limit_is_set(min) && chip->blk_revision < min) {
        return -1;
    }
    return image_limit_is_set(max) && chip->blk_revision > max && !chip->ignore_max_blk_revision ? 1 : 0;
}

/** Chip id and revisions. False: fault says why, as ESP_ERR_INVALID_VERSION. */
bool image_suits_chip(const esp_image_header_t *header, const otter_chip_t *chip, bool bootloader,
                      otter_fault_t *fault);
