/* The system seam for tests: deterministic where a test asks for it. */
#include "sim/sim_system.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "otter/system.h"

static bool owned;
static int64_t owned_us;
static bool console_shown;
static jmp_buf *restart_target;
static uint32_t random_state = 0x2545F491u;

void sim_clock_take(void)
{
    owned_us = otter_now_us();
    owned = true;
}

void sim_clock_advance_ms(uint32_t ms)
{
    owned_us += (int64_t)ms * 1000;
}

void sim_console_show(bool show)
{
    console_shown = show;
}

void sim_set_restart_target(jmp_buf *target)
{
    restart_target = target;
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

void sim_random_seed(uint32_t seed)
{
    random_state = seed;
}

void otter_random(void *buf, size_t len)
{
    uint8_t *p = buf;
    for (size_t i = 0; i < len; i++) {
        random_state = random_state * 1664525u + 1013904223u;
        p[i] = (uint8_t)(random_state >> 24);
    }
}

void otter_console_write(const char *text, size_t len)
{
    if (console_shown) {
        fwrite(text, 1, len, stderr);
    }
}

bool otter_console_has_color(void)
{
    return false;
}

void otter_system_restart(void)
{
    if (restart_target == NULL) {
        fprintf(stderr, "sim: unexpected restart\n");
        abort();
    }
    longjmp(*restart_target, 1);
}

void otter_system_alive(void)
{
}
