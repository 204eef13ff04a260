/* ESP-IDF's pins without a chip around them: `otter run --gpio` gives their levels, otherwise their pull resistors do. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sdkconfig.h"
#include "esp_err.h"
#include "esp_intr_alloc.h"
#include "esp_rom_gpio.h"
#include "hal/gpio_types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint64_t pin_bit_mask;
    gpio_mode_t mode;
    gpio_pullup_t pull_up_en;
    gpio_pulldown_t pull_down_en;
    gpio_int_type_t intr_type;
} gpio_config_t;

typedef void (*gpio_isr_t)(void *arg);
typedef void *gpio_isr_handle_t;

/* Beside ESP-IDF itself, from 6.0 on, its hal/gpio_types.h has these, by masks that only chips have. */
#undef GPIO_IS_VALID_GPIO
#undef GPIO_IS_VALID_OUTPUT_GPIO
#undef GPIO_IS_VALID_DIGITAL_IO_PAD
#define GPIO_IS_VALID_GPIO(num)                   ((num) >= 0 && (num) < GPIO_PIN_COUNT)
#define GPIO_IS_VALID_OUTPUT_GPIO(num)            GPIO_IS_VALID_GPIO(num)
#define GPIO_IS_VALID_DIGITAL_IO_PAD(num)         GPIO_IS_VALID_GPIO(num)
#define GPIO_IS_DEEP_SLEEP_WAKEUP_VALID_GPIO(num) GPIO_IS_VALID_GPIO(num)

/* All of these: ESP_OK, or ESP_ERR_INVALID_ARG with a pin or value that there is not. Any task may call them. */

/** @param config  at least one pin in its mask */
esp_err_t gpio_config(const gpio_config_t *config);
/** An input with a pull-up, as after a reset. */
esp_err_t gpio_reset_pin(gpio_num_t gpio_num);
esp_err_t gpio_set_direction(gpio_num_t gpio_num, gpio_mode_t mode);
esp_err_t gpio_set_pull_mode(gpio_num_t gpio_num, gpio_pull_mode_t pull);
esp_err_t gpio_pullup_en(gpio_num_t gpio_num);
esp_err_t gpio_pullup_dis(gpio_num_t gpio_num);
esp_err_t gpio_pulldown_en(gpio_num_t gpio_num);
esp_err_t gpio_pulldown_dis(gpio_num_t gpio_num);
esp_err_t gpio_set_level(gpio_num_t gpio_num, uint32_t level);

/**
 * @return of an output its own level; of an input the one that `otter run --gpio` has given by now, or else 1 with a pull-up
 *         and 0 without; 0 of a pin that is neither, or none
 */
int gpio_get_level(gpio_num_t gpio_num);

/* Interrupts come when `otter run --gpio` changes a level at a time; handlers then run in a task of their own. */
esp_err_t gpio_set_intr_type(gpio_num_t gpio_num, gpio_int_type_t intr_type);
esp_err_t gpio_intr_enable(gpio_num_t gpio_num);
esp_err_t gpio_intr_disable(gpio_num_t gpio_num);
/** @return ESP_OK; ESP_ERR_INVALID_STATE: it is installed; ESP_ERR_NO_MEM */
esp_err_t gpio_install_isr_service(int intr_alloc_flags);
void gpio_uninstall_isr_service(void);
/** @return ESP_OK; ESP_ERR_INVALID_STATE: the service is not installed */
esp_err_t gpio_isr_handler_add(gpio_num_t gpio_num, gpio_isr_t isr_handler, void *args);
esp_err_t gpio_isr_handler_remove(gpio_num_t gpio_num);

/** ESP_ERR_NOT_SUPPORTED: handlers are of single pins here. */
esp_err_t gpio_isr_register(gpio_isr_t fn, void *arg, int intr_alloc_flags, gpio_isr_handle_t *handle);

/** An input, too, and what it drives stays. */
esp_err_t gpio_input_enable(gpio_num_t gpio_num);

/* What only a pin could do: accepted. The log says once that no pin ends a sleep. */
esp_err_t gpio_set_drive_capability(gpio_num_t gpio_num, gpio_drive_cap_t strength);
/** GPIO_DRIVE_CAP_DEFAULT, whatever was set. */
esp_err_t gpio_get_drive_capability(gpio_num_t gpio_num, gpio_drive_cap_t *strength);
esp_err_t gpio_hold_en(gpio_num_t gpio_num);
esp_err_t gpio_hold_dis(gpio_num_t gpio_num);
esp_err_t gpio_force_hold_all(void);
esp_err_t gpio_force_unhold_all(void);
void gpio_deep_sleep_hold_en(void);
void gpio_deep_sleep_hold_dis(void);
esp_err_t gpio_wakeup_enable(gpio_num_t gpio_num, gpio_int_type_t intr_type);
esp_err_t gpio_wakeup_disable(gpio_num_t gpio_num);
esp_err_t gpio_deep_sleep_wakeup_enable(gpio_num_t gpio_num, gpio_int_type_t intr_type);
esp_err_t gpio_deep_sleep_wakeup_disable(gpio_num_t gpio_num);
esp_err_t gpio_sleep_sel_en(gpio_num_t gpio_num);
esp_err_t gpio_sleep_sel_dis(gpio_num_t gpio_num);
esp_err_t gpio_sleep_set_direction(gpio_num_t gpio_num, gpio_mode_t mode);
esp_err_t gpio_sleep_set_pull_mode(gpio_num_t gpio_num, gpio_pull_mode_t pull);

#ifdef __cplusplus
}
#endif
