/* What esp_ota_ops.c takes of it; the real one wants an SPI controller. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "esp_flash.h"

esp_err_t esp_flash_set_dangerous_write_protection(esp_flash_t *chip, const bool protect);
