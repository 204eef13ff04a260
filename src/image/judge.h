/* What the parts of the image layer share: does an image suit a chip, is it for another family of chips. */
#pragma once

#include "image/image.h"

/** Upper limits of revisions: 0 and 65535 say "none". Lower limits have no such value. */
static inline bool image_limit_is_set(uint16_t max_revision)
{
    return max_revision != 0 && max_revision != UINT16_MAX;
}

/** The ESP8266's images have the same magic and another header. */
bool image_header_is_esp8266(const esp_image_header_t *header);

/** Says that these bytes do not begin as an image, and what they seem to be instead. */
void image_refuse_magic(const uint8_t *head, size_t len, char *why, size_t why_size);

/** Chip id and revisions. False: the reason is in why. */
bool image_suits_chip(const esp_image_header_t *header, const otter_chip_t *chip, bool bootloader, char *why,
                      size_t why_size);
