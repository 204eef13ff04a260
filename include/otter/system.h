/* The system seam: clock, random, waiting, console and restart as link-time functions of the port. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Monotonic microseconds since the program (on a board: the chip) started. */
int64_t otter_now_us(void);

/** Wait at least `ms` milliseconds; 0 gives way to others. */
void otter_sleep_ms(uint32_t ms);

/** Unpredictable bytes. */
void otter_random(void *buf, size_t len);

/** Writes one finished console text (it ends in a newline when a line ends); one call is not torn by other tasks. */
void otter_console_write(const char *text, size_t len);

/** True if the console shows colours (a terminal). */
bool otter_console_has_color(void);

/**
 * Ends this run of the firmware: the next thing that runs is the bootloader. Called by esp_restart() after the
 * shutdown handlers. In port/sim it unwinds to the simulated device's boot loop.
 */
void otter_system_restart(void) __attribute__((noreturn));

/** A sign of life for the watchdog: long operations call it as they make progress. Cheap. */
void otter_system_alive(void);

#ifdef __cplusplus
}
#endif
