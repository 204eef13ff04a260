/* ESP-IDF's flash as memory, by its offset in flash; see esp_partition_mmap() for what that is here. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_partition.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SPI_FLASH_SEC_SIZE      4096
#define SPI_FLASH_MMU_PAGE_SIZE 0x10000

/** As esp_partition_mmap() of a range of the device's flash; spi_flash_munmap() ends it. */
esp_err_t spi_flash_mmap(size_t src_addr, size_t size, spi_flash_mmap_memory_t memory, const void **out_ptr,
                         spi_flash_mmap_handle_t *out_handle);

#ifdef __cplusplus
}
#endif
