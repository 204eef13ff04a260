/* A cache in front of simulator flash, as a file has one: what a power cut loses of the changes since the last barrier. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sim/sim_flash.h"

/** To be called before [off, off + len) changes. */
void sim_cache_note(sim_flash_t *sim, uint32_t off, uint32_t len);

/** The barrier: all that was noted is on the medium. */
void sim_cache_flush(sim_flash_t *sim);

/** Power goes: of each 512 bytes of each noted sector, by chance, the old contents come back. */
void sim_cache_lose(sim_flash_t *sim);

void sim_cache_free(sim_flash_t *sim);
