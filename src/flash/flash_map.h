/* Ranges of flash as memory: copies that follow every program and erase of that flash in this process. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "flash/flash_access.h"
#include "otter/flash.h"
#include "otter/promise.h"

/** One mapped range. The bytes keep their place until it is closed. */
typedef struct flash_map {
    struct flash_map *next; /* for the owner's own list; not used here */
    uint32_t handle;        /* for the owner; not used here */
    struct flash_map *next_of_flash;
    otter_flash_t *flash;
    uint32_t off, len;
    flash_way_t way;
    uint8_t bytes[];
} flash_map_t;

/**
 * @param map  written on success; closed by flash_map_close() before the flash goes
 * @return ESP_OK, ESP_ERR_NO_MEM, and what otter_flash_read returns
 */
OTTER_MUST_CHECK esp_err_t flash_map_open(otter_flash_t *flash, flash_way_t way, uint32_t off, uint32_t len,
                                          flash_map_t **map);

/** NULL is fine. */
void flash_map_close(flash_map_t *map);

/**
 * [off, off + len), which lies in the flash, was changed: maps that overlap it read it again. What cannot be read keeps what
 * it held. Called with OTTER_LOCK_FLASH held.
 */
void flash_map_refresh(otter_flash_t *flash, uint32_t off, uint32_t len);
