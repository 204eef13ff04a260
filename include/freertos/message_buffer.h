/* FreeRTOS message buffers: stream buffers in which each send is received as it was. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "freertos/stream_buffer.h"

typedef StreamBufferHandle_t MessageBufferHandle_t;
typedef StaticStreamBuffer_t StaticMessageBuffer_t;

/** @param size  bytes that it holds, 4 more for each message. @return NULL: out of memory, or size below 5 */
#define xMessageBufferCreate(size) xStreamBufferGenericCreate((size), 0, sbTYPE_MESSAGE_BUFFER)
#define xMessageBufferCreateStatic(size, storage, buffer)                                                    \
    xStreamBufferGenericCreateStatic((size), 0, sbTYPE_MESSAGE_BUFFER, (storage), (buffer))
#define xMessageBufferGetStaticBuffers(buffer, storage, memory)                                              \
    xStreamBufferGetStaticBuffers((buffer), (storage), (memory))
#define vMessageBufferDelete(buffer)                vStreamBufferDelete(buffer)
#define xMessageBufferSend(buffer, data, len, wait) xStreamBufferSend((buffer), (data), (len), (wait))
#define xMessageBufferSendFromISR(buffer, data, len, woken)                                                  \
    xStreamBufferSendFromISR((buffer), (data), (len), woken)
#define xMessageBufferReceive(buffer, data, len, wait) xStreamBufferReceive((buffer), (data), (len), (wait))
#define xMessageBufferReceiveFromISR(buffer, data, len, woken)                                               \
    xStreamBufferReceiveFromISR((buffer), (data), (len), woken)
#define xMessageBufferIsFull(buffer)                      xStreamBufferIsFull(buffer)
#define xMessageBufferIsEmpty(buffer)                     xStreamBufferIsEmpty(buffer)
#define xMessageBufferReset(buffer)                       xStreamBufferReset(buffer)
#define xMessageBufferResetFromISR(buffer)                xStreamBufferReset(buffer)
#define xMessageBufferSpaceAvailable(buffer)              xStreamBufferSpacesAvailable(buffer)
#define xMessageBufferSpacesAvailable(buffer)             xStreamBufferSpacesAvailable(buffer)
#define xMessageBufferNextLengthBytes(buffer)             xStreamBufferNextMessageLengthBytes(buffer)
#define xMessageBufferSendCompletedFromISR(buffer, woken) xStreamBufferSendCompletedFromISR((buffer), (woken))
#define xMessageBufferReceiveCompletedFromISR(buffer, woken)                                                 \
    xStreamBufferReceiveCompletedFromISR((buffer), (woken))
