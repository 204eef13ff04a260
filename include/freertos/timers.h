/* FreeRTOS timers: callbacks after a number of ticks, once or again and again, one after the other by one task. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "freertos/portmacro.h"
#include "freertos/projdefs.h"
#include "freertos/task.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tmrTimerControl *TimerHandle_t;
typedef void (*TimerCallbackFunction_t)(TimerHandle_t timer); /* must not wait: other timers are late then */
typedef void (*PendedFunction_t)(void *arg, uint32_t number);

/** Room for a timer. */
typedef struct {
    void *opaque[24];
} StaticTimer_t;

/**
 * A timer that does not run yet.
 * @param name    not copied; may be NULL
 * @param period  ticks, above 0
 * @param reload  pdTRUE: again and again
 * @return NULL: period 0, no callback, no buffer, or out of memory
 */
TimerHandle_t xTimerCreate(const char *name, TickType_t period, BaseType_t reload, void *id,
                           TimerCallbackFunction_t callback);
TimerHandle_t xTimerCreateStatic(const char *name, TickType_t period, BaseType_t reload, void *id,
                                 TimerCallbackFunction_t callback, StaticTimer_t *buffer);

/** Starting one that runs begins its period anew. `wait` is not needed: nothing is queued. @return pdPASS */
BaseType_t xTimerStart(TimerHandle_t timer, TickType_t wait);
BaseType_t xTimerStop(TimerHandle_t timer, TickType_t wait);
#define xTimerReset(timer, wait) xTimerStart((timer), (wait))

/** Starts it, too. @return pdPASS, pdFAIL: period 0 */
BaseType_t xTimerChangePeriod(TimerHandle_t timer, TickType_t period, TickType_t wait);

/** Also in its own callback. @return pdPASS */
BaseType_t xTimerDelete(TimerHandle_t timer, TickType_t wait);

BaseType_t xTimerIsTimerActive(TimerHandle_t timer);
void *pvTimerGetTimerID(TimerHandle_t timer);
void vTimerSetTimerID(TimerHandle_t timer, void *id);
const char *pcTimerGetName(TimerHandle_t timer);
TickType_t xTimerGetPeriod(TimerHandle_t timer);
/** In ticks, as xTaskGetTickCount(); of no meaning for one that does not run. */
TickType_t xTimerGetExpiryTime(TimerHandle_t timer);
void vTimerSetReloadMode(TimerHandle_t timer, BaseType_t reload);
BaseType_t xTimerGetReloadMode(TimerHandle_t timer);
UBaseType_t uxTimerGetReloadMode(TimerHandle_t timer);

/** The task that calls; NULL before the first timer. */
TaskHandle_t xTimerGetTimerDaemonTaskHandle(void);

/** Let that task call a function. @return pdPASS, pdFAIL: out of memory */
BaseType_t xTimerPendFunctionCall(PendedFunction_t function, void *arg, uint32_t number, TickType_t wait);

/* From interrupts, of which there are none: the plain ones; `woken` stays as it is. */
#define xTimerStartFromISR(timer, woken) ((void)(woken), xTimerStart((timer), 0))
#define xTimerStopFromISR(timer, woken)  ((void)(woken), xTimerStop((timer), 0))
#define xTimerResetFromISR(timer, woken) ((void)(woken), xTimerReset((timer), 0))
#define xTimerChangePeriodFromISR(timer, period, woken)                                                      \
    ((void)(woken), xTimerChangePeriod((timer), (period), 0))
#define xTimerPendFunctionCallFromISR(function, arg, number, woken)                                          \
    ((void)(woken), xTimerPendFunctionCall((function), (arg), (number), 0))

#ifdef __cplusplus
}
#endif
