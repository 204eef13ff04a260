/* The simulator's clock, random numbers and console: the test owns them. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** From now on time moves only by sim_clock_advance_ms() and by otter_sleep_ms(). Before that it is the machine's. */
void sim_clock_take(void);
void sim_clock_advance_ms(uint32_t ms);

/** otter_random() goes on from here: the same seed, the same bytes. */
void sim_random_seed(uint32_t seed);

/** Console text is dropped (default) or shown on stderr. */
void sim_console_show(bool show);
