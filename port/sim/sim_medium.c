/* The medium of simulator flash: its bytes, the bits of them that hang, and the dice. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_medium.h"

#include <stdlib.h>
#include <string.h>

#define PAGE         SIM_PAGE
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

static bool is_blank(const uint8_t *bytes, uint32_t len)
{
    return bytes[0] == 0xFF && memcmp(bytes, bytes + 1, len - 1) == 0;
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

uint32_t sim_medium_next_weak(const sim_flash_t *sim, uint32_t off, uint32_t len)
{
    for (uint32_t done = 0, step; done < len; done += step) {
        const uint32_t at = (off + done) % PAGE, left = len - done;
        const uint8_t *mask = sim->weak[(off + done) / PAGE];
        step = PAGE - at < left ? PAGE - at : left;
        const uint32_t found = mask == NULL ? at + step : next_weak(mask, at, at + step);
        if (found < at + step) {
            return done + found - at;
        }
    }
    return len;
}

/** Some of the weak bits read as 0. */
static void add_noise(sim_flash_t *sim, uint32_t off, uint8_t *dst, uint32_t len)
{
    for (uint32_t i = 0; (i += sim_medium_next_weak(sim, off + i, len - i)) < len; i++) {
        const uint8_t mask = sim->weak[(off + i) / PAGE][(off + i) % PAGE];
        dst[i] &= (uint8_t) ~(mask & sim_medium_random(&sim->noise));
    }
}

/*
 * Of flash that is programmed once, `weak` says by the first byte of a write unit what a cut has left there. What hangs reads
 * as it was meant to be (or was, before the erase), as blank, or not at all.
 */
enum { UNIT_BROKEN = 1, UNIT_HALF_PROGRAMMED, UNIT_HALF_ERASED };

static bool read_unit(sim_flash_t *sim, uint8_t state, uint8_t *dst, uint32_t len)
{
    switch (state == UNIT_BROKEN ? 0 : sim_medium_random(&sim->noise) / 256 % 3) {
    case 0:
        return false;
    case 1:
        memset(dst, 0xFF, len);
        break;
    }
    return true;
}

/** The same for units that were cut. */
static bool read_units(sim_flash_t *sim, uint32_t off, uint8_t *dst, uint32_t len)
{
    const uint32_t unit = sim->flash.write_size, end = off + len;
    bool readable = true;
    for (uint32_t at = off - off % unit, page_end; at < end; at = page_end) {
        page_end = at - at % PAGE + PAGE;
        const uint8_t *mask = sim->weak[at / PAGE];
        for (; mask != NULL && at < page_end && at < end; at += unit) {
            if (mask[at % PAGE] != 0) {
                const uint32_t from = at < off ? off : at, to = at + unit < end ? at + unit : end;
                readable &= read_unit(sim, mask[at % PAGE], dst + (from - off), to - from);
            }
        }
    }
    return readable;
}

bool sim_medium_read(sim_flash_t *sim, uint32_t off, void *dst, uint32_t len)
{
    memcpy(dst, sim->bytes + off, len);
    if (sim->weak_count == 0) {
        return true;
    }
    if (sim->flash.write_once) {
        return read_units(sim, off, dst, len);
    }
    add_noise(sim, off, dst, len);
    return true;
}

static uint8_t *weak_mask(sim_flash_t *sim, uint32_t off)
{
    uint8_t **mask = &sim->weak[off / PAGE];
    if (*mask == NULL) {
        *mask = calloc(1, PAGE);
        if (*mask == NULL) {
            abort();
        }
        sim->weak_count++;
    }
    return *mask;
}

static void clear_weak(sim_flash_t *sim, uint32_t off)
{
    uint8_t **mask = &sim->weak[off / PAGE];
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
        memcpy(weak_mask(sim, off), mask, PAGE);
    }
}

bool sim_flash_may_program(const sim_flash_t *sim, uint32_t off, const uint8_t *src, uint32_t len)
{
    const uint32_t unit = sim->flash.write_size;
    for (uint32_t done = 0; sim->flash.write_once && done < len; done += unit) {
        const uint8_t *now = sim->bytes + off + done, *mask = sim->weak[(off + done) / PAGE];
        const uint8_t state = mask != NULL ? mask[(off + done) % PAGE] : 0;
        const bool same = memcmp(now, src + done, unit) == 0;
        if (is_blank(src + done, unit) ||
            (state == UNIT_HALF_PROGRAMMED ? !same : state != 0 || !is_blank(now, unit))) {
            return false;
        }
    }
    return true;
}

