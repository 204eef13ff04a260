/* The cache in front of simulator flash: a page's contents are kept at its first change after a barrier. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_medium.h"
#include "sim/sim_undo.h"

#define BLOCK 512u /* what a disk writes at once */

typedef struct {
    uint32_t page;
    uint8_t bytes[SIM_PAGE];
} cached_t;

struct sim_cache {
    uint32_t count, room;
    cached_t cached[];
};

static cached_t *next_cached(sim_flash_t *sim)
{
    struct sim_cache *cache = sim->cache;
    if (cache == NULL || cache->count == cache->room) {
        const uint32_t count = cache != NULL ? cache->count : 0, room = count + 32;
        cache = realloc(cache, sizeof(*cache) + room * sizeof(cache->cached[0]));
        if (cache == NULL) {
            fprintf(stderr, "sim_cache: out of memory\n");
            abort();
        }
        cache->count = count;
        cache->room = room;
        sim->cache = cache;
    }
    return &cache->cached[cache->count++];
}

static bool is_noted(const sim_flash_t *sim, uint32_t page)
{
    for (uint32_t i = 0; sim->cache != NULL && i < sim->cache->count; i++) {
        if (sim->cache->cached[i].page == page) {
            return true;
        }
    }
    return false;
}

void sim_cache_note(sim_flash_t *sim, uint32_t off, uint32_t len)
{
    for (uint32_t page = off / SIM_PAGE; page <= (off + len - 1) / SIM_PAGE; page++) {
        if (!is_noted(sim, page)) {
            cached_t *cached = next_cached(sim);
            cached->page = page;
            memcpy(cached->bytes, sim->bytes + page * SIM_PAGE, SIM_PAGE);
        }
    }
}

void sim_cache_flush(sim_flash_t *sim)
{
    if (sim->cache != NULL) {
        sim->cache->count = 0;
    }
}

void sim_cache_lose(sim_flash_t *sim)
{
    for (uint32_t i = 0; sim->cache != NULL && i < sim->cache->count; i++) {
        const cached_t *cached = &sim->cache->cached[i];
        const uint32_t off = cached->page * SIM_PAGE;
        sim_undo_save(sim, off, SIM_PAGE);
        for (uint32_t at = 0; at < SIM_PAGE; at += BLOCK) {
            if (sim_medium_chance(sim)) {
                memcpy(sim->bytes + off + at, cached->bytes + at, BLOCK);
            }
        }
    }
    sim_cache_flush(sim);
}

void sim_cache_free(sim_flash_t *sim)
{
    free(sim->cache);
    sim->cache = NULL;
}
