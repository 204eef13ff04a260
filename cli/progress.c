/* Progress: percent, bytes, rate and time left. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "otter/system.h"

#define TERMINAL_STEP_US 100000
#define PLAIN_STEP_US    2000000
#define BAR_WIDTH        28

void progress_begin(progress_t *p, bool shown)
{
    p->shown = shown;
    p->terminal = isatty(STDERR_FILENO) == 1;
    p->start_us = otter_now_us();
    p->next_us = p->start_us + (p->terminal ? 0 : PLAIN_STEP_US);
}

/** "1.4 MiB" */
static const char *size_text(double bytes, char buf[16])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    unsigned unit = 0;
    while (bytes >= 1024 && unit < 3) {
        bytes /= 1024;
        unit++;
    }
    snprintf(buf, 16, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
    return buf;
}

static void draw(const progress_t *p, uint64_t done, int64_t total)
{
    double seconds = (double)(otter_now_us() - p->start_us) / 1e6;
    double rate = seconds > 0 ? (double)done / seconds : 0;
    char size[16], speed[16], left[32] = "";
    size_text((double)done, size);
    size_text(rate, speed);
    if (total <= 0) {
        fprintf(stderr, "%s  %s/s", size, speed);
        return;
    }
    double part = (double)done / (double)total;
    part = part > 1 ? 1 : part;
    if (done > 0 && done < (uint64_t)total) {
        unsigned eta = (unsigned)((double)((uint64_t)total - done) / rate + 0.5);
        snprintf(left, sizeof(left), "  %u:%02u left", eta / 60, eta % 60);
    }
    if (p->terminal) {
        char bar[BAR_WIDTH + 1];
        int full = (int)(part * BAR_WIDTH);
        memset(bar, '#', (size_t)full);
        memset(bar + full, '.', (size_t)(BAR_WIDTH - full));
        bar[BAR_WIDTH] = '\0';
        fprintf(stderr, "[%s] ", bar);
    }
    fprintf(stderr, "%3.0f%%  %s  %s/s%s", part * 100, size, speed, left);
}

void progress_show(progress_t *p, uint64_t done, int64_t total)
{
    if (!p->shown || otter_now_us() < p->next_us) {
        return;
    }
    p->next_us = otter_now_us() + (p->terminal ? TERMINAL_STEP_US : PLAIN_STEP_US);
    if (p->terminal) {
        fputs("\r\033[K", stderr);
    }
    draw(p, done, total);
    if (!p->terminal) {
        fputc('\n', stderr);
    }
}

void progress_end(progress_t *p, uint64_t done, int64_t total)
{
    if (!p->shown) {
        return;
    }
    if (p->terminal) {
        fputs("\r\033[K", stderr);
    }
    draw(p, done, total);
    fputc('\n', stderr);
}
