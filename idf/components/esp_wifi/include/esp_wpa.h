/* Starting and stopping the supplicant, which esp_wifi does by itself. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_err.h"
#include "esp_wifi.h"

#ifdef __cplusplus
extern "C" {
#endif

static inline esp_err_t esp_supplicant_init(void)
{
    return ESP_OK;
}

static inline esp_err_t esp_supplicant_deinit(void)
{
    return ESP_OK;
}

#ifdef __cplusplus
}
#endif
