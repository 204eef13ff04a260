/* The steady clock: the machine's monotonic one and what was skipped of it, or a test's own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/steady_clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

static int64_t taken_us; /* 0: nobody has taken it */
static atomic_llong skipped_us;
static bool hurries;
static void (*wait_for)(int64_t us);

int64_t steady_clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return taken_us != 0 ? taken_us
                         : (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 + atomic_load(&skipped_us);
}

void steady_clock_wait_until(int64_t us)
{
    const int64_t left = us - steady_clock_us();
    if (left <= 0) {
        return;
    }
    if (taken_us != 0) {
        taken_us = us;
    } else if (hurries && wait_for != NULL) {
        wait_for(us);
    } else if (hurries) {
        steady_clock_skip(left);
    } else {
        const struct timespec until = steady_clock_by_machine(us);
        while (us > steady_clock_us() &&
               clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
        }
    }
}

void steady_clock_hurry(void (*wait)(int64_t us))
{
    wait_for = wait;
    hurries = true;
}

void steady_clock_skip(int64_t us)
{
    atomic_fetch_add(&skipped_us, us);
}

struct timespec steady_clock_by_machine(int64_t us)
{
    const int64_t at = us - atomic_load(&skipped_us);
    return (struct timespec){.tv_sec = at / 1000000, .tv_nsec = (long)(at % 1000000) * 1000};
}

void steady_clock_take(void)
{
    taken_us = steady_clock_us();
}
