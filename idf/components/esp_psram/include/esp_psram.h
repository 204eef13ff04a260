/* External memory, which the device does not have: its heap is this machine's. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "esp_err.h"

static inline esp_err_t esp_psram_init(void)
{
    return ESP_ERR_NOT_SUPPORTED;
}

static inline bool esp_psram_is_initialized(void)
{
    return false;
}

/** Bytes. */
static inline size_t esp_psram_get_size(void)
{
    return 0;
}
