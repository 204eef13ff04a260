/* ESP-IDF 4's calibration of an ADC. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "driver/adc.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ESP_ADC_CAL_VAL_EFUSE_VREF = 0,
    ESP_ADC_CAL_VAL_EFUSE_TP = 1,
    ESP_ADC_CAL_VAL_DEFAULT_VREF = 2,
    ESP_ADC_CAL_VAL_EFUSE_TP_FIT = 3,
    ESP_ADC_CAL_VAL_NOT_SUPPORTED = 6,
} esp_adc_cal_value_t;

typedef struct {
    adc_unit_t adc_num;
    adc_atten_t atten;
    adc_bits_width_t bit_width;
    uint32_t coeff_a, coeff_b, vref; /* vref: mV, as given */
} esp_adc_cal_characteristics_t;

/** @return ESP_ERR_NOT_SUPPORTED: the device's eFuses have no calibration */
esp_err_t esp_adc_cal_check_efuse(esp_adc_cal_value_t value_type);
esp_adc_cal_value_t esp_adc_cal_characterize(adc_unit_t adc_num, adc_atten_t atten,
                                             adc_bits_width_t bit_width, uint32_t default_vref,
                                             esp_adc_cal_characteristics_t *chars);
/** @return mV */
uint32_t esp_adc_cal_raw_to_voltage(uint32_t adc_reading, const esp_adc_cal_characteristics_t *chars);
/** @return ESP_OK; ESP_ERR_INVALID_ARG */
esp_err_t esp_adc_cal_get_voltage(adc_channel_t channel, const esp_adc_cal_characteristics_t *chars,
                                  uint32_t *voltage);

#ifdef __cplusplus
}
#endif
