/* Flash in RAM that can lose power inside any operation: before, in the middle (torn) or after it. Always strict. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/flash.h"

/** What a cut leaves of the operation it hits. */
typedef enum {
    SIM_TEAR_BEFORE, /* nothing happened */
    SIM_TEAR_PREFIX, /* half of the bytes are programmed; half of the first sector is erased */
    SIM_TEAR_BITS,   /* as PREFIX, and the byte or sector at the tear holds a random part of the change */
    SIM_TEAR_AFTER,  /* all of it happened, but nobody was told */
    SIM_TEAR_COUNT,
} sim_tear_t;

typedef struct {
    otter_flash_t flash; /* give this to the code under test */
    uint8_t *bytes;      /* the medium; tests read and prepare it freely */

    uint32_t ops;    /* programs and erases so far, a multi-sector erase counted per sector */
    uint32_t cut_at; /* the operation with this number (from 0) loses power; UINT32_MAX: none */
    sim_tear_t tear;
    uint32_t random; /* seed of SIM_TEAR_BITS, any value but 0 */
    bool dead;       /* power is gone: every operation fails and changes nothing until sim_flash_power_on() */
    bool cut_fired;

    uint32_t fail_read_at; /* reads from this number on fail with ESP_ERR_FLASH_OP_FAIL; UINT32_MAX: none */
    uint32_t reads;
    uint32_t fence_off, fence_len; /* programs and erases outside fail the test (abort); len 0: no fence */

    uint32_t *erase_counts; /* per sector, NULL when not wanted; the test's own array */
} sim_flash_t;

/** Erased flash of `size` bytes, 4096-byte sectors, byte writes. @return false when out of memory */
bool sim_flash_init(sim_flash_t *sim, uint32_t size);

/** `to` becomes an independent copy of `from` (bytes included), powered on, no cut planned. Both were initialised, same size. */
void sim_flash_copy(sim_flash_t *to, const sim_flash_t *from);

/** Power returns: operations work again, no further cut is planned, counters keep. */
void sim_flash_power_on(sim_flash_t *sim);

void sim_flash_free(sim_flash_t *sim);
