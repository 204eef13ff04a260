/* Single voltages of the DAC, by the names of ESP-IDF 5. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef DAC_CHAN_0
#define DAC_CHAN_0 0
#define DAC_CHAN_1 1
#endif

typedef struct dac_oneshot_s *dac_oneshot_handle_t;
typedef struct {
    int chan_id; /* DAC_CHAN_0, DAC_CHAN_1 */
} dac_oneshot_config_t;

/** @return ESP_OK; ESP_ERR_INVALID_ARG: no such channel, or NULL; ESP_ERR_INVALID_STATE: it is taken */
esp_err_t dac_oneshot_new_channel(const dac_oneshot_config_t *oneshot_cfg, dac_oneshot_handle_t *ret_handle);
/** @return ESP_OK, ESP_ERR_INVALID_ARG (NULL), as of the next */
esp_err_t dac_oneshot_del_channel(dac_oneshot_handle_t handle);
esp_err_t dac_oneshot_output_voltage(dac_oneshot_handle_t handle, uint8_t digi_value);

#ifdef __cplusplus
}
#endif
