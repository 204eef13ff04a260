/* How simulator flash is taken back to a mark: the old contents of each page that changed since. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "sim/sim_flash.h"

/** To be called before [off, off + len) changes. */
void sim_undo_save(sim_flash_t *sim, uint32_t off, uint32_t len);

/** @return the new mark, from 1 */
uint32_t sim_undo_mark(sim_flash_t *sim);

/** Takes back what changed since `mark`; later marks are gone. */
void sim_undo_rewind(sim_flash_t *sim, uint32_t mark);

/** A digest of the bytes that differ from those at `mark`, 0 where none does; of which bits hang it tells nothing. */
uint64_t sim_undo_changes(const sim_flash_t *sim, uint32_t mark);

/** Drops all marks; the medium stays as it is. */
void sim_undo_forget(sim_flash_t *sim);
