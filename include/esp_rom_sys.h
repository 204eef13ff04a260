/* What of a chip's ROM programs call: printing, a short wait, the reset reason. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdarg.h>
#include <stdint.h>

#include "sdkconfig.h"
#include "soc/reset_reasons.h"

#ifdef __cplusplus
extern "C" {
#endif

/** To the console. @return characters */
int esp_rom_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int esp_rom_vprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
void esp_rom_output_to_channels(char c);
/** The same console, whatever is named. */
void esp_rom_install_uart_printf(void);

/** At least so many microseconds, which others may use. */
void esp_rom_delay_us(uint32_t us);

/** How this boot began, of the one core there is. */
soc_reset_reason_t esp_rom_get_reset_reason(int cpu_no);

/** Restart at once, without the shutdown handlers of esp_restart(). */
void esp_rom_software_reset_system(void) __attribute__((noreturn));
void esp_rom_software_reset_cpu(int cpu_no) __attribute__((noreturn));

/** What is set, 240 at first: an ESP32's. */
uint32_t esp_rom_get_cpu_ticks_per_us(void);
void esp_rom_set_cpu_ticks_per_us(uint32_t ticks_per_us);

#ifdef __cplusplus
}
#endif
