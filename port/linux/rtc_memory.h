/* The variables of a firmware that outlive it, as in a chip's RTC memory (esp_attr.h). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_system.h"
#include "otter/fault.h"
#include "otter/promise.h"

/*
 * Bytes of each of three regions, in memory that lives as long as the device has power, from a multiple of this size on: more
 * than any chip has, and whole pages on any host. cmake/rtc_memory.ld keeps to it.
 */
#define RTC_REGION_SIZE 0x10000u
#define RTC_REGIONS     3u

/**
 * Put this memory in the place of the variables; they have their first values, what was left in it, or bytes that say nothing,
 * as the reset wants it. Before there are tasks, once. Does nothing in a program without such variables.
 * @param fd   descriptor of a memory file
 * @param off  of the first region in it, a multiple of RTC_REGION_SIZE
 * @return ESP_OK, ESP_FAIL: the system did not do it
 */
OTTER_MUST_CHECK esp_err_t rtc_memory_begin(int fd, uint32_t off, esp_reset_reason_t reason,
                                            otter_fault_t *fault);
