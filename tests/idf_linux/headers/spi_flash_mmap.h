/* ESP-IDF's header of this name has a value that otter's has not. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../../include/spi_flash_mmap.h"

#define SPI_FLASH_CACHE2PHYS_FAIL UINT32_MAX
