/* Touch pads of an ESP32 that nobody touches. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    TOUCH_PAD_NUM0 = 0,
    TOUCH_PAD_NUM1,
    TOUCH_PAD_NUM2,
    TOUCH_PAD_NUM3,
    TOUCH_PAD_NUM4,
    TOUCH_PAD_NUM5,
    TOUCH_PAD_NUM6,
    TOUCH_PAD_NUM7,
    TOUCH_PAD_NUM8,
    TOUCH_PAD_NUM9,
    TOUCH_PAD_MAX,
} touch_pad_t;

typedef enum {
    TOUCH_HVOLT_2V4,
    TOUCH_HVOLT_2V5,
    TOUCH_HVOLT_2V6,
    TOUCH_HVOLT_2V7,
    TOUCH_HVOLT_MAX
} touch_high_volt_t;
typedef enum {
    TOUCH_LVOLT_0V5,
    TOUCH_LVOLT_0V6,
    TOUCH_LVOLT_0V7,
    TOUCH_LVOLT_0V8,
    TOUCH_LVOLT_MAX
} touch_low_volt_t;
typedef enum {
    TOUCH_HVOLT_ATTEN_1V5,
    TOUCH_HVOLT_ATTEN_1V,
    TOUCH_HVOLT_ATTEN_0V5,
    TOUCH_HVOLT_ATTEN_0V,
    TOUCH_HVOLT_ATTEN_MAX
} touch_volt_atten_t;
typedef enum { TOUCH_FSM_MODE_TIMER, TOUCH_FSM_MODE_SW } touch_fsm_mode_t;

#define TOUCH_PAD_THRESHOLD_MAX 0

/** @return ESP_OK; ESP_ERR_INVALID_ARG: no such pad; ESP_ERR_INVALID_STATE: touch_pad_init() was not called, as of all below */
esp_err_t touch_pad_init(void);
esp_err_t touch_pad_deinit(void);
esp_err_t touch_pad_config(touch_pad_t touch_num, uint16_t threshold);
esp_err_t touch_pad_set_voltage(touch_high_volt_t refh, touch_low_volt_t refl, touch_volt_atten_t atten);
esp_err_t touch_pad_set_fsm_mode(touch_fsm_mode_t mode);
esp_err_t touch_pad_set_thresh(touch_pad_t touch_num, uint16_t threshold);
esp_err_t touch_pad_get_thresh(touch_pad_t touch_num, uint16_t *threshold);
esp_err_t touch_pad_filter_start(uint32_t filter_period_ms);
esp_err_t touch_pad_filter_stop(void);
/** @param touch_value 1000: a pad that is touched has less */
esp_err_t touch_pad_read(touch_pad_t touch_num, uint16_t *touch_value);
esp_err_t touch_pad_read_filtered(touch_pad_t touch_num, uint16_t *touch_value);
esp_err_t touch_pad_read_raw_data(touch_pad_t touch_num, uint16_t *touch_value);

#ifdef __cplusplus
}
#endif
