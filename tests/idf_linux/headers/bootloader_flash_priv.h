/* Declarations of ESP-IDF's header of this name, as far as idf/inside/ uses them: for compiling it where no ESP-IDF is. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#define SPI_FLASH_MMU_PAGE_SIZE 0x10000

uint32_t bootloader_mmap_get_free_pages(void);
const void *bootloader_mmap(uint32_t src_addr, uint32_t size);
void bootloader_munmap(const void *mapping);
esp_err_t bootloader_flash_read(size_t src, void *dest, size_t size, bool allow_decrypt);
