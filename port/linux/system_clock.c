/* The clock of the system seam on Linux: monotonic, from 0 when the device gets power. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/system_clock.h"

#include <sched.h>
#include <stdatomic.h>

#include "linux/steady_clock.h"
#include "otter/system.h"

static atomic_llong start_us; /* 0: nobody has asked yet */

int64_t otter_now_us(void)
{
    int64_t now = steady_clock_us();
    long long start = 0;
    if (atomic_compare_exchange_strong(&start_us, &start, now)) {
        start = now;
    }
    return now - start;
}

void system_clock_restart(void)
{
    atomic_store(&start_us, steady_clock_us());
}

void otter_sleep_ms(uint32_t ms)
{
    if (ms == 0) {
        sched_yield();
    } else {
        steady_clock_wait_until(steady_clock_us() + (int64_t)ms * 1000);
    }
}
