/* The Linux port's clock can start again: a reset of the virtual device is the beginning of its time. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** From now on otter_now_us() counts from 0. Nothing that measures may be under way. */
void system_clock_restart(void);
