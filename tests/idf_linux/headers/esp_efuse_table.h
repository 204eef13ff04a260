/* Declarations of ESP-IDF's header of this name, as far as idf/inside/ uses them: for compiling it where no ESP-IDF is. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

typedef struct {
    int efuse_block;
    uint8_t bit_start;
    uint16_t bit_count;
} esp_efuse_desc_t;

extern const esp_efuse_desc_t *ESP_EFUSE_SECURE_VERSION[];
extern const esp_efuse_desc_t *ESP_EFUSE_KEY_PURPOSE_0[];
extern const esp_efuse_desc_t *ESP_EFUSE_KEY_PURPOSE_1[];
extern const esp_efuse_desc_t *ESP_EFUSE_KEY_PURPOSE_2[];
extern const esp_efuse_desc_t *ESP_EFUSE_KEY_PURPOSE_3[];
extern const esp_efuse_desc_t *ESP_EFUSE_KEY_PURPOSE_4[];
extern const esp_efuse_desc_t *ESP_EFUSE_KEY_PURPOSE_5[];
