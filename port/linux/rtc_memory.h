/* The variables of a firmware that outlive it, as in a chip's RTC memory (esp_attr.h). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_system.h"
#include "otter/fault.h"
#include "otter/promise.h"
#include "otter/run_protocol.h" /* the regions, which cmake/rtc_memory.ld keeps to */

/**
 * Put this memory in the place of the variables; they have their first values, what was left in it, or bytes that say nothing,
 * as the reset wants it. Before there are tasks, once. Does nothing in a program without such variables.
 * @param fd   descriptor of a memory file
 * @param off  of the first region in it, a multiple of OTTER_RUN_RTC_REGION_SIZE
 * @return ESP_OK, ESP_FAIL: the system did not do it
 */
OTTER_MUST_CHECK esp_err_t rtc_memory_begin(int fd, uint32_t off, esp_reset_reason_t reason,
                                            otter_fault_t *fault);
