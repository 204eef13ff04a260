/* What the application of the sweep keeps in NVS: a URL, a counter and a calibration. The watch that nothing of it is lost. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sweep/subject.h"

/** The first values, in a partition that is nearly full: pages are turned soon. Ends the program when out of memory. */
void settings_make(subject_t *subject);

/** The application has started: each value is what was committed, or what was being written. @return false: power went */
bool settings_check(subject_t *subject);

/** The application writes a new URL and counts, and commits. @return false: power went */
bool settings_change(subject_t *subject);

/** Power is back: bits that hang in NVS are more than its format can tell. */
void settings_power_on(subject_t *subject);

/** May this operation happen, as far as NVS goes? */
bool settings_may_write(subject_t *subject, uint32_t off, uint32_t len);
