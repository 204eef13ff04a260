/* What a chip's ROM does to pins: here every pin is a pin already. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline void esp_rom_gpio_pad_select_gpio(uint32_t iopad_num)
{
    (void)iopad_num;
}

static inline void esp_rom_gpio_pad_pullup_only(uint32_t iopad_num)
{
    (void)iopad_num;
}

static inline void esp_rom_gpio_pad_set_drv(uint32_t iopad_num, uint32_t drv)
{
    (void)iopad_num, (void)drv;
}

static inline void esp_rom_gpio_connect_out_signal(uint32_t gpio_num, uint32_t signal_idx, bool out_inv,
                                                   bool oen_inv)
{
    (void)gpio_num, (void)signal_idx, (void)out_inv, (void)oen_inv;
}

static inline void esp_rom_gpio_connect_in_signal(uint32_t gpio_num, uint32_t signal_idx, bool inv)
{
    (void)gpio_num, (void)signal_idx, (void)inv;
}

/* Their names in ESP-IDF 3 and 4. */
#define gpio_pad_select_gpio esp_rom_gpio_pad_select_gpio
#define gpio_matrix_out      esp_rom_gpio_connect_out_signal
#define gpio_matrix_in       esp_rom_gpio_connect_in_signal

#ifdef __cplusplus
}
#endif
