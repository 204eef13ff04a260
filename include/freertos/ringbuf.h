/* ESP-IDF's ring buffers: items of any size, read where they lie, and given back. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct RingbufferDefinition *RingbufHandle_t;

typedef enum {
    RINGBUF_TYPE_NOSPLIT,    /* an item lies in one piece; what is left at the end may stay empty for that */
    RINGBUF_TYPE_ALLOWSPLIT, /* an item may be in two pieces */
    RINGBUF_TYPE_BYTEBUF,    /* bytes without borders */
    RINGBUF_TYPE_MAX,
} RingbufferType_t;
typedef RingbufferType_t ringbuf_type_t; /* in ESP-IDF 3 */

/** Room for a ring buffer besides its bytes. */
typedef struct {
    void *opaque[24];
} StaticRingbuffer_t;

/*
 * As on a chip an item takes 8 bytes more than its size, which is rounded up to 4; the first byte of a buffer is aligned for
 * any type. A caller that errs (NULL, a type that a call is not for, an item that was given back already) is a panic.
 */

/**
 * @param size  bytes, rounded up to 4 unless it is for bytes; above 0, for items at least 16
 * @return NULL: out of memory, or not such a size or type
 */
RingbufHandle_t xRingbufferCreate(size_t size, RingbufferType_t type);
/** For `count` items of one size. */
RingbufHandle_t xRingbufferCreateNoSplit(size_t item_size, size_t count);
/** The same in memory of the caller's, which lives until it is deleted. @param storage  `size` bytes, aligned to 4 */
RingbufHandle_t xRingbufferCreateStatic(size_t size, RingbufferType_t type, uint8_t *storage,
                                        StaticRingbuffer_t *buffer);
/** Tasks that wait for it wait on, until their time is up. NULL is fine. */
void vRingbufferDelete(RingbufHandle_t ringbuf);

/** Copy an item in, waiting for room at most `wait` ticks. @return pdTRUE, pdFALSE: time is up, or it is larger than may be */
BaseType_t xRingbufferSend(RingbufHandle_t ringbuf, const void *item, size_t size, TickType_t wait);

/** The same in two steps: room, to be filled by the caller, and the end of that. Of RINGBUF_TYPE_NOSPLIT only. */
BaseType_t xRingbufferSendAcquire(RingbufHandle_t ringbuf, void **item, size_t size, TickType_t wait);
/** @return pdTRUE */
BaseType_t xRingbufferSendComplete(RingbufHandle_t ringbuf, void *item);

/**
 * The oldest item, waiting for one at most `wait` ticks. It is the caller's until it is given back. Of bytes all up to the end
 * of the buffer, and none while some are still to be given back; of an item in two pieces the next piece.
 * @param size  its bytes; not written without one
 * @return NULL: time is up
 */
void *xRingbufferReceive(RingbufHandle_t ringbuf, size_t *size, TickType_t wait);

/** At most `max` bytes. Of RINGBUF_TYPE_BYTEBUF only. @return NULL: time is up, or max is 0 */
void *xRingbufferReceiveUpTo(RingbufHandle_t ringbuf, size_t *size, TickType_t wait, size_t max);

/**
 * Both pieces of an item, each to be given back. Of RINGBUF_TYPE_ALLOWSPLIT only.
 * @param tail  NULL is written if there is one piece; tail_size then is not
 * @return pdTRUE, pdFALSE: time is up, and nothing is written
 */
BaseType_t xRingbufferReceiveSplit(RingbufHandle_t ringbuf, void **head, void **tail, size_t *head_size,
                                   size_t *tail_size, TickType_t wait);

/** Gives back what was received, in any order. */
void vRingbufferReturnItem(RingbufHandle_t ringbuf, void *item);

/** The largest item that ever fits, and the largest that does now. */
size_t xRingbufferGetMaxItemSize(RingbufHandle_t ringbuf);
size_t xRingbufferGetCurFreeSize(RingbufHandle_t ringbuf);

/** @return pdFALSE: not in memory of the caller's */
BaseType_t xRingbufferGetStaticBuffer(RingbufHandle_t ringbuf, uint8_t **storage,
                                      StaticRingbuffer_t **buffer);

/** The offsets in the buffer where the next is given back, read, written and taken, and how many items (bytes) wait. */
void vRingbufferGetInfo(RingbufHandle_t ringbuf, UBaseType_t *free, UBaseType_t *read, UBaseType_t *write,
                        UBaseType_t *acquire, UBaseType_t *waiting);
/** The same on the console. */
void xRingbufferPrintInfo(RingbufHandle_t ringbuf);

/* A queue set may wait for items in a ring buffer, as long as nothing is in it when it is added or removed. */
/** @return pdTRUE, pdFALSE: it is not empty, or in a set */
BaseType_t xRingbufferAddToQueueSetRead(RingbufHandle_t ringbuf, QueueSetHandle_t set);
/** @return pdTRUE, pdFALSE: it is not empty, or not in this set */
BaseType_t xRingbufferRemoveFromQueueSetRead(RingbufHandle_t ringbuf, QueueSetHandle_t set);
/** pdTRUE: what xQueueSelectFromSet() has given is this. */
#define xRingbufferCanRead(ringbuf, member)                                                                  \
    ((QueueSetMemberHandle_t)(void *)(ringbuf) == (member) ? pdTRUE : pdFALSE)

/* There is one kind of memory. */
#define xRingbufferCreateWithCaps(size, type, caps) ((void)(caps), xRingbufferCreate((size), (type)))
#define vRingbufferDeleteWithCaps(ringbuf)          vRingbufferDelete(ringbuf)

/* From interrupts, of which there are none: the plain ones without waiting; `woken` stays as it is. */
#define xRingbufferSendFromISR(ringbuf, item, size, woken)                                                   \
    ((void)(woken), xRingbufferSend((ringbuf), (item), (size), 0))
#define xRingbufferReceiveFromISR(ringbuf, size)        xRingbufferReceive((ringbuf), (size), 0)
#define xRingbufferReceiveUpToFromISR(ringbuf, size, n) xRingbufferReceiveUpTo((ringbuf), (size), 0, (n))
#define xRingbufferReceiveSplitFromISR(ringbuf, head, tail, head_size, tail_size)                            \
    xRingbufferReceiveSplit((ringbuf), (head), (tail), (head_size), (tail_size), 0)
#define vRingbufferReturnItemFromISR(ringbuf, item, woken)                                                   \
    ((void)(woken), vRingbufferReturnItem((ringbuf), (item)))

#ifdef __cplusplus
}
#endif
