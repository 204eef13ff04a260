/* FreeRTOS event groups: 24 flags that tasks set, clear and wait for. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "freertos/portmacro.h"
#include "freertos/projdefs.h"
#include "freertos/timers.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct EventGroupDef_t *EventGroupHandle_t;
typedef TickType_t EventBits_t; /* the low 24 bits */

/** @return NULL when out of memory */
EventGroupHandle_t xEventGroupCreate(void);

/** Room for an event group. */
typedef struct {
    void *opaque[16];
} StaticEventGroup_t;

/** The same in memory of the caller's, which lives until the group is deleted. @return NULL: buffer is NULL */
EventGroupHandle_t xEventGroupCreateStatic(StaticEventGroup_t *buffer);

/** Tasks that wait for it get 0. NULL is fine. */
void vEventGroupDelete(EventGroupHandle_t group);

/** @return the flags afterwards; a task that was waiting may already have cleared some */
EventBits_t xEventGroupSetBits(EventGroupHandle_t group, EventBits_t bits);

/** @return the flags before */
EventBits_t xEventGroupClearBits(EventGroupHandle_t group, EventBits_t bits);

/**
 * Wait for any (wait_for_all pdFALSE) or all of `bits`, at most `wait` ticks.
 * @param clear_on_exit  pdTRUE: `bits` are cleared when the wait was answered
 * @return the flags as they were when the wait ended, before clearing
 */
EventBits_t xEventGroupWaitBits(EventGroupHandle_t group, EventBits_t bits, BaseType_t clear_on_exit,
                                BaseType_t wait_for_all, TickType_t ticks);

/**
 * Meet other tasks: set `set`, then wait for all of `bits`, which are cleared when all are there.
 * @return the flags as they were when the wait ended, before clearing
 */
EventBits_t xEventGroupSync(EventGroupHandle_t group, EventBits_t set, EventBits_t bits, TickType_t ticks);

EventBits_t xEventGroupGetBits(EventGroupHandle_t group);

/* From interrupts, of which there are none: the plain ones; `woken` stays as it is. */
/** @return pdPASS */
BaseType_t xEventGroupSetBitsFromISR(EventGroupHandle_t group, EventBits_t bits, BaseType_t *woken);
BaseType_t xEventGroupClearBitsFromISR(EventGroupHandle_t group, EventBits_t bits);
#define xEventGroupGetBitsFromISR(group) xEventGroupGetBits(group)

#ifdef __cplusplus
}
#endif
