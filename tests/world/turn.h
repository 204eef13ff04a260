/* What the parts of a device's life share: the fence, and what is known of the boots to come. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "world.h"

/** What had happened to the flash when something began. */
typedef struct {
    uint32_t faults, record_faults, otadata_changes;
    bool weak; /* bits of the records hung then */
} watch_t;

watch_t watch_flash(const world_device_t *d);
/** Flash that fails excuses an error. */
bool is_excused(const world_device_t *d, const watch_t *before);
/** The records may say something else than they would without failures. */
bool is_blurred(const world_device_t *d, const watch_t *before);

/** otadata may change now, and this slot; WORLD_FACTORY: no slot. */
void open_fence(world_device_t *d, int slot);
void close_fence(world_device_t *d);

/** What runs is what comes back when a choice fails. */
void come_home(world_device_t *d);

/** The owner has chosen what boots next; if the choice was cut, it may be this one, what was chosen before, or home. */
void choose(world_device_t *d, place_t place, bool done);

/* ---- updates (attempt.c) ---- */

void begin_update(world_device_t *d);
/** Some more of it, to its end if it is there. */
void continue_update(world_device_t *d);
void abort_update(world_device_t *d);
/** All of it in one go. */
void complete_update(world_device_t *d);
