/* What FreeRTOS timers and esp_timers share: entries with a time each, and a task that calls each when its time has come. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "linux/freertos_kernel.h"
#include "otter/promise.h"

/** Belongs to the kernel lock, but for what its owner adds to it. */
typedef struct timer_entry {
    struct timer_entry *next;
    int64_t expires_us; /* as otter_now_us() */
    uint64_t period_us; /* 0: once */
    bool active;
    bool skips;                              /* periods that were missed are not made up for */
    bool in_call, gone;                      /* removed while it is called: freed afterwards */
    void (*call)(struct timer_entry *entry); /* without the lock */
    void (*drop)(struct timer_entry *entry); /* frees it; with the lock held */
} timer_entry_t;

/** One task and its entries. */
typedef struct {
    const char *task_name;
    UBaseType_t task_priority;
    pthread_mutex_t starting;
    TaskHandle_t task; /* made for the first entry, so that programs without timers have none */
    pthread_cond_t changed;
    uint32_t changes;
    timer_entry_t *entries;
} timer_service_t;

#define TIMER_SERVICE(name, priority)                                                                        \
    {                                                                                                        \
        .task_name = (name), .task_priority = (priority), .starting = PTHREAD_MUTEX_INITIALIZER              \
    }

/** Before the first entry, without the lock. @return false: out of memory */
OTTER_MUST_CHECK bool timer_service_start(timer_service_t *service);

/* With the lock held: */

void timer_service_add(timer_service_t *service, timer_entry_t *entry);

/** Calls it `delay_us` from now, and every `period_us` after that (0: once); replaces what was set. */
void timer_service_set(timer_service_t *service, timer_entry_t *entry, uint64_t delay_us, uint64_t period_us);
void timer_service_clear(timer_service_t *service, timer_entry_t *entry);

/** Takes it out and drops it, at once or when the call that it is in returns. */
void timer_service_remove(timer_service_t *service, timer_entry_t *entry);

/** The active entry whose time comes first, of several the one added first. NULL: none. */
timer_entry_t *timer_service_first(const timer_service_t *service);
