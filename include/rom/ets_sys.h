/* Printing and a short wait by the old names of an ESP32's ROM. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sdkconfig.h"
#include "esp_rom_sys.h"

#define ets_printf(...)               esp_rom_printf(__VA_ARGS__)
#define ets_delay_us(us)              esp_rom_delay_us(us)
#define ets_install_uart_printf()     esp_rom_install_uart_printf()
#define ets_get_cpu_frequency()       esp_rom_get_cpu_ticks_per_us()
#define ets_update_cpu_frequency(mhz) esp_rom_set_cpu_ticks_per_us(mhz)

#ifndef BIT
#define BIT(nr) (1UL << (nr))
#endif
