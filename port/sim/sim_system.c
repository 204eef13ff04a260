/* The system seam for tests but for its clock: random numbers that repeat, a console that is silent unless wanted. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_system.h"

#include <stdio.h>
#include <stdlib.h>

#include "otter/system.h"

static bool console_shown;
static uint32_t random_state = 0x2545F491u;

void sim_console_show(bool show)
{
    console_shown = show;
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
    fprintf(stderr, "sim: a test restarts the device\n");
    abort();
}

void otter_system_alive(void)
{
}

/* Nothing goes on beside anything: what happens is the same each time. */

void otter_beside_begin(otter_beside_t *beside, void (*work)(void *arg, uint32_t upto), void *arg)
{
    *beside = (otter_beside_t){.work = work, .arg = arg};
}

void otter_beside_kick(otter_beside_t *beside, uint32_t upto)
{
    beside->work(beside->arg, upto);
}

void otter_beside_wait(otter_beside_t *beside)
{
    (void)beside;
}

void otter_beside_end(otter_beside_t *beside)
{
    *beside = (otter_beside_t){0};
}
