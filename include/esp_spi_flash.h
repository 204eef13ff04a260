/* ESP-IDF 4's access to the device's flash; see esp_flash.h for what is returned. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_flash.h"
#include "spi_flash_mmap.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes; 0 without a device. */
size_t spi_flash_get_chip_size(void);

esp_err_t spi_flash_read(size_t src_addr, void *dest, size_t size);
esp_err_t spi_flash_write(size_t dest_addr, const void *src, size_t size);
esp_err_t spi_flash_read_encrypted(size_t src, void *dest, size_t size);
esp_err_t spi_flash_write_encrypted(size_t dest_addr, const void *src, size_t size);

/** Sector `sector` (counted, not addressed), and whole sectors from an address. */
esp_err_t spi_flash_erase_sector(size_t sector);
esp_err_t spi_flash_erase_range(size_t start_address, size_t size);

/** Does nothing: the flash is there. */
void spi_flash_init(void);

#ifdef __cplusplus
}
#endif
