/* The clock of the system seam for tests: the machine's, until a test takes it over. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "otter/system.h"
#include "sim/sim_system.h"

static bool owned;
static int64_t owned_us;

void sim_clock_take(void)
{
    owned_us = otter_now_us();
    owned = true;
}

void sim_clock_advance_ms(uint32_t ms)
{
    owned_us += (int64_t)ms * 1000;
}

static int64_t machine_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t otter_now_us(void)
{
    return owned ? owned_us : machine_us();
}

void otter_sleep_ms(uint32_t ms)
{
    if (owned) {
        sim_clock_advance_ms(ms);
        return;
    }
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&wait, NULL);
}
