/* FreeRTOS queues and semaphores: one structure, waited for in the kernel. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "freertos/queue.h"

#include <stdlib.h>
#include <string.h>

#include "freertos/semphr.h"
#include "linux/freertos_kernel.h"

struct QueueDefinition {
    pthread_cond_t changed;
    UBaseType_t length, item_size, count, head; /* head: index of the oldest item */
    bool is_mutex;
    bool is_static;           /* its memory is the caller's */
    pthread_t holder;         /* of a mutex that is taken (count 0) */
    TaskHandle_t holder_task; /* the same, NULL: not a task */
    UBaseType_t depth;        /* how often its holder took a recursive mutex */
    QueueSetHandle_t set;     /* is told of each item that comes; NULL: none */
    uint8_t *items;
};

_Static_assert(sizeof(struct QueueDefinition) <= sizeof(StaticQueue_t),
               "a queue fits where ESP-IDF's programs keep one");
_Static_assert(_Alignof(struct QueueDefinition) == _Alignof(StaticQueue_t), "and lies right there");

static QueueHandle_t init_queue(QueueHandle_t queue, UBaseType_t length, UBaseType_t item_size,
                                UBaseType_t count)
{
    kernel_condition_init(&queue->changed);
    queue->length = length;
    queue->item_size = item_size;
    queue->count = count;
    return queue;
}

static QueueHandle_t new_queue(UBaseType_t length, UBaseType_t item_size, UBaseType_t count)
{
    if (length == 0 || (item_size != 0 && length > (SIZE_MAX / 2) / item_size)) {
        return NULL;
    }
    QueueHandle_t queue = calloc(1, sizeof(*queue) + (size_t)length * item_size);
    if (queue == NULL) {
        return NULL;
    }
    queue->items = (uint8_t *)(queue + 1);
    return init_queue(queue, length, item_size, count);
}

static QueueHandle_t static_queue(UBaseType_t length, UBaseType_t count, StaticQueue_t *buffer)
{
    if (length == 0 || buffer == NULL) {
        return NULL;
    }
    QueueHandle_t queue = (QueueHandle_t)(void *)buffer;
    memset(queue, 0, sizeof(*queue));
    queue->is_static = true;
    return init_queue(queue, length, 0, count);
}

QueueHandle_t xQueueCreate(UBaseType_t length, UBaseType_t item_size)
{
    return new_queue(length, item_size, 0);
}

QueueHandle_t xQueueCreateStatic(UBaseType_t length, UBaseType_t item_size, uint8_t *storage,
                                 StaticQueue_t *buffer)
{
    QueueHandle_t queue = item_size == 0 || storage != NULL ? static_queue(length, 0, buffer) : NULL;
    if (queue != NULL) {
        queue->item_size = item_size;
        queue->items = storage;
    }
    return queue;
}

void vQueueDelete(QueueHandle_t queue)
{
    if (queue != NULL && kernel_condition_end(&queue->changed) && !queue->is_static) {
        free(queue);
    }
}

static bool has_room(const void *object)
{
    QueueHandle_t queue = (QueueHandle_t)(uintptr_t)object;
    return queue->count < queue->length;
}

static bool has_items(const void *object)
{
    QueueHandle_t queue = (QueueHandle_t)(uintptr_t)object;
    return queue->count > 0;
}

static uint8_t *item_at(QueueHandle_t queue, UBaseType_t index)
{
    return queue->items + (size_t)((queue->head + index) % queue->length) * queue->item_size;
}

static void copy(void *to, const void *from, size_t size)
{
    if (size > 0) { /* a semaphore has no bytes and passes NULL */
        memcpy(to, from, size);
    }
}

void queue_set_tell(QueueSetHandle_t set, QueueSetMemberHandle_t member)
{
    if (set->count < set->length) { /* one that is full was made too short */
        memcpy(item_at(set, set->count), &member, sizeof(member));
        set->count++;
        pthread_cond_broadcast(&set->changed);
    }
}

