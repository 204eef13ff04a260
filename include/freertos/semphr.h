/* FreeRTOS semaphores: queues whose items have no content, as in FreeRTOS itself. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "freertos/queue.h"
#include "freertos/task.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef QueueHandle_t SemaphoreHandle_t;
typedef StaticQueue_t StaticSemaphore_t;

/** Created empty (not given). All creators return NULL when out of memory. */
SemaphoreHandle_t xSemaphoreCreateBinary(void);
SemaphoreHandle_t xSemaphoreCreateCounting(UBaseType_t max, UBaseType_t initial);

/** A mutex belongs to the task that took it: only that one can give it. */
SemaphoreHandle_t xSemaphoreCreateMutex(void);
SemaphoreHandle_t xSemaphoreCreateRecursiveMutex(void);

/** The same in memory of the caller's, which lives until they are deleted. @return NULL: buffer is NULL, or wrong counts */
SemaphoreHandle_t xSemaphoreCreateBinaryStatic(StaticSemaphore_t *buffer);
SemaphoreHandle_t xSemaphoreCreateCountingStatic(UBaseType_t max, UBaseType_t initial,
                                                 StaticSemaphore_t *buffer);
SemaphoreHandle_t xSemaphoreCreateMutexStatic(StaticSemaphore_t *buffer);
SemaphoreHandle_t xSemaphoreCreateRecursiveMutexStatic(StaticSemaphore_t *buffer);

#define vSemaphoreDelete(semaphore) vQueueDelete(semaphore)

/** An old name: creates a binary semaphore that is given. */
#define vSemaphoreCreateBinary(semaphore) ((void)((semaphore) = xSemaphoreCreateCounting(1, 1)))

/** @return pdTRUE; Take: pdFALSE if `wait` ticks passed; Give: pdFALSE if it is full or a mutex of another task */
BaseType_t xSemaphoreTake(SemaphoreHandle_t semaphore, TickType_t wait);
BaseType_t xSemaphoreGive(SemaphoreHandle_t semaphore);
BaseType_t xSemaphoreTakeRecursive(SemaphoreHandle_t mutex, TickType_t wait);
BaseType_t xSemaphoreGiveRecursive(SemaphoreHandle_t mutex);

/** The task that has a mutex; NULL: nobody, or not a task. It may be another one by the time this returns. */
TaskHandle_t xSemaphoreGetMutexHolder(SemaphoreHandle_t mutex);

#define uxSemaphoreGetCount(semaphore) uxQueueMessagesWaiting(semaphore)

/* From interrupts, of which there are none: the plain ones without waiting; `woken` stays as it is. */
#define xSemaphoreGiveFromISR(semaphore, woken) ((void)(woken), xSemaphoreGive(semaphore))
#define xSemaphoreTakeFromISR(semaphore, woken) ((void)(woken), xSemaphoreTake((semaphore), 0))
#define xSemaphoreGetMutexHolderFromISR(mutex)  xSemaphoreGetMutexHolder(mutex)
#define uxSemaphoreGetCountFromISR(semaphore)   uxQueueMessagesWaiting(semaphore)

#ifdef __cplusplus
}
#endif
