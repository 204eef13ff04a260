/* FreeRTOS stream and message buffers, waited for in the kernel. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "freertos/stream_buffer.h"

#include <stdlib.h>
#include <string.h>

#include "linux/freertos_kernel.h"

typedef uint32_t message_length_t; /* in front of each message, as on a chip */

#define LENGTH_SIZE sizeof(message_length_t)

struct StreamBufferDef_t {
    pthread_cond_t room, news; /* somebody has received; has sent */
    BaseType_t type;
    bool is_static; /* its memory is the caller's */
    size_t size, trigger;
    size_t head, count; /* place of the oldest byte; bytes that are there */
    uint8_t *bytes;
};

_Static_assert(sizeof(struct StreamBufferDef_t) <= sizeof(StaticStreamBuffer_t),
               "it fits where programs keep one");
_Static_assert(_Alignof(struct StreamBufferDef_t) == _Alignof(StaticStreamBuffer_t), "and lies right there");

/** Somebody who waits, for so many bytes or so much room; lives on its stack. */
typedef struct {
    StreamBufferHandle_t buffer;
    size_t wanted;
} wait_t;

static bool holds_messages(StreamBufferHandle_t b)
{
    return b->type == sbTYPE_MESSAGE_BUFFER;
}

static bool is_possible(size_t size, size_t trigger, BaseType_t type)
{
    return type >= sbTYPE_STREAM_BUFFER && type <= sbTYPE_STREAM_BATCHING_BUFFER && trigger <= size &&
           size > (type == sbTYPE_MESSAGE_BUFFER ? LENGTH_SIZE : 0) && size < SIZE_MAX / 2;
}

static StreamBufferHandle_t init(StreamBufferHandle_t b, size_t size, size_t trigger, BaseType_t type)
{
    kernel_condition_init(&b->room);
    kernel_condition_init(&b->news);
    b->size = size;
    b->trigger = trigger > 0 ? trigger : 1;
    b->type = type;
    return b;
}

StreamBufferHandle_t xStreamBufferGenericCreate(size_t size, size_t trigger, BaseType_t type)
{
    StreamBufferHandle_t b = is_possible(size, trigger, type) ? calloc(1, sizeof(*b) + size) : NULL;
    if (b == NULL) {
        return NULL;
    }
    b->bytes = (uint8_t *)(b + 1);
    return init(b, size, trigger, type);
}

StreamBufferHandle_t xStreamBufferGenericCreateStatic(size_t size, size_t trigger, BaseType_t type,
                                                      uint8_t *storage, StaticStreamBuffer_t *buffer)
{
    if (storage == NULL || buffer == NULL || size == 0 || !is_possible(size - 1, trigger, type)) {
        return NULL;
    }
    StreamBufferHandle_t b = (StreamBufferHandle_t)(void *)buffer;
    memset(b, 0, sizeof(*b));
    b->is_static = true;
    b->bytes = storage;
    return init(b, size - 1, trigger, type);
}

void vStreamBufferDelete(StreamBufferHandle_t buffer)
{
    if (buffer == NULL) {
        return;
    }
    bool nobody_sends = kernel_condition_end(&buffer->room);
    bool nobody_receives = kernel_condition_end(&buffer->news);
    if (nobody_sends && nobody_receives && !buffer->is_static) {
        free(buffer);
    }
}

/** With the lock held, and room for them. */
static void put(StreamBufferHandle_t b, const void *bytes, size_t len)
{
    size_t at = (b->head + b->count) % b->size;
    size_t first = len < b->size - at ? len : b->size - at;
    memcpy(b->bytes + at, bytes, first);
    memcpy(b->bytes, (const uint8_t *)bytes + first, len - first);
    b->count += len;
}

/** With the lock held: bytes from `skip` on, which are there. */
static void look(StreamBufferHandle_t b, size_t skip, void *out, size_t len)
{
    size_t at = (b->head + skip) % b->size;
    size_t first = len < b->size - at ? len : b->size - at;
    memcpy(out, b->bytes + at, first);
    memcpy((uint8_t *)out + first, b->bytes, len - first);
}

static void drop(StreamBufferHandle_t b, size_t len)
{
    b->head = (b->head + len) % b->size;
    b->count -= len;
}

static bool has_room(const void *object)
{
    const wait_t *wait = object;
    return wait->buffer->size - wait->buffer->count >= wait->wanted;
}

static bool has_bytes(const void *object)
{
    const wait_t *wait = object;
    return wait->buffer->count >= wait->wanted;
}

/** With the lock held: waits, as the only one that does. */
static bool wait_alone(pthread_cond_t *changed, kernel_ready_t ready, const wait_t *wait, TickType_t ticks,
                       const char *function)
{
    bool alone = ticks == 0 || ready(wait) || !kernel_is_waited_for(changed);
    if (!alone) {
        kernel_unlock();
    }
    kernel_check(alone, function, "another task waits for this buffer");
    return kernel_wait(changed, ready, wait, ticks);
}

