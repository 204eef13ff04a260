/* A clock that can run ahead (`otter run --fast`): what is skipped of it, FreeRTOS has as ticks. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "run_clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "otter_run.h"

#define TICK_US (1000000 / (int64_t)configTICK_RATE_HZ)

int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __real_gettimeofday(struct timeval *time, void *zone);
int __real_usleep(useconds_t us);
void __real_vTaskDelay(const TickType_t ticks);
BaseType_t __real_xTaskDelayUntil(TickType_t *before, const TickType_t ticks);
BaseType_t xTaskCatchUpTicks(TickType_t ticks); /* which otter's own freertos/task.h does not have */

static atomic_llong skipped_us;
static atomic_llong
    owed_us; /* of these the ticks have not been given yet; below zero where some came too early */
static atomic_llong known_us; /* until then some task waits, by a time that it has named */
static atomic_int outside;    /* tasks that wait for something else than time */

static bool tasks_run(void)
{
    return xTaskGetSchedulerState() == taskSCHEDULER_RUNNING;
}

int64_t run_clock_us(void)
{
    struct timespec now;
    __real_clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 + atomic_load(&skipped_us);
}

/** Skips so much. Tasks whose time has come have their turn. */
static void skip(int64_t us)
{
    atomic_fetch_add(&skipped_us, us);
    const int64_t ticks = (atomic_fetch_add(&owed_us, us) + us) / TICK_US;
    if (ticks > 0 && tasks_run()) {
        atomic_fetch_sub(&owed_us, ticks * TICK_US);
        xTaskCatchUpTicks((TickType_t)ticks);
    }
}

static void sleep_by_machine(int64_t us)
{
    const int64_t at = us - atomic_load(&skipped_us);
    const struct timespec until = {.tv_sec = at / 1000000, .tv_nsec = (long)(at % 1000000) * 1000};
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL); /* ticks interrupt it */
}

void run_clock_work_until(int64_t us)
{
    for (int64_t left; (left = us - run_clock_us()) > 0;) {
        if (otter_run_is_fast()) {
            skip(left < TICK_US ? left : TICK_US);
        } else {
            sleep_by_machine(us);
        }
    }
}

void run_clock_wait_until(int64_t us)
{
    for (int64_t left; (left = us - run_clock_us()) > 0;) {
        if (left < TICK_US || !tasks_run()) {
            run_clock_work_until(us);
        } else {
            vTaskDelay((TickType_t)(left / TICK_US)); /* ends at a tick, so not behind that time */
        }
    }
}

void run_clock_waits_outside(void)
{
    atomic_fetch_add(&outside, 1);
}

void run_clock_waits_no_more(void)
{
    atomic_fetch_sub(&outside, 1);
}

void run_clock_rest(uint32_t ms)
{
    __real_vTaskDelay(pdMS_TO_TICKS(ms) > 0 ? pdMS_TO_TICKS(ms) : 1);
}

/* ---- what the program asks the system and FreeRTOS for ---- */

static void know(TickType_t ticks)
{
    const long long until = run_clock_us() + (int64_t)ticks * TICK_US;
    if (until > atomic_load(&known_us)) { /* one that is lost between these two is known by its next wait */
        atomic_store(&known_us, until);
    }
}

void __wrap_vTaskDelay(const TickType_t ticks)
{
    know(ticks);
    __real_vTaskDelay(ticks);
}

BaseType_t __wrap_xTaskDelayUntil(TickType_t *before, const TickType_t ticks)
{
    know(ticks);
    return __real_xTaskDelayUntil(before, ticks);
}

/** ESP-IDF's idle task sleeps where nobody has anything to do: there a tick is skipped, if one waits for a time that is known. */
int __wrap_usleep(useconds_t us)
{
    if (otter_run_is_fast() && tasks_run() && xTaskGetCurrentTaskHandle() != xTaskGetIdleTaskHandle()) {
        run_clock_wait_until(run_clock_us() + us);
        return 0;
    }
    if (!otter_run_is_fast() || !tasks_run() || atomic_load(&outside) > 0 ||
        run_clock_us() >= atomic_load(&known_us)) {
        return __real_usleep(us);
    }
    skip(TICK_US);
    return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    const int status = __real_clock_gettime(clock, time);
    if (status == 0 && (clock == CLOCK_MONOTONIC || clock == CLOCK_REALTIME)) {
        const long long us = atomic_load(&skipped_us) + time->tv_nsec / 1000;
        time->tv_sec += (time_t)(us / 1000000);
        time->tv_nsec = (long)(us % 1000000) * 1000 + time->tv_nsec % 1000;
    }
    return status;
}

int __wrap_gettimeofday(struct timeval *time, void *zone)
{
    const int status = __real_gettimeofday(time, zone);
    if (status == 0) {
        const long long us = atomic_load(&skipped_us) + time->tv_usec;
        time->tv_sec += (time_t)(us / 1000000);
        time->tv_usec = (suseconds_t)(us % 1000000);
    }
    return status;
}

time_t __wrap_time(time_t *out)
{
    struct timespec now;
    (void)__wrap_clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}
