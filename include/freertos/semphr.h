/* FreeRTOS semaphores: queues whose items have no content, as in FreeRTOS itself. */
#pragma once

#include "freertos/queue.h"
#include "freertos/task.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef QueueHandle_t SemaphoreHandle_t;

/** Created empty (not given). All creators return NULL when out of memory. */
SemaphoreHandle_t xSemaphoreCreateBinary(void);
SemaphoreHandle_t xSemaphoreCreateCounting(UBaseType_t max, UBaseType_t initial);

/** A mutex belongs to the task that took it: only that one can give it. */
SemaphoreHandle_t xSemaphoreCreateMutex(void);
SemaphoreHandle_t xSemaphoreCreateRecursiveMutex(void);

#define vSemaphoreDelete(semaphore) vQueueDelete(semaphore)

/** @return pdTRUE; Take: pdFALSE if `wait` ticks passed; Give: pdFALSE if it is full or a mutex of another task */
BaseType_t xSemaphoreTake(SemaphoreHandle_t semaphore, TickType_t wait);
BaseType_t xSemaphoreGive(SemaphoreHandle_t semaphore);
BaseType_t xSemaphoreTakeRecursive(SemaphoreHandle_t mutex, TickType_t wait);
BaseType_t xSemaphoreGiveRecursive(SemaphoreHandle_t mutex);

#define uxSemaphoreGetCount(semaphore) uxQueueMessagesWaiting(semaphore)

#ifdef __cplusplus
}
#endif
