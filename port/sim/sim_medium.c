/* The medium of simulator flash: its bytes, the bits of them that hang, and the dice. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_medium.h"

#include <stdlib.h>
#include <string.h>

#define SECTOR       SIM_SECTOR
#define RECORD_BYTES 32u /* at the start of a sector */

uint32_t sim_medium_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

bool sim_medium_chance(sim_flash_t *sim)
{
    return (sim_medium_random(&sim->random) & 0x100u) != 0;
}

/** The first byte of [from, to) in which bits hang; `to` if there is none. Most of a mask is zero, so words are looked at. */
static uint32_t next_weak(const uint8_t *mask, uint32_t from, uint32_t to)
{
    for (uint64_t word = 0; from + sizeof(word) <= to; from += (uint32_t)sizeof(word)) {
        memcpy(&word, mask + from, sizeof(word));
        if (word != 0) {
            break;
        }
    }
    while (from < to && mask[from] == 0) {
        from++;
    }
    return from;
}

/** Some of the weak bits read as 0. */
static void add_noise(sim_flash_t *sim, uint32_t off, uint8_t *dst, uint32_t len)
{
    for (uint32_t done = 0, step; done < len; done += step) {
        const uint32_t at = (off + done) % SECTOR, left = len - done;
        const uint8_t *mask = sim->weak[(off + done) / SECTOR];
        step = SECTOR - at < left ? SECTOR - at : left;
        if (mask == NULL) {
            continue;
        }
        for (uint32_t i = next_weak(mask, at, at + step); i < at + step;
             i = next_weak(mask, i + 1, at + step)) {
            dst[done + i - at] &= (uint8_t) ~(mask[i] & sim_medium_random(&sim->noise));
        }
    }
}

void sim_medium_read(sim_flash_t *sim, uint32_t off, void *dst, uint32_t len)
{
    memcpy(dst, sim->bytes + off, len);
    if (sim->weak_count != 0) {
        add_noise(sim, off, dst, len);
    }
}

static uint8_t *weak_mask(sim_flash_t *sim, uint32_t off)
{
    uint8_t **mask = &sim->weak[off / SECTOR];
    if (*mask == NULL) {
        *mask = calloc(1, SECTOR);
        if (*mask == NULL) {
            abort();
        }
        sim->weak_count++;
    }
    return *mask;
}

static void clear_weak(sim_flash_t *sim, uint32_t off)
{
    uint8_t **mask = &sim->weak[off / SECTOR];
    if (*mask != NULL) {
        free(*mask);
        *mask = NULL;
        sim->weak_count--;
    }
}

void sim_medium_set_weak(sim_flash_t *sim, uint32_t off, const uint8_t *mask)
{
    if (mask == NULL) {
        clear_weak(sim, off);
    } else {
        memcpy(weak_mask(sim, off), mask, SECTOR);
    }
}

void sim_medium_program(sim_flash_t *sim, uint32_t off, const uint8_t *src, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        sim->bytes[off + i] &= src[i];
    }
    for (uint32_t i = 0; i < len && sim->weak_count != 0; i++) {
        uint8_t *mask = sim->weak[(off + i) / SECTOR];
        if (mask != NULL) {
            mask[(off + i) % SECTOR] &= src[i]; /* a bit that is programmed to 0 is sure again */
        }
    }
}

void sim_medium_tear_byte(sim_flash_t *sim, uint32_t off, uint8_t src)
{
    uint8_t missed = (uint8_t)(~src & sim_medium_random(&sim->random) & sim->bytes[off]);
    sim->bytes[off] &= (uint8_t)(src | missed);
    if (sim->tear_weak) {
        weak_mask(sim, off)[off % SECTOR] |= missed;
    }
}

void sim_medium_erase(sim_flash_t *sim, uint32_t off)
{
    clear_weak(sim, off);
    memset(sim->bytes + off, 0xFF, SECTOR);
}

void sim_medium_erase_prefix(sim_flash_t *sim, uint32_t off, uint32_t done)
{
    memset(sim->bytes + off, 0xFF, done);
    if (sim->weak[off / SECTOR] != NULL) {
        memset(sim->weak[off / SECTOR], 0, done);
    }
}

void sim_medium_tear_sector(sim_flash_t *sim, uint32_t off, uint32_t done)
{
    uint8_t *sector = sim->bytes + off;
    sim_medium_erase_prefix(sim, off, done);
    for (uint32_t i = done; i < SECTOR; i++) {
        uint8_t risen = (uint8_t)(~sector[i] & sim_medium_random(&sim->random));
        sector[i] |= risen;
        if (sim->tear_weak && risen != 0) {
            weak_mask(sim, off)[i] |= (uint8_t)(risen & sim_medium_random(&sim->random));
        }
    }
}

void sim_medium_touch_sector(sim_flash_t *sim, uint32_t off)
{
    for (uint32_t i = 0; i < SECTOR; i++) {
        const uint32_t dice = sim_medium_random(&sim->random);
        if ((dice & (i < RECORD_BYTES ? 3u : 15u)) == 0) {
            sim->bytes[off + i] ^= (uint8_t)(1u << (dice >> 8) % 8);
        }
    }
}
