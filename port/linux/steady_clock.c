/* The steady clock: the machine's monotonic one, or a test's own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/steady_clock.h"

#include <errno.h>
#include <time.h>

static int64_t taken_us; /* 0: nobody has taken it */

int64_t steady_clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return taken_us != 0 ? taken_us : (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void steady_clock_wait_until(int64_t us)
{
    if (taken_us != 0) {
        taken_us = us > taken_us ? us : taken_us;
        return;
    }
    const struct timespec until = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};
    while (us > steady_clock_us() && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
}

void steady_clock_take(void)
{
    taken_us = steady_clock_us();
}
