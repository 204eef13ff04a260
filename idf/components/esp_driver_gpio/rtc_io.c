/* The pins of sleep, by the pins. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/rtc_io.h"

#include <stddef.h>

bool rtc_gpio_is_valid_gpio(gpio_num_t gpio_num)
{
    return GPIO_IS_VALID_GPIO(gpio_num);
}

int rtc_io_number_get(gpio_num_t gpio_num)
{
    return rtc_gpio_is_valid_gpio(gpio_num) ? (int)gpio_num : -1;
}

esp_err_t rtc_gpio_init(gpio_num_t gpio_num)
{
    return rtc_gpio_is_valid_gpio(gpio_num) ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t rtc_gpio_deinit(gpio_num_t gpio_num)
{
    return rtc_gpio_init(gpio_num);
}

esp_err_t rtc_gpio_set_direction(gpio_num_t gpio_num, rtc_gpio_mode_t mode)
{
    static const gpio_mode_t modes[] = {
        [RTC_GPIO_MODE_INPUT_ONLY] = GPIO_MODE_INPUT,
        [RTC_GPIO_MODE_OUTPUT_ONLY] = GPIO_MODE_OUTPUT,
        [RTC_GPIO_MODE_INPUT_OUTPUT] = GPIO_MODE_INPUT_OUTPUT,
        [RTC_GPIO_MODE_DISABLED] = GPIO_MODE_DISABLE,
        [RTC_GPIO_MODE_OUTPUT_OD] = GPIO_MODE_OUTPUT_OD,
        [RTC_GPIO_MODE_INPUT_OUTPUT_OD] = GPIO_MODE_INPUT_OUTPUT_OD,
    };
    return (size_t)mode < sizeof(modes) / sizeof(modes[0]) ? gpio_set_direction(gpio_num, modes[mode])
                                                           : ESP_ERR_INVALID_ARG;
}

esp_err_t rtc_gpio_set_direction_in_sleep(gpio_num_t gpio_num, rtc_gpio_mode_t mode)
{
    (void)mode; /* a device that sleeps drives nothing */
    return rtc_gpio_init(gpio_num);
}

esp_err_t rtc_gpio_set_level(gpio_num_t gpio_num, uint32_t level)
{
    return gpio_set_level(gpio_num, level);
}

uint32_t rtc_gpio_get_level(gpio_num_t gpio_num)
{
    return (uint32_t)gpio_get_level(gpio_num);
}

esp_err_t rtc_gpio_pullup_en(gpio_num_t gpio_num)
{
    return gpio_pullup_en(gpio_num);
}

esp_err_t rtc_gpio_pullup_dis(gpio_num_t gpio_num)
{
    return gpio_pullup_dis(gpio_num);
}

esp_err_t rtc_gpio_pulldown_en(gpio_num_t gpio_num)
{
    return gpio_pulldown_en(gpio_num);
}

esp_err_t rtc_gpio_pulldown_dis(gpio_num_t gpio_num)
{
    return gpio_pulldown_dis(gpio_num);
}

esp_err_t rtc_gpio_set_drive_capability(gpio_num_t gpio_num, gpio_drive_cap_t strength)
{
    return gpio_set_drive_capability(gpio_num, strength);
}

esp_err_t rtc_gpio_get_drive_capability(gpio_num_t gpio_num, gpio_drive_cap_t *strength)
{
    return gpio_get_drive_capability(gpio_num, strength);
}

esp_err_t rtc_gpio_hold_en(gpio_num_t gpio_num)
{
    return gpio_hold_en(gpio_num);
}

esp_err_t rtc_gpio_hold_dis(gpio_num_t gpio_num)
{
    return gpio_hold_dis(gpio_num);
}

esp_err_t rtc_gpio_force_hold_en_all(void)
{
    return gpio_force_hold_all();
}

esp_err_t rtc_gpio_force_hold_dis_all(void)
{
    return gpio_force_unhold_all();
}

esp_err_t rtc_gpio_wakeup_enable(gpio_num_t gpio_num, gpio_int_type_t intr_type)
{
    return gpio_wakeup_enable(gpio_num, intr_type);
}

esp_err_t rtc_gpio_wakeup_disable(gpio_num_t gpio_num)
{
    return gpio_wakeup_disable(gpio_num);
}

esp_err_t rtc_gpio_isolate(gpio_num_t gpio_num)
{
    esp_err_t err = gpio_set_direction(gpio_num, GPIO_MODE_DISABLE);
    return err == ESP_OK ? gpio_set_pull_mode(gpio_num, GPIO_FLOATING) : err;
}