/** With the lock held: one more item is in the queue. */
static void announce(QueueHandle_t queue)
{
    pthread_cond_broadcast(&queue->changed);
    if (queue->set != NULL) {
        queue_set_tell(queue->set, queue);
    }
}

static BaseType_t send(QueueHandle_t queue, const void *item, TickType_t wait, bool to_front)
{
    kernel_lock();
    bool room = kernel_wait(&queue->changed, has_room, queue, wait);
    if (room) {
        if (to_front) {
            queue->head = (queue->head + queue->length - 1) % queue->length;
        }
        copy(item_at(queue, to_front ? 0 : queue->count), item, queue->item_size);
        queue->count++;
        announce(queue);
    }
    kernel_unlock();
    return room ? pdTRUE : errQUEUE_FULL;
}

BaseType_t xQueueSendToBack(QueueHandle_t queue, const void *item, TickType_t wait)
{
    return send(queue, item, wait, false);
}

BaseType_t xQueueSendToFront(QueueHandle_t queue, const void *item, TickType_t wait)
{
    return send(queue, item, wait, true);
}

BaseType_t xQueueOverwrite(QueueHandle_t queue, const void *item)
{
    kernel_lock();
    bool was_empty = queue->count == 0;
    queue->count = 1;
    copy(item_at(queue, 0), item, queue->item_size);
    if (was_empty) {
        announce(queue);
    }
    kernel_unlock();
    return pdTRUE;
}

BaseType_t xQueueGenericSend(QueueHandle_t queue, const void *item, TickType_t wait, BaseType_t position)
{
    return position == queueOVERWRITE ? xQueueOverwrite(queue, item)
                                      : send(queue, item, wait, position == queueSEND_TO_FRONT);
}

QueueHandle_t xQueueGenericCreate(UBaseType_t length, UBaseType_t item_size, uint8_t type)
{
    return type == queueQUEUE_TYPE_BASE ? xQueueCreate(length, item_size) : NULL;
}

static BaseType_t receive(QueueHandle_t queue, void *item, TickType_t wait, bool keep)
{
    kernel_lock();
    bool there = kernel_wait(&queue->changed, has_items, queue, wait);
    if (there) {
        copy(item, item_at(queue, 0), queue->item_size);
    }
    if (there && !keep) {
        queue->head = (queue->head + 1) % queue->length;
        queue->count--;
        pthread_cond_broadcast(&queue->changed);
    }
    kernel_unlock();
    return there ? pdTRUE : errQUEUE_EMPTY;
}

BaseType_t xQueueReceive(QueueHandle_t queue, void *item, TickType_t wait)
{
    return receive(queue, item, wait, false);
}

BaseType_t xQueuePeek(QueueHandle_t queue, void *item, TickType_t wait)
{
    return receive(queue, item, wait, true);
}

UBaseType_t uxQueueMessagesWaiting(QueueHandle_t queue)
{
    kernel_lock();
    UBaseType_t count = queue->count;
    kernel_unlock();
    return count;
}

UBaseType_t uxQueueSpacesAvailable(QueueHandle_t queue)
{
    return queue->length - uxQueueMessagesWaiting(queue);
}

BaseType_t xQueueReset(QueueHandle_t queue)
{
    kernel_lock();
    queue->count = 0;
    queue->head = 0;
    pthread_cond_broadcast(&queue->changed);
    kernel_unlock();
    return pdPASS;
}

SemaphoreHandle_t xSemaphoreCreateBinary(void)
{
    return new_queue(1, 0, 0);
}

SemaphoreHandle_t xSemaphoreCreateCounting(UBaseType_t max, UBaseType_t initial)
{
    return initial <= max ? new_queue(max, 0, initial) : NULL;
}

static SemaphoreHandle_t as_mutex(QueueHandle_t queue)
{
    if (queue != NULL) {
        queue->is_mutex = true;
    }
    return queue;
}

SemaphoreHandle_t xSemaphoreCreateMutex(void)
{
    return as_mutex(new_queue(1, 0, 1));
}

