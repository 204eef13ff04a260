/* FreeRTOS timers on a timer service; a function that is to be called by its task is a timer that is due at once. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "freertos/timers.h"

#include <stdlib.h>
#include <string.h>

#include "linux/timer_service.h"

struct tmrTimerControl {
    timer_entry_t entry;
    const char *name;
    TickType_t period;
    bool reload;
    bool is_static; /* its memory is the caller's */
    void *id;
    TimerCallbackFunction_t callback;
};

_Static_assert(sizeof(struct tmrTimerControl) <= sizeof(StaticTimer_t), "it fits where programs keep one");
_Static_assert(_Alignof(struct tmrTimerControl) == _Alignof(StaticTimer_t), "and lies right there");

typedef struct {
    timer_entry_t entry;
    PendedFunction_t function;
    void *arg;
    uint32_t number;
} pended_t;

static timer_service_t service = TIMER_SERVICE("Tmr Svc", 1);

static TimerHandle_t timer_of(timer_entry_t *entry)
{
    return (TimerHandle_t)(void *)entry; /* its first member */
}

static void call(timer_entry_t *entry)
{
    TimerHandle_t timer = timer_of(entry);
    timer->callback(timer);
}

static void drop(timer_entry_t *entry)
{
    if (!timer_of(entry)->is_static) {
        free(entry);
    }
}

static TimerHandle_t init_timer(TimerHandle_t timer, const char *name, TickType_t period, BaseType_t reload,
                                void *id, TimerCallbackFunction_t callback)
{
    timer->entry.call = call;
    timer->entry.drop = drop;
    timer->name = name;
    timer->period = period;
    timer->reload = reload != pdFALSE;
    timer->id = id;
    timer->callback = callback;
    kernel_lock();
    timer_service_add(&service, &timer->entry);
    kernel_unlock();
    return timer;
}

TimerHandle_t xTimerCreate(const char *name, TickType_t period, BaseType_t reload, void *id,
                           TimerCallbackFunction_t callback)
{
    bool usable = period > 0 && callback != NULL && timer_service_start(&service);
    TimerHandle_t timer = usable ? calloc(1, sizeof(*timer)) : NULL;
    return timer != NULL ? init_timer(timer, name, period, reload, id, callback) : NULL;
}

TimerHandle_t xTimerCreateStatic(const char *name, TickType_t period, BaseType_t reload, void *id,
                                 TimerCallbackFunction_t callback, StaticTimer_t *buffer)
{
    if (buffer == NULL || period == 0 || callback == NULL || !timer_service_start(&service)) {
        return NULL;
    }
    TimerHandle_t timer = (TimerHandle_t)(void *)buffer;
    memset(timer, 0, sizeof(*timer));
    timer->is_static = true;
    return init_timer(timer, name, period, reload, id, callback);
}

/** With the lock held. */
static void start(TimerHandle_t timer)
{
    uint64_t us = kernel_us_of_ticks(timer->period);
    timer_service_set(&service, &timer->entry, us, timer->reload ? us : 0);
}

BaseType_t xTimerStart(TimerHandle_t timer, TickType_t wait)
{
    (void)wait;
    kernel_lock();
    start(timer);
    kernel_unlock();
    return pdPASS;
}

BaseType_t xTimerStop(TimerHandle_t timer, TickType_t wait)
{
    (void)wait;
    kernel_lock();
    timer_service_clear(&service, &timer->entry);
    kernel_unlock();
    return pdPASS;
}

BaseType_t xTimerChangePeriod(TimerHandle_t timer, TickType_t period, TickType_t wait)
{
    (void)wait;
    if (period == 0) {
        return pdFAIL;
    }
    kernel_lock();
    timer->period = period;
    start(timer);
    kernel_unlock();
    return pdPASS;
}

BaseType_t xTimerDelete(TimerHandle_t timer, TickType_t wait)
{
    (void)wait;
    kernel_lock();
    timer_service_remove(&service, &timer->entry);
    kernel_unlock();
    return pdPASS;
}

BaseType_t xTimerIsTimerActive(TimerHandle_t timer)
{
    kernel_lock();
    bool active = timer->entry.active;
    kernel_unlock();
    return active ? pdTRUE : pdFALSE;
}

void *pvTimerGetTimerID(TimerHandle_t timer)
{
    kernel_lock();
    void *id = timer->id;
    kernel_unlock();
    return id;
}

void vTimerSetTimerID(TimerHandle_t timer, void *id)
{
    kernel_lock();
    timer->id = id;
    kernel_unlock();
}

const char *pcTimerGetName(TimerHandle_t timer)
{
    return timer->name;
}

TickType_t xTimerGetPeriod(TimerHandle_t timer)
{
    kernel_lock();
    TickType_t period = timer->period;
    kernel_unlock();
    return period;
}

TickType_t xTimerGetExpiryTime(TimerHandle_t timer)
{
    kernel_lock();
    uint64_t us = (uint64_t)timer->entry.expires_us;
    kernel_unlock();
    return (TickType_t)(us / 1000000 * configTICK_RATE_HZ + us % 1000000 * configTICK_RATE_HZ / 1000000);
}

void vTimerSetReloadMode(TimerHandle_t timer, BaseType_t reload)
{
    kernel_lock();
    timer->reload = reload != pdFALSE;
    timer->entry.period_us = timer->reload ? kernel_us_of_ticks(timer->period) : 0;
    kernel_unlock();
}

BaseType_t xTimerGetReloadMode(TimerHandle_t timer)
{
    kernel_lock();
    bool reload = timer->reload;
    kernel_unlock();
    return reload ? pdTRUE : pdFALSE;
}

UBaseType_t uxTimerGetReloadMode(TimerHandle_t timer)
{
    return (UBaseType_t)xTimerGetReloadMode(timer);
}

TaskHandle_t xTimerGetTimerDaemonTaskHandle(void)
{
    pthread_mutex_lock(&service.starting);
    TaskHandle_t task = service.task;
    pthread_mutex_unlock(&service.starting);
    return task;
}

/** A timer that is called once and then freed. */
static void call_pended(timer_entry_t *entry)
{
    const pended_t *pended = (const pended_t *)(const void *)entry;
    pended->function(pended->arg, pended->number);
    kernel_lock();
    timer_service_remove(&service, entry);
    kernel_unlock();
}

static void drop_pended(timer_entry_t *entry)
{
    free(entry);
}

BaseType_t xTimerPendFunctionCall(PendedFunction_t function, void *arg, uint32_t number, TickType_t wait)
{
    (void)wait;
    pended_t *pended = timer_service_start(&service) ? calloc(1, sizeof(*pended)) : NULL;
    if (pended == NULL) {
        return pdFAIL;
    }
    *pended = (pended_t){.entry = {.call = call_pended, .drop = drop_pended},
                         .function = function,
                         .arg = arg,
                         .number = number};
    kernel_lock();
    timer_service_add(&service, &pended->entry);
    timer_service_set(&service, &pended->entry, 0, 0);
    kernel_unlock();
    return pdPASS;
}
