/* Mapped ranges: each flash lists its own, and flash.c tells when bytes changed. */
#include "flash/flash_map.h"

#include <stdlib.h>

#include "base/le.h"

esp_err_t flash_map_open(otter_flash_t *flash, uint32_t off, uint32_t len, flash_map_t **map)
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
    esp_err_t err = otter_flash_read(flash, off, opened->bytes, len);
    if (err != ESP_OK) {
        free(opened);
        return err;
    }
    opened->next = NULL;
    opened->handle = 0;
    opened->next_of_flash = flash->maps;
    opened->flash = flash;
    opened->off = off;
    opened->len = len;
    flash->maps = opened;
    *map = opened;
    return ESP_OK;
}

void flash_map_close(flash_map_t *map)
{
    flash_map_t **link = &map->flash->maps;
    while (*link != NULL && *link != map) {
        link = &(*link)->next_of_flash;
    }
    if (*link == map) {
        *link = map->next_of_flash;
    }
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
        (void)otter_flash_read(flash, start, map->bytes + (start - map->off), end - start);
    }
}
