/* The task of a timer service: sleeps until the first entry's time, or until something changes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/timer_service.h"

#include "otter/system.h"

#define SERVICE_STACK 4096

/** What the task waits for: a change since it looked. */
typedef struct {
    const timer_service_t *service;
    uint32_t seen;
} look_t;

static bool has_changed(const void *object)
{
    const look_t *look = object;
    return look->service->changes != look->seen;
}

static void change(timer_service_t *service)
{
    service->changes++;
    pthread_cond_broadcast(&service->changed);
}

static void unlink_entry(timer_service_t *service, timer_entry_t *entry)
{
    for (timer_entry_t **link = &service->entries; *link != NULL; link = &(*link)->next) {
        if (*link == entry) {
            *link = entry->next;
            return;
        }
    }
}

timer_entry_t *timer_service_first(const timer_service_t *service)
{
    timer_entry_t *first = NULL;
    for (timer_entry_t *entry = service->entries; entry != NULL; entry = entry->next) {
        if (entry->active && (first == NULL || entry->expires_us < first->expires_us)) {
            first = entry;
        }
    }
    return first;
}

/** The time after this one. One that is late by more than a period makes up for it call by call, or skips what it missed. */
static void set_next_time(timer_entry_t *entry, int64_t now)
{
    int64_t period = (int64_t)entry->period_us;
    if (period == 0) {
        entry->active = false;
    } else if (entry->skips && now - entry->expires_us > period) {
        entry->expires_us = now + period;
    } else {
        entry->expires_us += period;
    }
}

/** With the lock held, which is given back for the time of the call. */
static void call(timer_entry_t *entry)
{
    entry->in_call = true;
    kernel_unlock();
    entry->call(entry);
    kernel_lock();
    entry->in_call = false;
    if (entry->gone) {
        entry->drop(entry);
    }
}

static void serve(void *arg)
{
    timer_service_t *service = arg;
    kernel_lock();
    for (;;) {
        timer_entry_t *first = timer_service_first(service);
        int64_t now = otter_now_us();
        if (first != NULL && first->expires_us <= now) {
            set_next_time(first, now);
            call(first);
        } else {
            const look_t look = {service, service->changes};
            uint64_t wait = first != NULL ? (uint64_t)(first->expires_us - now) : UINT64_MAX;
            (void)kernel_wait_us(&service->changed, has_changed, &look, wait);
        }
    }
}

bool timer_service_start(timer_service_t *service)
{
    pthread_mutex_lock(&service->starting);
    if (service->task == NULL) {
        kernel_condition_init(&service->changed);
        (void)xTaskCreate(serve, service->task_name, SERVICE_STACK, service, service->task_priority,
                          &service->task); /* leaves NULL without memory */
    }
    bool started = service->task != NULL;
    pthread_mutex_unlock(&service->starting);
    return started;
}

void timer_service_add(timer_service_t *service, timer_entry_t *entry)
{
    timer_entry_t **link = &service->entries;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = entry;
}

void timer_service_set(timer_service_t *service, timer_entry_t *entry, uint64_t delay_us, uint64_t period_us)
{
    const uint64_t far = INT64_MAX / 4; /* thousands of years; keeps sums in range */
    entry->expires_us = otter_now_us() + (int64_t)(delay_us < far ? delay_us : far);
    entry->period_us = period_us < far ? period_us : far;
    entry->active = true;
    change(service);
}

void timer_service_clear(timer_service_t *service, timer_entry_t *entry)
{
    entry->active = false;
    change(service);
}

void timer_service_remove(timer_service_t *service, timer_entry_t *entry)
{
    timer_service_clear(service, entry);
    unlink_entry(service, entry);
    if (entry->in_call) {
        entry->gone = true;
    } else {
        entry->drop(entry);
    }
}
