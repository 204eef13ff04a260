/* Downloads that are interrupted by resets: what the tests of going on share. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "support/update_rig.h"

#define IMAGE_LEN   66384u /* 17 sectors */
#define SECTOR      4096u
#define RECORD_SIZE 4096u /* the slot's last sector */
#define MARKS       256u  /* offset of the marks in it */
#define RECEIVED    40000u

int resume_set_up(void **state);

/** The device as it comes up: nothing is remembered but flash. */
void reset_device(update_rig_t *f);

/** A device fresh from the factory, and a good server. */
void wipe(update_rig_t *f);

bool new_runs(update_rig_t *f);
