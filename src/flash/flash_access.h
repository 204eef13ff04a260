/* What the port reads and programs, past the cipher of a flash or through it. Below flash.c: nothing is checked or locked. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/flash.h"
#include "otter/promise.h"

typedef enum {
    FLASH_AS_IT_IS, /* past the cipher */
    FLASH_CIPHERED, /* through it, if the flash has one */
    FLASH_BY_PLACE, /* as the partitions of the flash say */
} flash_way_t;

/** True if all of [off, off + len) can be programmed: whole blocks wherever it goes through the cipher. */
bool flash_access_fits(const otter_flash_t *flash, flash_way_t way, uint32_t off, uint32_t len);

/*
 * The range lies in the flash; len is not 0. Called with OTTER_LOCK_FLASH held.
 * @return ESP_OK, ESP_ERR_FLASH_OP_* (also of a cipher that fails), reading also ESP_ERR_INVALID_CRC
 */
OTTER_MUST_CHECK esp_err_t flash_access_read(const otter_flash_t *flash, flash_way_t way, uint32_t off,
                                             uint8_t *dst, uint32_t len);

/** Fitting (flash_access_fits). Where units are programmed once, those of FF are left out: they can still be programmed later. */
OTTER_MUST_CHECK esp_err_t flash_access_program(const otter_flash_t *flash, flash_way_t way, uint32_t off,
                                                const uint8_t *src, uint32_t len);
