/* FreeRTOS stream buffers: bytes from one task to another. Messages in them: freertos/message_buffer.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "freertos/portmacro.h"
#include "freertos/projdefs.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct StreamBufferDef_t *StreamBufferHandle_t;

/** Room for a stream buffer besides its bytes. */
typedef struct {
    void *opaque[24];
} StaticStreamBuffer_t;

#define sbTYPE_STREAM_BUFFER          ((BaseType_t)0)
#define sbTYPE_MESSAGE_BUFFER         ((BaseType_t)1)
#define sbTYPE_STREAM_BATCHING_BUFFER ((BaseType_t)2)

/* One task sends and one receives at a time: a second one that has to wait is a panic, as is NULL where something must be. */

/**
 * @param size     bytes that it holds, above 0
 * @param trigger  so many must be there to end a wait for bytes, up to `size`; 0 is 1
 * @return NULL: out of memory, or not such numbers or type
 */
StreamBufferHandle_t xStreamBufferGenericCreate(size_t size, size_t trigger, BaseType_t type);
#define xStreamBufferCreate(size, trigger) xStreamBufferGenericCreate((size), (trigger), sbTYPE_STREAM_BUFFER)
/** A reader waits for `trigger` bytes also while some are there. */
#define xStreamBatchingBufferCreate(size, trigger)                                                           \
    xStreamBufferGenericCreate((size), (trigger), sbTYPE_STREAM_BATCHING_BUFFER)

/**
 * The same in memory of the caller's, which lives until it is deleted.
 * @param size     bytes of `storage`, above 1; it holds one less
 */
StreamBufferHandle_t xStreamBufferGenericCreateStatic(size_t size, size_t trigger, BaseType_t type,
                                                      uint8_t *storage, StaticStreamBuffer_t *buffer);
#define xStreamBufferCreateStatic(size, trigger, storage, buffer)                                            \
    xStreamBufferGenericCreateStatic((size), (trigger), sbTYPE_STREAM_BUFFER, (storage), (buffer))
#define xStreamBatchingBufferCreateStatic(size, trigger, storage, buffer)                                    \
    xStreamBufferGenericCreateStatic((size), (trigger), sbTYPE_STREAM_BATCHING_BUFFER, (storage), (buffer))

/** A task that waits for it waits on, until its time is up. NULL is fine. */
void vStreamBufferDelete(StreamBufferHandle_t buffer);

/**
 * Copy bytes in. Waits at most `wait` ticks for room for all of them, or as much as there can be; then takes what fits. A
 * message fits whole or not at all, and one that never can is not waited for.
 * @return bytes that were taken
 */
size_t xStreamBufferSend(StreamBufferHandle_t buffer, const void *data, size_t len, TickType_t wait);

/**
 * Copy bytes out. Where there are none, waits at most `wait` ticks for `trigger` of them; then gives what is there. A message is
 * given whole, and stays where it is when it is longer than `len`.
 * @return bytes that were given
 */
size_t xStreamBufferReceive(StreamBufferHandle_t buffer, void *data, size_t len, TickType_t wait);

/** Bytes of the next message, 0: there is none, or it is no buffer of messages. */
size_t xStreamBufferNextMessageLengthBytes(StreamBufferHandle_t buffer);

/** Of a buffer of messages with 4 bytes for each of them. */
size_t xStreamBufferBytesAvailable(StreamBufferHandle_t buffer);
size_t xStreamBufferSpacesAvailable(StreamBufferHandle_t buffer);
BaseType_t xStreamBufferIsEmpty(StreamBufferHandle_t buffer);
/** pdTRUE: not a byte fits, or not a message of one. */
BaseType_t xStreamBufferIsFull(StreamBufferHandle_t buffer);

/** @return pdTRUE, pdFALSE: more than it holds */
BaseType_t xStreamBufferSetTriggerLevel(StreamBufferHandle_t buffer, size_t trigger);

/** Drops all bytes. @return pdPASS, pdFAIL: a task waits for it */
BaseType_t xStreamBufferReset(StreamBufferHandle_t buffer);

/** @return pdFALSE: not in memory of the caller's */
BaseType_t xStreamBufferGetStaticBuffers(StreamBufferHandle_t buffer, uint8_t **storage,
                                         StaticStreamBuffer_t **memory);

/* From interrupts, of which there are none: the plain ones without waiting; `woken` stays as it is. */
#define xStreamBufferSendFromISR(buffer, data, len, woken)                                                   \
    ((void)(woken), xStreamBufferSend((buffer), (data), (len), 0))
#define xStreamBufferReceiveFromISR(buffer, data, len, woken)                                                \
    ((void)(woken), xStreamBufferReceive((buffer), (data), (len), 0))
#define xStreamBufferResetFromISR(buffer)                   xStreamBufferReset(buffer)
#define xStreamBufferSendCompletedFromISR(buffer, woken)    ((void)(woken), (void)(buffer), pdFALSE)
#define xStreamBufferReceiveCompletedFromISR(buffer, woken) ((void)(woken), (void)(buffer), pdFALSE)

#ifdef __cplusplus
}
#endif
