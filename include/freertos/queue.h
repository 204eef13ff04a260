/* FreeRTOS queues: a fixed number of items of one size, copied in and out; and sets of queues, waited for together. */
/* SPDX-License-Identifier: Apache-2.0 */
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

/** Room for what a queue or semaphore needs besides its items. */
typedef struct {
    void *opaque[24];
} StaticQueue_t;

/**
 * The same in memory of the caller's, which lives until the queue is deleted.
 * @param storage  length * item_size bytes; NULL if item_size is 0
 * @return NULL: buffer, or storage that is needed, is NULL; or length is 0
 */
QueueHandle_t xQueueCreateStatic(UBaseType_t length, UBaseType_t item_size, uint8_t *storage,
                                 StaticQueue_t *buffer);

/** Tasks that wait for it wait on, until their time is up. NULL is fine. */
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

/* The registry of names is configured away, as in ESP-IDF. */
#define vQueueAddToRegistry(queue, name) ((void)(queue), (void)(name))
#define vQueueUnregisterQueue(queue)     ((void)(queue))
#define pcQueueGetName(queue)            ((void)(queue), (const char *)NULL)

/* What the macros of FreeRTOS end in, for programs that call it themselves. */
#define queueSEND_TO_BACK                  ((BaseType_t)0)
#define queueSEND_TO_FRONT                 ((BaseType_t)1)
#define queueOVERWRITE                     ((BaseType_t)2)
#define queueQUEUE_TYPE_BASE               ((uint8_t)0U)
#define queueQUEUE_TYPE_SET                ((uint8_t)0U)
#define queueQUEUE_TYPE_MUTEX              ((uint8_t)1U)
#define queueQUEUE_TYPE_COUNTING_SEMAPHORE ((uint8_t)2U)
#define queueQUEUE_TYPE_BINARY_SEMAPHORE   ((uint8_t)3U)
#define queueQUEUE_TYPE_RECURSIVE_MUTEX    ((uint8_t)4U)
/** @param position  queueSEND_TO_BACK and so on. @return as those */
BaseType_t xQueueGenericSend(QueueHandle_t queue, const void *item, TickType_t wait, BaseType_t position);
/** Of type BASE or SET. @return NULL also for another */
QueueHandle_t xQueueGenericCreate(UBaseType_t length, UBaseType_t item_size, uint8_t type);
#define xQueueGenericCreateStatic(length, item_size, storage, memory, type)                                  \
    ((void)(type), xQueueCreateStatic((length), (item_size), (storage), (memory)))
#define xQueueGenericReset(queue, is_new) ((void)(is_new), xQueueReset(queue))
#define xQueueGenericSendFromISR(queue, item, woken, position)                                               \
    ((void)(woken), xQueueGenericSend((queue), (item), 0, (position)))

/* ---- sets ---- */

typedef struct QueueDefinition *QueueSetHandle_t;
typedef struct QueueDefinition *QueueSetMemberHandle_t;

/** @param length  at least the lengths of all members together (1 for a mutex or binary semaphore). @return NULL: no memory */
QueueSetHandle_t xQueueCreateSet(UBaseType_t length);

/** A queue or semaphore, empty and in no set. @return pdPASS, pdFAIL */
BaseType_t xQueueAddToSet(QueueSetMemberHandle_t member, QueueSetHandle_t set);

/** The member must be empty. @return pdPASS, pdFAIL: it is not, or is no member */
BaseType_t xQueueRemoveFromSet(QueueSetMemberHandle_t member, QueueSetHandle_t set);

/** Waits for an item in any member; it is then received from that member, at once. @return NULL: time is up */
QueueSetMemberHandle_t xQueueSelectFromSet(QueueSetHandle_t set, TickType_t wait);

/* ---- from interrupts, of which there are none: the plain ones without waiting; `woken` stays as it is ---- */

#define xQueueSendFromISR(queue, item, woken)        ((void)(woken), xQueueSendToBack((queue), (item), 0))
#define xQueueSendToBackFromISR(queue, item, woken)  ((void)(woken), xQueueSendToBack((queue), (item), 0))
#define xQueueSendToFrontFromISR(queue, item, woken) ((void)(woken), xQueueSendToFront((queue), (item), 0))
#define xQueueOverwriteFromISR(queue, item, woken)   ((void)(woken), xQueueOverwrite((queue), (item)))
#define xQueueReceiveFromISR(queue, item, woken)     ((void)(woken), xQueueReceive((queue), (item), 0))
#define xQueuePeekFromISR(queue, item)               xQueuePeek((queue), (item), 0)
#define uxQueueMessagesWaitingFromISR(queue)         uxQueueMessagesWaiting(queue)
#define xQueueIsQueueEmptyFromISR(queue)             (uxQueueMessagesWaiting(queue) == 0 ? pdTRUE : pdFALSE)
#define xQueueIsQueueFullFromISR(queue)              (uxQueueSpacesAvailable(queue) == 0 ? pdTRUE : pdFALSE)
#define xQueueSelectFromSetFromISR(set)              xQueueSelectFromSet((set), 0)

#ifdef __cplusplus
}
#endif
