/* The variables of a firmware that outlive it, as in a chip's RTC memory (esp_attr.h); inside ESP-IDF, too (idf/inside). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "esp_system.h"

/**
 * Put the three regions of otter/run_protocol.h in the place of the variables, which cmake/rtc_memory.ld keeps to; they have
 * their first values, what was left in them, or bytes that say nothing, as the reset wants it. Before there are tasks, once. Does
 * nothing in a program without such variables.
 * @param fd  descriptor of the memory file that the runner shares
 * @return false with errno: the system did not do it
 */
bool rtc_memory_begin(int fd, esp_reset_reason_t reason);
