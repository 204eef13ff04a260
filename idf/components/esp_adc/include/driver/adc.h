/* ESP-IDF 4's names for an ADC: each channel has half of the voltage that can be measured. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_err.h"
#include "hal/adc_types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef adc_channel_t adc1_channel_t;
typedef adc_channel_t adc2_channel_t;
typedef adc_bitwidth_t adc_bits_width_t;

#define ADC1_CHANNEL_0 ADC_CHANNEL_0
#define ADC1_CHANNEL_1 ADC_CHANNEL_1
#define ADC1_CHANNEL_2 ADC_CHANNEL_2
#define ADC1_CHANNEL_3 ADC_CHANNEL_3
#define ADC1_CHANNEL_4 ADC_CHANNEL_4
#define ADC1_CHANNEL_5 ADC_CHANNEL_5
#define ADC1_CHANNEL_6 ADC_CHANNEL_6
#define ADC1_CHANNEL_7 ADC_CHANNEL_7
#define ADC1_CHANNEL_8 ADC_CHANNEL_8
#define ADC1_CHANNEL_9 ADC_CHANNEL_9
#define ADC2_CHANNEL_0 ADC_CHANNEL_0
#define ADC2_CHANNEL_1 ADC_CHANNEL_1
#define ADC2_CHANNEL_2 ADC_CHANNEL_2
#define ADC2_CHANNEL_3 ADC_CHANNEL_3
#define ADC2_CHANNEL_4 ADC_CHANNEL_4
#define ADC2_CHANNEL_5 ADC_CHANNEL_5
#define ADC2_CHANNEL_6 ADC_CHANNEL_6
#define ADC2_CHANNEL_7 ADC_CHANNEL_7
#define ADC2_CHANNEL_8 ADC_CHANNEL_8
#define ADC2_CHANNEL_9 ADC_CHANNEL_9

#define ADC_WIDTH_BIT_9       ADC_BITWIDTH_9
#define ADC_WIDTH_BIT_10      ADC_BITWIDTH_10
#define ADC_WIDTH_BIT_11      ADC_BITWIDTH_11
#define ADC_WIDTH_BIT_12      ADC_BITWIDTH_12
#define ADC_WIDTH_BIT_13      ADC_BITWIDTH_13
#define ADC_WIDTH_BIT_DEFAULT ADC_BITWIDTH_DEFAULT
#define ADC_WIDTH_12Bit       ADC_BITWIDTH_12

#define ADC_ATTEN_0db   ADC_ATTEN_DB_0
#define ADC_ATTEN_2_5db ADC_ATTEN_DB_2_5
#define ADC_ATTEN_6db   ADC_ATTEN_DB_6
#define ADC_ATTEN_11db  ADC_ATTEN_DB_12

/** @return ESP_OK; ESP_ERR_INVALID_ARG, as of all that follow */
esp_err_t adc1_config_width(adc_bits_width_t width_bit);
esp_err_t adc1_config_channel_atten(adc1_channel_t channel, adc_atten_t atten);
/** @return -1: there is no such channel */
int adc1_get_raw(adc1_channel_t channel);
esp_err_t adc2_config_channel_atten(adc2_channel_t channel, adc_atten_t atten);
esp_err_t adc2_get_raw(adc2_channel_t channel, adc_bits_width_t width_bit, int *raw_out);
esp_err_t adc_power_acquire(void);
esp_err_t adc_power_release(void);

#ifdef __cplusplus
}
#endif
