/* What update programs use of ESP-IDF's inner flash functions: to write where the running application must not. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "esp_err.h"
#include "esp_flash.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * `protect` false lets esp_partition_* and esp_flash_* write to bootloader, table and what runs until it is called with true,
 * which brings back what the build says (CONFIG_SPI_FLASH_DANGEROUS_WRITE_*).
 * @param chip  esp_flash_default_chip; others have no such guard
 * @return ESP_OK, ESP_ERR_INVALID_ARG (NULL)
 */
esp_err_t esp_flash_set_dangerous_write_protection(esp_flash_t *chip, bool protect);

#ifdef __cplusplus
}
#endif
