/* ESP-IDF's calibration of an ADC that has no errors: voltages are in proportion. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_bit_defs.h"
#include "esp_err.h"
#include "hal/adc_types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct adc_cali_scheme_t *adc_cali_handle_t;

typedef enum {
    ADC_CALI_SCHEME_VER_LINE_FITTING = BIT(0),
    ADC_CALI_SCHEME_VER_CURVE_FITTING = BIT(1),
} adc_cali_scheme_ver_t;

/** Both. @return ESP_OK, ESP_ERR_INVALID_ARG */
esp_err_t adc_cali_check_scheme(adc_cali_scheme_ver_t *scheme_mask);
/** @param voltage  mV. @return ESP_OK, ESP_ERR_INVALID_ARG */
esp_err_t adc_cali_raw_to_voltage(adc_cali_handle_t handle, int raw, int *voltage);

#ifdef __cplusplus
}
#endif
