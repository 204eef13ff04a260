/* Pins that hold no button of the bootloader. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#ifndef SOC_GPIO_VALID_GPIO_MASK
#define SOC_GPIO_VALID_GPIO_MASK 0ULL
#endif

typedef struct {
    int none;
} gpio_dev_t;

static gpio_dev_t GPIO __attribute__((unused));

static inline void gpio_ll_input_enable(gpio_dev_t *hw, uint32_t gpio_num)
{
    (void)hw, (void)gpio_num;
}

static inline int gpio_ll_get_level(gpio_dev_t *hw, uint32_t gpio_num)
{
    (void)hw, (void)gpio_num;
    return 1;
}
