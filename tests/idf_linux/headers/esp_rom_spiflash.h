/* Declarations of ESP-IDF's header of this name, as far as idf/inside/ uses them: for compiling it where no ESP-IDF is. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

typedef struct {
    struct {
        uint32_t chip_size, block_size, sector_size, page_size;
    } chip;
} esp_rom_spiflash_legacy_data_t;

extern esp_rom_spiflash_legacy_data_t *rom_spiflash_legacy_data;
