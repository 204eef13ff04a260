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

/** The lowest revision of the eFuse block has such a value; 0: any will do. */
static inline uint16_t image_blk_minimum(uint16_t min_revision)
{
    return image_limit_is_set(min_revision) ? min_revision : 0;
}

/** What the first bytes of segment 0, sizeof() of the one or the other, say that they are. */
bool image_begins_desc(const uint8_t *raw);
bool image_begins_bootloader_desc(const uint8_t *raw);

/** The ESP8266's images have the same magic and another header. */
bool image_header_is_esp8266(const esp_image_header_t *header);

/** Says that these bytes do not begin as an image, and what they seem to be instead, and `more`. @return code */
OTTER_MUST_CHECK esp_err_t image_refuse_magic(const uint8_t *head, size_t len, esp_err_t code,
                                              const char *more, otter_fault_t *fault);

/** A revision of the device: of the chip, or of its eFuse block. */
typedef struct {
    uint16_t revision;
    bool unknown;    /* nobody told: it is the least that it can be */
    bool ignore_max; /* by its eFuses, no highest revision counts */
} image_have_t;

static inline image_have_t image_have_chip(const otter_chip_t *chip)
{
    return (image_have_t){chip->revision, chip->revision_unknown, chip->ignore_max_revision};
}

static inline image_have_t image_have_blk(const otter_chip_t *chip)
{
    return (image_have_t){chip->blk_revision, chip->blk_revision_unknown, chip->ignore_max_blk_revision};
}

/**
 * Does a device's revision suit the limits of an image?
 * @param of      "chip" or "eFuse block"
 * @param max     0 or 65535: none
 * @param min     65535 suits no chip
 * @param strict  one that nobody told suits what its least suits; else all that a later one suits, too
 * @param fault   why not, as ESP_ERR_INVALID_VERSION
 */
bool image_revision_suits(const char *of, uint16_t min, uint16_t max, const image_have_t *have, bool strict,
                          otter_fault_t *fault);

/** Chip id and revisions; strict as above. False: fault says why, as ESP_ERR_INVALID_VERSION. */
bool image_suits_chip(const esp_image_header_t *header, const otter_chip_t *chip, bool bootloader,
                      bool strict, otter_fault_t *fault);
