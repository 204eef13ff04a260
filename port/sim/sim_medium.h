/* The medium of simulator flash, and all that may happen to its bits. No rules: sim_flash.c has them. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sim/sim_flash.h"

#define SIM_PAGE 4096u /* bytes that are kept together, whatever the flash erases at once */

/* An `off` of a sector is its first byte; ranges lie in the medium. */

uint32_t sim_medium_random(uint32_t *state);

/** One toss of the coin that `random` is the seed of. */
bool sim_medium_chance(sim_flash_t *sim);

/**
 * What the chip answers: weak bits read as 0 or 1 by chance.
 * @return false: of flash that is programmed once, a write unit cannot be corrected
 */
bool sim_medium_read(sim_flash_t *sim, uint32_t off, void *dst, uint32_t len);

/** @return the first byte of [off, off + len) in which bits hang, counted from `off`; `len` if there is none */
uint32_t sim_medium_next_weak(const sim_flash_t *sim, uint32_t off, uint32_t len);

void sim_medium_program(sim_flash_t *sim, uint32_t off, const uint8_t *src, uint32_t len);

/** Only some of the 0 bits of this write unit arrived; others hang between 0 and 1 if the tear is of that kind. */
void sim_medium_tear_unit(sim_flash_t *sim, uint32_t off, const uint8_t *src);

/** The first `done` bytes of a sector are erased for good. */
void sim_medium_erase(sim_flash_t *sim, uint32_t off, uint32_t done);

/** An erase in progress, behind `done` bytes: some bits are back at 1, some hang between if the tear is of that kind. */
void sim_medium_tear_sector(sim_flash_t *sim, uint32_t off, uint32_t done);

/** One byte in sixteen of a sector, or more of them where a record may be, has one bit changed. */
void sim_medium_touch_sector(sim_flash_t *sim, uint32_t off);

/** Makes `mask` (SIM_PAGE bytes, copied) the weak bits of the page at `off`; NULL: none are. */
void sim_medium_set_weak(sim_flash_t *sim, uint32_t off, const uint8_t *mask);
