/* The report of an update, kept where a reset does not reach it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/device.h"
#include "otter/promise.h"

/** Copies the device's report into its retained memory; nothing happens where there is none. */
void report_memory_keep(otter_device_t *device);

/** @return ESP_OK; ESP_ERR_NOT_FOUND: nothing was kept, or what is there is damaged or another version's */
OTTER_MUST_CHECK esp_err_t report_memory_load(const otter_device_t *device, otter_update_report_t *report);
