/* Flash in RAM that can lose power inside any operation: before, in the middle (torn) or after it. Always strict. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/flash.h"
#include "otter/promise.h"

/** What a cut leaves of the operation it hits. */
typedef enum {
    SIM_TEAR_BEFORE, /* nothing happened */
    SIM_TEAR_PREFIX, /* the first tear_len bytes are programmed; of the sector, erased */
    SIM_TEAR_BITS,   /* as PREFIX, and the write unit or sector behind it holds a random part of the change */
    SIM_TEAR_FEW, /* an erase has just begun: few bits have changed, up or down (chips program all to 0 first); a program:
                        as BITS */
    SIM_TEAR_AFTER, /* all of it happened, but nobody was told */
    SIM_TEAR_LOST, /* a cache in front: of all since the last barrier, and of this one, any parts may be missing */
    SIM_TEAR_COUNT,
} sim_tear_t;

typedef struct {
    otter_flash_t flash; /* give this to the code under test; its shape may be set after sim_flash_init() */
    uint8_t *bytes;      /* the medium; tests read and prepare it freely */

    uint32_t ops;    /* programs and erases so far, a multi-sector erase counted per sector */
    uint32_t cut_at; /* the operation with this number (from 0) loses power; UINT32_MAX: none */
    sim_tear_t tear;
    /* bytes; UINT32_MAX (as after init): half of a program, and of an erase half for PREFIX and nothing for BITS */
    uint32_t tear_len;
    /* SIM_TEAR_BITS leaves bits that read as 0 or 1 by chance, until programmed to 0 or erased */
    bool tear_weak;
    uint32_t random; /* seed of SIM_TEAR_BITS, any value but 0 */
    uint32_t noise;  /* seed of what weak bits read as, any value but 0 */
    bool dead;       /* power is gone: every operation fails and changes nothing until sim_flash_power_on() */
    bool cut_fired;

    uint32_t fail_read_at; /* reads from this number on fail with ESP_ERR_FLASH_OP_FAIL; UINT32_MAX: none */
    uint32_t reads;
    uint32_t fence_off, fence_len; /* programs and erases outside fail the test (abort); len 0: no fence */

    uint32_t *erase_counts; /* per sector, NULL when not wanted; the test's own array */

    /* per 4096 bytes: NULL, or a mask of the weak bits, where `bytes` holds 1; of write_once flash: see sim_medium.c */
    uint8_t **weak;
    uint32_t weak_count;     /* masks */
    struct sim_undo *undo;   /* NULL before the first sim_flash_mark() */
    struct sim_cache *cache; /* NULL before the first operation that may be lost */
} sim_flash_t;

/** Erased flash of `size` bytes, 4096-byte sectors, byte writes. @return false when out of memory */
OTTER_MUST_CHECK bool sim_flash_init(sim_flash_t *sim, uint32_t size);

/** `to` becomes an independent copy of `from` (bytes included), powered on, no cut planned. Both were initialised, same size. */
void sim_flash_copy(sim_flash_t *to, const sim_flash_t *from);

/**
 * Remember the medium as it is now, so that a trial can be taken back at the price of the sectors it changed. Marks nest.
 * Only changes by operations count: a test that pokes `bytes` after a mark cannot take that back.
 * @return the mark; ends the program when out of memory
 */
uint32_t sim_flash_mark(sim_flash_t *sim);

/** The medium is again as it was at `mark`, which stays; later marks are gone. Powered on, counters from 0, no cut planned. */
void sim_flash_rewind(sim_flash_t *sim, uint32_t mark);

/** True if any bit of [off, off + len) is weak, or cannot be read. */
bool sim_flash_is_weak(const sim_flash_t *sim, uint32_t off, uint32_t len);

/** False where write_once flash is programmed although a unit is not erased, or with a unit of FF: that ends the test. */
bool sim_flash_may_program(const sim_flash_t *sim, uint32_t off, const uint8_t *src, uint32_t len);

/** Power returns: operations work again, no further cut is planned, counters keep. */
void sim_flash_power_on(sim_flash_t *sim);

void sim_flash_free(sim_flash_t *sim);
