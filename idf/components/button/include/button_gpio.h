/* A button at a pin. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "button_types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t gpio_num;
    uint8_t active_level;
    bool enable_power_save, disable_pull;
} button_gpio_config_t;

/**
 * The pin becomes an input with the resistor that keeps it from being pressed, unless that is disabled.
 * @return ESP_OK, ESP_ERR_INVALID_ARG (NULL, or no such pin), ESP_ERR_NO_MEM
 */
esp_err_t iot_button_new_gpio_device(const button_config_t *button_config,
                                     const button_gpio_config_t *gpio_config, button_handle_t *ret_button);

#ifdef __cplusplus
}
#endif
