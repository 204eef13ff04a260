/* Mapped ranges: each flash lists its own, and flash.c says when bytes have changed. Below flash.c. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "flash/flash_map.h"

#include <stdlib.h>

#include "otter/bytes.h"
#include "otter/promise.h"
#include "otter/system.h"

esp_err_t flash_map_open(otter_flash_t *flash, flash_way_t way, uint32_t off, uint32_t len, flash_map_t **map)
{
    if (off > flash->size) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!range_fits(off, len, flash->size)) {
        return ESP_ERR_INVALID_SIZE; /* before any memory is asked for */
    }
    flash_map_t *opened = malloc(sizeof(*opened) + len);
    if (opened == NULL) {
        return ESP_ERR_NO_MEM;
    }
    *opened = (flash_map_t){.flash = flash, .way = way, .off = off, .len = len};
    otter_lock(OTTER_LOCK_FLASH); /* nothing is programmed between the reading and the place in the list */
    esp_err_t err = len != 0 ? flash_access_read(flash, way, off, opened->bytes, len) : ESP_OK;
    if (err == ESP_OK) {
        opened->next_of_flash = flash->maps;
        flash->maps = opened;
    }
    otter_unlock(OTTER_LOCK_FLASH);
    if (err != ESP_OK) {
        free(opened);
        return err;
    }
    *map = opened;
    return ESP_OK;
}

void flash_map_close(flash_map_t *map)
{
    if (map == NULL) {
        return;
    }
    otter_lock(OTTER_LOCK_FLASH);
    flash_map_t **link = &map->flash->maps;
    while (*link != NULL && *link != map) {
        link = &(*link)->next_of_flash;
    }
    if (*link == map) {
        *link = map->next_of_flash;
    }
    otter_unlock(OTTER_LOCK_FLASH);
    free(map);
}

void flash_map_refresh(otter_flash_t *flash, uint32_t off, uint32_t len)
{
    for (flash_map_t *map = flash->maps; map != NULL; map = map->next_of_flash) {
        if (!ranges_overlap(off, len, map->off, map->len)) {
            continue;
        }
        uint32_t start = max_u32(off, map->off);
        uint32_t end = min_u32(off + len, map->off + map->len); /* both lie in the flash: no overflow */
        /* What cannot be read keeps what the map showed: a program sees no worse than an old cache. */
        otter_ignore(flash_access_read(flash, map->way, start, map->bytes + (start - map->off), end - start));
    }
}
