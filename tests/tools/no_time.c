/* Preloaded (LD_PRELOAD) into a program: its clock begins on 1970-01-01, as on a board without a battery. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>

/** Since the machine was started, which is what such a clock says. */
static struct timespec up_time(void)
{
    struct timespec now = {0};
    int (*real)(clockid_t, struct timespec *);
    *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    (void)real(CLOCK_MONOTONIC, &now);
    now.tv_sec %= 86400;
    return now;
}

time_t time(time_t *out)
{
    const time_t now = up_time().tv_sec;
    if (out != NULL) {
        *out = now;
    }
    return now;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    const struct timespec now = up_time();
    (void)zone;
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int (*real)(clockid_t, struct timespec *);
    *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
        *out = up_time();
        return 0;
    }
    return real(clock, out);
}
