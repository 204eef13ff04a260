/* The SPI controller is not there; headers of spi_flash name its types. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

typedef struct spi_flash_hal_timing_config spi_flash_hal_timing_config_t;