SemaphoreHandle_t xSemaphoreCreateBinaryStatic(StaticSemaphore_t *buffer)
{
    return static_queue(1, 0, buffer);
}

SemaphoreHandle_t xSemaphoreCreateCountingStatic(UBaseType_t max, UBaseType_t initial,
                                                 StaticSemaphore_t *buffer)
{
    return initial <= max ? static_queue(max, initial, buffer) : NULL;
}

SemaphoreHandle_t xSemaphoreCreateMutexStatic(StaticSemaphore_t *buffer)
{
    return as_mutex(static_queue(1, 1, buffer));
}

SemaphoreHandle_t xSemaphoreCreateRecursiveMutexStatic(StaticSemaphore_t *buffer)
{
    return xSemaphoreCreateMutexStatic(buffer);
}

SemaphoreHandle_t xSemaphoreCreateRecursiveMutex(void)
{
    return xSemaphoreCreateMutex();
}

/** With the lock held. */
static bool is_held_by_caller(SemaphoreHandle_t mutex)
{
    return mutex->is_mutex && mutex->count == 0 && pthread_equal(mutex->holder, pthread_self());
}

BaseType_t xSemaphoreTake(SemaphoreHandle_t semaphore, TickType_t wait)
{
    kernel_lock();
    bool taken = kernel_wait(&semaphore->changed, has_items, semaphore, wait);
    if (taken) {
        semaphore->count--;
        semaphore->holder = pthread_self();
        semaphore->holder_task = kernel_current();
        semaphore->depth = 1;
    }
    kernel_unlock();
    return taken ? pdTRUE : pdFALSE;
}

BaseType_t xSemaphoreGive(SemaphoreHandle_t semaphore)
{
    kernel_lock();
    bool may = semaphore->is_mutex ? is_held_by_caller(semaphore) : has_room(semaphore);
    if (may) {
        semaphore->count++;
        announce(semaphore);
    }
    kernel_unlock();
    return may ? pdTRUE : pdFALSE;
}

BaseType_t xSemaphoreTakeRecursive(SemaphoreHandle_t mutex, TickType_t wait)
{
    kernel_lock();
    bool again = is_held_by_caller(mutex);
    if (again) {
        mutex->depth++;
    }
    kernel_unlock();
    return again ? pdTRUE : xSemaphoreTake(mutex, wait);
}

BaseType_t xSemaphoreGiveRecursive(SemaphoreHandle_t mutex)
{
    kernel_lock();
    bool held = is_held_by_caller(mutex);
    bool deeper = held && mutex->depth > 1;
    if (deeper) {
        mutex->depth--;
    }
    kernel_unlock();
    return deeper ? pdTRUE : xSemaphoreGive(mutex);
}

TaskHandle_t xSemaphoreGetMutexHolder(SemaphoreHandle_t mutex)
{
    kernel_lock();
    TaskHandle_t holder = mutex->is_mutex && mutex->count == 0 ? mutex->holder_task : NULL;
    kernel_unlock();
    return holder;
}

QueueSetHandle_t xQueueCreateSet(UBaseType_t length)
{
    return new_queue(length, sizeof(QueueSetMemberHandle_t), 0);
}

BaseType_t xQueueAddToSet(QueueSetMemberHandle_t member, QueueSetHandle_t set)
{
    kernel_lock();
    bool may = member->set == NULL && member->count == 0;
    if (may) {
        member->set = set;
    }
    kernel_unlock();
    return may ? pdPASS : pdFAIL;
}

BaseType_t xQueueRemoveFromSet(QueueSetMemberHandle_t member, QueueSetHandle_t set)
{
    kernel_lock();
    bool may = member->set == set && member->count == 0;
    if (may) {
        member->set = NULL;
    }
    kernel_unlock();
    return may ? pdPASS : pdFAIL;
}

QueueSetMemberHandle_t xQueueSelectFromSet(QueueSetHandle_t set, TickType_t wait)
{
    QueueSetMemberHandle_t member = NULL;
    (void)xQueueReceive(set, &member, wait); /* leaves NULL when time is up */
    return member;
}
