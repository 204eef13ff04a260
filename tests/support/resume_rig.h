/* Downloads that are interrupted by resets: what the tests of going on share. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "support/update_rig.h"

#define IMAGE_LEN   66384u /* 17 sectors */
#define SECTOR      4096u
#define RECORD_SIZE 4096u         /* the slot's last sector */
#define MARKS       (256u + HEAD) /* offset of the marks in it, behind what is kept of the file */
#define RECEIVED    40000u

int resume_set_up(void **state);

/** The same, with all files encrypted. */
int resume_set_up_rsa(void **state);
int resume_set_up_ecies(void **state);
int resume_tear_down(void **state);

/** How files are encrypted in this test. */
extern sealed_t resume_sealed;
#define HEAD     sealed_head(resume_sealed) /* of each file */
#define FILE_LEN (IMAGE_LEN + HEAD)

/** The device as it comes up: nothing is remembered but flash. */
void reset_device(update_rig_t *f);

/** A device fresh from the factory, and a good server. */
void wipe(update_rig_t *f);

bool new_runs(update_rig_t *f);
