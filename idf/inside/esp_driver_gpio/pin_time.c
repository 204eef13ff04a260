/* The clock of the pins: ESP-IDF declares esp_timer_get_time() for linux, and has none. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <time.h>

int64_t otter_pin_time(void);

/** Microseconds since the boot. */
int64_t otter_pin_time(void)
{
    static int64_t start;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const int64_t us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    start = start != 0 ? start : us;
    return us - start;
}
