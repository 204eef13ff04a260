/* An ESP32's DAC, by the names of ESP-IDF 4 and 5: two channels, whose voltages nobody measures. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "driver/gpio.h"
#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { DAC_CHANNEL_1, DAC_CHANNEL_2, DAC_CHANNEL_MAX } dac_channel_t;
#define DAC_CHAN_0             DAC_CHANNEL_1
#define DAC_CHAN_1             DAC_CHANNEL_2
#define DAC_CHANNEL_1_GPIO_NUM 25
#define DAC_CHANNEL_2_GPIO_NUM 26

typedef enum { DAC_CW_SCALE_1, DAC_CW_SCALE_2, DAC_CW_SCALE_4, DAC_CW_SCALE_8 } dac_cw_scale_t;
typedef enum { DAC_CW_PHASE_0 = 2, DAC_CW_PHASE_180 = 3 } dac_cw_phase_t;
typedef struct {
    dac_channel_t en_ch;
    dac_cw_scale_t scale;
    dac_cw_phase_t phase;
    uint32_t freq;
    int8_t offset;
} dac_cw_config_t;

/* @return ESP_OK; ESP_ERR_INVALID_ARG: no such channel, or NULL */
esp_err_t dac_pad_get_io_num(dac_channel_t channel, gpio_num_t *gpio_num);
/** Says once in the log that this is a stand-in. */
esp_err_t dac_output_enable(dac_channel_t channel);
esp_err_t dac_output_disable(dac_channel_t channel);
esp_err_t dac_output_voltage(dac_channel_t channel, uint8_t dac_value);
esp_err_t dac_cw_generator_enable(void);
esp_err_t dac_cw_generator_disable(void);
esp_err_t dac_cw_generator_config(dac_cw_config_t *cw);

#ifdef __cplusplus
}
#endif