size_t xStreamBufferSend(StreamBufferHandle_t buffer, const void *data, size_t len, TickType_t wait)
{
    kernel_check(buffer != NULL && data != NULL, "xStreamBufferSend", "NULL");
    const bool whole = holds_messages(buffer);
    if (whole && len > buffer->size - LENGTH_SIZE) {
        return 0; /* it never fits */
    }
    size_t wanted = whole ? len + LENGTH_SIZE : len < buffer->size ? len : buffer->size;
    const wait_t mine = {buffer, wanted};
    kernel_lock();
    bool all = wait_alone(&buffer->room, has_room, &mine, wait, "xStreamBufferSend");
    size_t room = buffer->size - buffer->count, sent = 0;
    if (whole && all) {
        const message_length_t length = (message_length_t)len;
        put(buffer, &length, LENGTH_SIZE);
        sent = len;
    } else if (!whole) {
        sent = len < room ? len : room;
    }
    put(buffer, data, sent);
    pthread_cond_broadcast(&buffer->news);
    kernel_unlock();
    return sent;
}

/** With the lock held. @return 0: there is no message */
static size_t next_length(StreamBufferHandle_t b)
{
    message_length_t length = 0;
    if (holds_messages(b) && b->count > LENGTH_SIZE) {
        look(b, 0, &length, LENGTH_SIZE);
    }
    return length;
}

size_t xStreamBufferReceive(StreamBufferHandle_t buffer, void *data, size_t len, TickType_t wait)
{
    kernel_check(buffer != NULL && data != NULL, "xStreamBufferReceive", "NULL");
    const size_t head = holds_messages(buffer) ? LENGTH_SIZE : 0;
    kernel_lock();
    const bool is_empty = buffer->count <= head;
    const bool batches = buffer->type == sbTYPE_STREAM_BATCHING_BUFFER;
    const wait_t mine = {buffer, head > 0 ? head + 1 : is_empty || batches ? buffer->trigger : 1};
    (void)wait_alone(&buffer->news, has_bytes, &mine, wait, "xStreamBufferReceive");
    size_t there = head > 0 ? next_length(buffer) : buffer->count;
    size_t given = there < len ? there : head > 0 && there > len ? 0 : len;
    if (given > 0) {
        look(buffer, head, data, given);
        drop(buffer, head + given);
        pthread_cond_broadcast(&buffer->room);
    }
    kernel_unlock();
    return given;
}

size_t xStreamBufferNextMessageLengthBytes(StreamBufferHandle_t buffer)
{
    kernel_check(buffer != NULL, "xStreamBufferNextMessageLengthBytes", "NULL");
    kernel_lock();
    size_t length = next_length(buffer);
    kernel_unlock();
    return length;
}

size_t xStreamBufferBytesAvailable(StreamBufferHandle_t buffer)
{
    kernel_check(buffer != NULL, "xStreamBufferBytesAvailable", "NULL");
    kernel_lock();
    size_t count = buffer->count;
    kernel_unlock();
    return count;
}

size_t xStreamBufferSpacesAvailable(StreamBufferHandle_t buffer)
{
    return buffer->size - xStreamBufferBytesAvailable(buffer);
}

BaseType_t xStreamBufferIsEmpty(StreamBufferHandle_t buffer)
{
    return xStreamBufferBytesAvailable(buffer) == 0 ? pdTRUE : pdFALSE;
}

BaseType_t xStreamBufferIsFull(StreamBufferHandle_t buffer)
{
    size_t head = holds_messages(buffer) ? LENGTH_SIZE : 0;
    return xStreamBufferSpacesAvailable(buffer) <= head ? pdTRUE : pdFALSE;
}

BaseType_t xStreamBufferSetTriggerLevel(StreamBufferHandle_t buffer, size_t trigger)
{
    kernel_check(buffer != NULL, "xStreamBufferSetTriggerLevel", "NULL");
    bool may = trigger <= buffer->size;
    kernel_lock();
    if (may) {
        buffer->trigger = trigger > 0 ? trigger : 1;
    }
    kernel_unlock();
    return may ? pdTRUE : pdFALSE;
}

BaseType_t xStreamBufferReset(StreamBufferHandle_t buffer)
{
    kernel_check(buffer != NULL, "xStreamBufferReset", "NULL");
    kernel_lock();
    bool may = !kernel_is_waited_for(&buffer->room) && !kernel_is_waited_for(&buffer->news);
    if (may) {
        buffer->head = buffer->count = 0;
    }
    kernel_unlock();
    return may ? pdPASS : pdFAIL;
}

BaseType_t xStreamBufferGetStaticBuffers(StreamBufferHandle_t buffer, uint8_t **storage,
                                         StaticStreamBuffer_t **memory)
{
    kernel_check(buffer != NULL && storage != NULL && memory != NULL, "xStreamBufferGetStaticBuffers",
                 "NULL");
    if (!buffer->is_static) {
        return pdFALSE;
    }
    *storage = buffer->bytes;
    *memory = (StaticStreamBuffer_t *)(void *)buffer;
    return pdTRUE;
}
