/* ESP-IDF's additions to FreeRTOS: objects in memory of a kind that is asked for. There is one kind here. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_heap_caps.h"
#include "freertos/event_groups.h"
#include "freertos/message_buffer.h"
#include "freertos/queue.h"
#include "freertos/semphr.h"
#include "freertos/stream_buffer.h"
#include "freertos/task.h"

#define xTaskCreateWithCaps(function, name, stack_bytes, arg, priority, out, caps)                           \
    ((void)(caps), xTaskCreate((function), (name), (stack_bytes), (arg), (priority), (out)))
#define xTaskCreatePinnedToCoreWithCaps(function, name, stack_bytes, arg, priority, out, core, caps)         \
    ((void)(caps),                                                                                           \
     xTaskCreatePinnedToCore((function), (name), (stack_bytes), (arg), (priority), (out), (core)))
#define vTaskDeleteWithCaps(task) vTaskDelete(task)

#define xQueueCreateWithCaps(length, item_size, caps) ((void)(caps), xQueueCreate((length), (item_size)))
#define vQueueDeleteWithCaps(queue)                   vQueueDelete(queue)

#define xSemaphoreCreateBinaryWithCaps(caps) ((void)(caps), xSemaphoreCreateBinary())
#define xSemaphoreCreateCountingWithCaps(max, initial, caps)                                                 \
    ((void)(caps), xSemaphoreCreateCounting((max), (initial)))
#define xSemaphoreCreateMutexWithCaps(caps)          ((void)(caps), xSemaphoreCreateMutex())
#define xSemaphoreCreateRecursiveMutexWithCaps(caps) ((void)(caps), xSemaphoreCreateRecursiveMutex())
#define vSemaphoreDeleteWithCaps(semaphore)          vSemaphoreDelete(semaphore)

#define xStreamBufferCreateWithCaps(size, trigger, caps)                                                     \
    ((void)(caps), xStreamBufferCreate((size), (trigger)))
#define vStreamBufferDeleteWithCaps(buffer)      vStreamBufferDelete(buffer)
#define xMessageBufferCreateWithCaps(size, caps) ((void)(caps), xMessageBufferCreate(size))
#define vMessageBufferDeleteWithCaps(buffer)     vStreamBufferDelete(buffer)

#define xEventGroupCreateWithCaps(caps)  ((void)(caps), xEventGroupCreate())
#define vEventGroupDeleteWithCaps(group) vEventGroupDelete(group)
