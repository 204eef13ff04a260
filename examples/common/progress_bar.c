/* The progress bar of the examples: percent, bytes and rate. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "progress_bar.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "esp_log.h"
#include "freertos/task.h"

#define WIDTH 40

static const char *TAG = "progress";

void progress_bar_begin(progress_bar_t *bar, int total)
{
    *bar = (progress_bar_t){
        .total = total,
        .started = xTaskGetTickCount(),
        .is_terminal = isatty(STDOUT_FILENO) == 1,
    };
}

static int rate_kib(const progress_bar_t *bar, int received)
{
    TickType_t ms = pdTICKS_TO_MS(xTaskGetTickCount() - bar->started);
    return (int)((int64_t)received * 1000 / 1024 / (ms > 0 ? ms : 1));
}

static void draw(progress_bar_t *bar, int received)
{
    int percent = bar->total > 0 ? (int)((int64_t)received * 100 / bar->total) : 0;
    int filled = percent * WIDTH / 100;
    char cells[WIDTH + 1];
    memset(cells, ' ', WIDTH);
    memset(cells, '=', (size_t)filled);
    cells[WIDTH] = '\0';
    /* The cursor stays at the start of the line, so that a log line in between begins there, too. */
    printf("\033[2K  [%s] %3d %%  %d KiB  %d KiB/s\r", cells, percent, received / 1024,
           rate_kib(bar, received));
    fflush(stdout);
    bar->drawn = xTaskGetTickCount();
}

static void tell(progress_bar_t *bar, int received)
{
    int tenth = bar->total > 0 ? (int)((int64_t)received * 10 / bar->total) : 0;
    if (tenth > bar->tenth) {
        bar->tenth = tenth;
        ESP_LOGI(TAG, "%3d %%  %d of %d bytes  %d KiB/s", tenth * 10, received, bar->total,
                 rate_kib(bar, received));
    }
}

void progress_bar_update(progress_bar_t *bar, int received)
{
    if (!bar->is_terminal) {
        tell(bar, received);
    } else if (xTaskGetTickCount() - bar->drawn >= pdMS_TO_TICKS(100)) {
        draw(bar, received);
    }
}

void progress_bar_end(progress_bar_t *bar, int received)
{
    if (bar->is_terminal) {
        draw(bar, received);
        printf("\n");
    } else {
        tell(bar, received);
    }
}
