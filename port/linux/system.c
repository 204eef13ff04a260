/* The system seam on Linux: monotonic clock, getrandom, standard output, and the way back to `otter run`. */
#include "otter/system.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "linux/freertos_kernel.h"
#include "linux/run_protocol.h"
#include "linux/system_clock.h"

static atomic_llong start_us; /* 0: nobody has asked yet */

static int64_t monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t otter_now_us(void)
{
    int64_t now = monotonic_us();
    long long start = 0;
    if (atomic_compare_exchange_strong(&start_us, &start, now)) {
        start = now;
    }
    return now - start;
}

void system_clock_restart(void)
{
    atomic_store(&start_us, monotonic_us());
}

void otter_sleep_ms(uint32_t ms)
{
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&wait, &wait) != 0 && errno == EINTR) {
    }
}

void otter_random(void *buf, size_t len)
{
    uint8_t *p = buf;
    while (len > 0) {
        ssize_t n = getrandom(p, len, 0);
        if (n < 0 && errno != EINTR) {
            abort(); /* a kernel without randomness: nothing that follows could be trusted */
        }
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
    }
}

void otter_console_write(const char *text, size_t len)
{
    fwrite(text, 1, len, stdout);
    fflush(stdout);
}

bool otter_console_has_color(void)
{
    return isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL;
}

void otter_system_restart(void)
{
    fflush(NULL);
    run_protocol_tell(RUN_SAYS_RESTART);
    _exit(0);
}

void otter_system_alive(void)
{
    kernel_alive();
}
