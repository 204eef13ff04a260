/* The clock of the system seam on Linux: monotonic, from 0 when the device gets power. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/system_clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>

#include "otter/system.h"

static atomic_llong start_us; /* 0: nobody has asked yet */

int64_t system_clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t otter_now_us(void)
{
    int64_t now = system_clock_us();
    long long start = 0;
    if (atomic_compare_exchange_strong(&start_us, &start, now)) {
        start = now;
    }
    return now - start;
}

void system_clock_restart(void)
{
    atomic_store(&start_us, system_clock_us());
}

void otter_sleep_ms(uint32_t ms)
{
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&wait, &wait) != 0 && errno == EINTR) {
    }
}
