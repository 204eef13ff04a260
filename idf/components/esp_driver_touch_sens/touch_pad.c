/* Touch pads that keep their thresholds, and that nobody touches. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/touch_pad.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "esp_log.h"

static const char TAG[] = "touch_pad";

#define UNTOUCHED 1000

static atomic_bool ready;
static _Atomic uint16_t thresholds[TOUCH_PAD_MAX];

static esp_err_t check(touch_pad_t touch_num, const void *result)
{
    if ((unsigned)touch_num >= TOUCH_PAD_MAX || result == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return ready ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t touch_pad_init(void)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&told)) {
        ESP_LOGI(TAG, "a stand-in that nobody touches");
    }
    ready = true;
    return ESP_OK;
}

esp_err_t touch_pad_deinit(void)
{
    bool was = atomic_exchange(&ready, false);
    return was ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t touch_pad_config(touch_pad_t touch_num, uint16_t threshold)
{
    return touch_pad_set_thresh(touch_num, threshold);
}

esp_err_t touch_pad_set_voltage(touch_high_volt_t refh, touch_low_volt_t refl, touch_volt_atten_t atten)
{
    bool ok = (unsigned)refh < TOUCH_HVOLT_MAX && (unsigned)refl < TOUCH_LVOLT_MAX &&
              (unsigned)atten < TOUCH_HVOLT_ATTEN_MAX;
    return ok ? check(TOUCH_PAD_NUM0, TAG) : ESP_ERR_INVALID_ARG;
}

esp_err_t touch_pad_set_fsm_mode(touch_fsm_mode_t mode)
{
    return (unsigned)mode <= TOUCH_FSM_MODE_SW ? check(TOUCH_PAD_NUM0, TAG) : ESP_ERR_INVALID_ARG;
}

esp_err_t touch_pad_set_thresh(touch_pad_t touch_num, uint16_t threshold)
{
    esp_err_t err = check(touch_num, TAG);
    if (err == ESP_OK) {
        thresholds[touch_num] = threshold;
    }
    return err;
}

esp_err_t touch_pad_get_thresh(touch_pad_t touch_num, uint16_t *threshold)
{
    esp_err_t err = check(touch_num, threshold);
    if (err == ESP_OK) {
        *threshold = thresholds[touch_num];
    }
    return err;
}

esp_err_t touch_pad_filter_start(uint32_t filter_period_ms)
{
    return filter_period_ms > 0 ? check(TOUCH_PAD_NUM0, TAG) : ESP_ERR_INVALID_ARG;
}

esp_err_t touch_pad_filter_stop(void)
{
    return check(TOUCH_PAD_NUM0, TAG);
}

esp_err_t touch_pad_read(touch_pad_t touch_num, uint16_t *touch_value)
{
    esp_err_t err = check(touch_num, touch_value);
    if (err == ESP_OK) {
        *touch_value = UNTOUCHED;
    }
    return err;
}

esp_err_t touch_pad_read_filtered(touch_pad_t touch_num, uint16_t *touch_value)
{
    return touch_pad_read(touch_num, touch_value);
}

esp_err_t touch_pad_read_raw_data(touch_pad_t touch_num, uint16_t *touch_value)
{
    return touch_pad_read(touch_num, touch_value);
}