void sim_medium_program(sim_flash_t *sim, uint32_t off, const uint8_t *src, uint32_t len)
{
    const bool once = sim->flash.write_once;
    uint8_t *dst = sim->bytes + off;
    uint64_t old, new;
    uint32_t i = 0;
    for (; i + sizeof(old) <= len; i += (uint32_t)sizeof(old)) {
        memcpy(&old, dst + i, sizeof(old));
        memcpy(&new, src + i, sizeof(new));
        old &= new;
        memcpy(dst + i, &old, sizeof(old));
    }
    for (; i < len; i++) {
        dst[i] &= src[i];
    }
    for (i = 0; sim->weak_count != 0 && (i += sim_medium_next_weak(sim, off + i, len - i)) < len; i++) {
        sim->weak[(off + i) / PAGE][(off + i) % PAGE] &= once ? 0 : src[i]; /* programmed to 0: sure again */
    }
}

static void tear_byte(sim_flash_t *sim, uint32_t off, uint8_t src)
{
    uint8_t missed = (uint8_t)(~src & sim_medium_random(&sim->random) & sim->bytes[off]);
    sim->bytes[off] &= (uint8_t)(src | missed);
    if (sim->tear_weak && !sim->flash.write_once) {
        weak_mask(sim, off)[off % PAGE] |= missed;
    }
}

void sim_medium_tear_unit(sim_flash_t *sim, uint32_t off, const uint8_t *src)
{
    const uint32_t unit = sim->flash.write_size;
    if (sim->flash.write_once && sim->tear_weak) {
        sim_medium_program(sim, off, src, unit);
        weak_mask(sim, off)[off % PAGE] = UNIT_HALF_PROGRAMMED;
        return;
    }
    for (uint32_t i = 0; i < unit; i++) {
        tear_byte(sim, off + i, src[i]);
    }
    if (sim->flash.write_once &&
        sim_medium_chance(sim)) { /* else the code lets it pass, as some bytes or other */
        weak_mask(sim, off)[off % PAGE] = UNIT_BROKEN;
    }
}

void sim_medium_erase(sim_flash_t *sim, uint32_t off, uint32_t done)
{
    memset(sim->bytes + off, 0xFF, done);
    for (uint32_t at = off, end = off + done, step; at < end; at += step) {
        step = PAGE - at % PAGE < end - at ? PAGE - at % PAGE : end - at;
        if (step == PAGE) {
            clear_weak(sim, at);
        } else if (sim->weak[at / PAGE] != NULL) {
            memset(sim->weak[at / PAGE] + at % PAGE, 0, step);
        }
    }
}

/** One unit of a sector that is being erased: as it was, blank, or what the code cannot tell from either. */
static void tear_erased_unit(sim_flash_t *sim, uint32_t off)
{
    const uint32_t unit = sim->flash.write_size, dice = sim_medium_random(&sim->random);
    if (is_blank(sim->bytes + off, unit)) {
        return;
    }
    if (sim->tear_weak) {
        weak_mask(sim, off)[off % PAGE] = (dice & 0x100) != 0 ? UNIT_HALF_ERASED : 0;
        return;
    }
    switch (dice / 256 % 4) {
    case 0:
        memset(sim->bytes + off, 0xFF, unit);
        break;
    case 1:
        memset(sim->bytes + off, 0, unit);
        weak_mask(sim, off)[off % PAGE] = UNIT_BROKEN;
        break;
    case 2:
        for (uint32_t i = 0; i < 4; i++) { /* more bits than any code corrects or tells for sure */
            const uint32_t bit = sim_medium_random(&sim->random) / 256 % (unit * 8);
            sim->bytes[off + bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        break;
    }
}

void sim_medium_tear_sector(sim_flash_t *sim, uint32_t off, uint32_t done)
{
    uint8_t *sector = sim->bytes + off;
    const uint32_t size = sim->flash.erase_size, unit = sim->flash.write_size;
    sim_medium_erase(sim, off, done);
    if (sim->flash.write_once) {
        for (uint32_t i = (done + unit - 1) / unit * unit; i < size; i += unit) {
            tear_erased_unit(sim, off + i);
        }
        return;
    }
    for (uint32_t i = done; i < size; i++) {
        uint8_t risen = (uint8_t)(~sector[i] & sim_medium_random(&sim->random));
        sector[i] |= risen;
        if (sim->tear_weak && risen != 0) {
            weak_mask(sim, off + i)[(off + i) % PAGE] |= (uint8_t)(risen & sim_medium_random(&sim->random));
        }
    }
}

void sim_medium_touch_sector(sim_flash_t *sim, uint32_t off)
{
    const uint32_t step = sim->flash.write_once ? sim->flash.write_size : 1;
    for (uint32_t i = 0; i < sim->flash.erase_size; i += step) {
        const uint32_t dice = sim_medium_random(&sim->random);
        if ((dice & (i < RECORD_BYTES ? 3u : 15u)) != 0) {
            continue;
        }
        if (sim->flash.write_once) {
            tear_erased_unit(sim, off + i);
        } else {
            sim->bytes[off + i] ^= (uint8_t)(1u << (dice >> 8) % 8);
        }
    }
}
