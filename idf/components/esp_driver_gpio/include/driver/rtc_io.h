/* ESP-IDF's pins that work in sleep: here each pin is one, and none is in a domain of its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "driver/gpio.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    RTC_GPIO_MODE_INPUT_ONLY,
    RTC_GPIO_MODE_OUTPUT_ONLY,
    RTC_GPIO_MODE_INPUT_OUTPUT,
    RTC_GPIO_MODE_DISABLED,
    RTC_GPIO_MODE_OUTPUT_OD,
    RTC_GPIO_MODE_INPUT_OUTPUT_OD,
} rtc_gpio_mode_t;

bool rtc_gpio_is_valid_gpio(gpio_num_t gpio_num);

/** The pin's own number; -1: it is no pin. */
int rtc_io_number_get(gpio_num_t gpio_num);

/** Each as the function of driver/gpio.h. @return ESP_OK, ESP_ERR_INVALID_ARG */
esp_err_t rtc_gpio_init(gpio_num_t gpio_num);
esp_err_t rtc_gpio_deinit(gpio_num_t gpio_num);
esp_err_t rtc_gpio_set_direction(gpio_num_t gpio_num, rtc_gpio_mode_t mode);
esp_err_t rtc_gpio_set_direction_in_sleep(gpio_num_t gpio_num, rtc_gpio_mode_t mode);
esp_err_t rtc_gpio_set_level(gpio_num_t gpio_num, uint32_t level);
esp_err_t rtc_gpio_pullup_en(gpio_num_t gpio_num);
esp_err_t rtc_gpio_pullup_dis(gpio_num_t gpio_num);
esp_err_t rtc_gpio_pulldown_en(gpio_num_t gpio_num);
esp_err_t rtc_gpio_pulldown_dis(gpio_num_t gpio_num);
esp_err_t rtc_gpio_set_drive_capability(gpio_num_t gpio_num, gpio_drive_cap_t strength);
esp_err_t rtc_gpio_get_drive_capability(gpio_num_t gpio_num, gpio_drive_cap_t *strength);
esp_err_t rtc_gpio_hold_en(gpio_num_t gpio_num);
esp_err_t rtc_gpio_hold_dis(gpio_num_t gpio_num);
esp_err_t rtc_gpio_force_hold_en_all(void);
esp_err_t rtc_gpio_force_hold_dis_all(void);
esp_err_t rtc_gpio_wakeup_enable(gpio_num_t gpio_num, gpio_int_type_t intr_type);
esp_err_t rtc_gpio_wakeup_disable(gpio_num_t gpio_num);

/** No input, no output, no pull. */
esp_err_t rtc_gpio_isolate(gpio_num_t gpio_num);

/** 0 or 1; 0 also where it is no pin. */
uint32_t rtc_gpio_get_level(gpio_num_t gpio_num);

#ifdef __cplusplus
}
#endif
