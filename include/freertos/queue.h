/* FreeRTOS queues: a fixed number of items of one size, copied in and out. */
#pragma once

#include "freertos/portmacro.h"
#include "freertos/projdefs.h"
#include "freertos/task.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct QueueDefinition *QueueHandle_t;

/** @return NULL when out of memory or length is 0 */
QueueHandle_t xQueueCreate(UBaseType_t length, UBaseType_t item_size);

/** No task may be waiting for it. */
void vQueueDelete(QueueHandle_t queue);

/** Copy an item in, waiting for room at most `wait` ticks. @return pdTRUE, errQUEUE_FULL */
BaseType_t xQueueSendToBack(QueueHandle_t queue, const void *item, TickType_t wait);
BaseType_t xQueueSendToFront(QueueHandle_t queue, const void *item, TickType_t wait);
#define xQueueSend(queue, item, wait) xQueueSendToBack((queue), (item), (wait))

/** For a queue of length 1: replaces what is in it. @return pdTRUE */
BaseType_t xQueueOverwrite(QueueHandle_t queue, const void *item);

/** Copy the oldest item out (Peek: leaves it there), waiting at most `wait` ticks. @return pdTRUE, errQUEUE_EMPTY */
BaseType_t xQueueReceive(QueueHandle_t queue, void *item, TickType_t wait);
BaseType_t xQueuePeek(QueueHandle_t queue, void *item, TickType_t wait);

UBaseType_t uxQueueMessagesWaiting(QueueHandle_t queue);
UBaseType_t uxQueueSpacesAvailable(QueueHandle_t queue);

/** Drops all items. @return pdPASS */
BaseType_t xQueueReset(QueueHandle_t queue);

#ifdef __cplusplus
}
#endif
