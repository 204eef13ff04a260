/* Standard input and output, as a driver of a serial port uses them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "console_bytes.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "freertos/task.h"

#define SLICE_MS 1000 /* a longer wait is several of these */

/** Waits for input, at most that long. @return whether there is some, or its end */
static bool wait_ms(uint64_t ms)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    for (;;) {
        int slice = ms < SLICE_MS ? (int)ms : SLICE_MS;
        int ready = poll(&input, 1, slice);
        if (ready != 0) {
            return ready > 0 || errno == EINTR;
        }
        if (ms <= (uint64_t)slice) {
            return false;
        }
        ms -= (uint64_t)slice;
    }
}

int console_read_bytes(void *to, size_t len, TickType_t ticks)
{
    const TickType_t begin = xTaskGetTickCount();
    size_t got = 0;
    while (got < len) {
        const TickType_t passed = xTaskGetTickCount() - begin;
        const uint64_t left = ticks == portMAX_DELAY ? UINT64_MAX
                              : passed < ticks       ? (uint64_t)(ticks - passed) * portTICK_PERIOD_MS
                                                     : 0;
        if (!wait_ms(left)) {
            break;
        }
        ssize_t more = read(STDIN_FILENO, (char *)to + got, len - got);
        if (more < 0 && errno != EINTR) {
            return -1;
        }
        if (more == 0) {
            vTaskDelay(ticks == portMAX_DELAY ? portMAX_DELAY : (TickType_t)(left / portTICK_PERIOD_MS));
            break;
        }
        got += more > 0 ? (size_t)more : 0;
    }
    return (int)got;
}

int console_write_bytes(const void *from, size_t len)
{
    size_t written = fwrite(from, 1, len, stdout);
    return fflush(stdout) == 0 && written == len ? (int)len : -1;
}

size_t console_bytes_there(void)
{
    int there = 0;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    bool ready = poll(&input, 1, 0) > 0 && ioctl(STDIN_FILENO, FIONREAD, &there) == 0;
    return ready && there > 0 ? (size_t)there : 0;
}

bool console_wait_for_bytes(void)
{
    (void)wait_ms(UINT64_MAX);
    return console_bytes_there() > 0;
}

void console_flush(void)
{
    char dropped[256];
    while (console_bytes_there() > 0 && read(STDIN_FILENO, dropped, sizeof(dropped)) > 0) {
    }
}
