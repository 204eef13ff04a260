/* Values that options of `otter image` take: chip revisions and what the image header says of the flash chip. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/chip.h"

/** "v3.1", "3.1" or "301". False if it is none of these. */
bool parse_revision(const char *text, uint16_t *revision);

/** "dio" to the header's mode code. */
bool parse_flash_mode(const char *text, uint8_t *mode);

/** "4MB" to the header's size code. */
bool parse_flash_size(const char *text, uint8_t *code);

/** "40m" to the code that this chip's header has for it. */
bool parse_flash_freq(const char *text, const otter_chip_facts_t *chip, uint8_t *code);
