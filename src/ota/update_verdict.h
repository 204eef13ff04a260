/* The verdict on what an update has written. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/promise.h"
#include "otter/update.h"

/**
 * Is what lies in staging, whole and read back, what it should be? An image sets update->image_len.
 * @param fault  is there, and tells why not
 * @return ESP_OK, ESP_ERR_NO_MEM, ESP_ERR_OTA_VALIDATE_FAILED, which the log tells too
 */
OTTER_MUST_CHECK esp_err_t update_judge(otter_update_t *update, otter_fault_t *fault);

/** What is written is data that this device takes with a signature only. */
bool update_is_signed_data(const otter_update_t *update);
