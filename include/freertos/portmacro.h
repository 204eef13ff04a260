/* The port's part of FreeRTOS: base types and ticks. Tasks on Linux are threads. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdkconfig.h"
#include "esp_attr.h"
#include "esp_heap_caps.h"
#include "esp_macros.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "freertos/FreeRTOSConfig.h"
#include "soc/soc_caps.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int BaseType_t;
typedef unsigned UBaseType_t;
typedef uint32_t TickType_t;
typedef uint8_t StackType_t;

#define portBASE_TYPE         BaseType_t
#define portSTACK_TYPE        StackType_t
#define portCHAR              char
#define portSHORT             short
#define portLONG              long
#define portFLOAT             float
#define portDOUBLE            double
#define portPOINTER_SIZE_TYPE uintptr_t
#define portBYTE_ALIGNMENT    16
#define portSTACK_GROWTH      (-1)
#define portNUM_PROCESSORS    1

/** Waits with this limit have none. */
#define portMAX_DELAY      ((TickType_t)0xffffffffUL)
#define portTICK_PERIOD_MS ((TickType_t)(1000 / configTICK_RATE_HZ))
#define portTICK_RATE_MS   portTICK_PERIOD_MS

// NOLINTNEXTLINE(bugprone-macro-parentheses): it declares a name
#define portTASK_FUNCTION(function, arg) void function(void *arg)
// NOLINTNEXTLINE(bugprone-macro-parentheses): it declares a name
#define portTASK_FUNCTION_PROTO(function, arg) void function(void *arg)

#define portNOP()              ((void)0)
#define portMEMORY_BARRIER()   __sync_synchronize()
#define portSOFTWARE_BARRIER() __asm__ volatile("" ::: "memory")

/** Gives way to other tasks. */
void vPortYield(void);
#define portYIELD()                     vPortYield()
#define portYIELD_WITHIN_API()          vPortYield()
#define portYIELD_FROM_ISR(...)         vPortYield()
#define portEND_SWITCHING_ISR(required) ((required) != pdFALSE ? vPortYield() : (void)0)

/**
 * A critical section. On a chip it keeps the other core and interrupts out; here one lock of the program keeps out all tasks
 * that enter any of them, and vTaskSuspendAll(). The task inside may enter again, leaves as often, and must not wait.
 */
typedef struct {
    uint32_t owner; /* not used: there is one lock */
    uint32_t count;
} portMUX_TYPE;
typedef portMUX_TYPE spinlock_t;
#define portMUX_FREE_VAL   0u
#define portMUX_NO_TIMEOUT (-1)
#define portMUX_TRY_LOCK   0
#define portMUX_INITIALIZER_UNLOCKED                                                                         \
    {                                                                                                        \
        0, 0                                                                                                 \
    }
#define SPINLOCK_INITIALIZER     portMUX_INITIALIZER_UNLOCKED
#define portMUX_INITIALIZE(mux)  ((mux)->owner = (mux)->count = 0)
#define spinlock_initialize(mux) portMUX_INITIALIZE(mux)

void vPortEnterCritical(portMUX_TYPE *mux);
void vPortExitCritical(portMUX_TYPE *mux);
/** @param timeout  0: at once or not at all; otherwise waits. @return pdPASS, pdFAIL: another task is inside */
BaseType_t xPortEnterCriticalTimeout(portMUX_TYPE *mux, BaseType_t timeout);

#define portENTER_CRITICAL(mux)                   vPortEnterCritical(mux)
#define portEXIT_CRITICAL(mux)                    vPortExitCritical(mux)
#define portENTER_CRITICAL_ISR(mux)               vPortEnterCritical(mux)
#define portEXIT_CRITICAL_ISR(mux)                vPortExitCritical(mux)
#define portENTER_CRITICAL_SAFE(mux)              vPortEnterCritical(mux)
#define portEXIT_CRITICAL_SAFE(mux)               vPortExitCritical(mux)
#define portTRY_ENTER_CRITICAL(mux, timeout)      xPortEnterCriticalTimeout((mux), (timeout))
#define portTRY_ENTER_CRITICAL_ISR(mux, timeout)  xPortEnterCriticalTimeout((mux), (timeout))
#define portTRY_ENTER_CRITICAL_SAFE(mux, timeout) xPortEnterCriticalTimeout((mux), (timeout))

/** The same as one enters from an interrupt, of which there are none. @return what the second takes */
UBaseType_t xPortSetInterruptMaskFromISR(void);
void vPortClearInterruptMaskFromISR(UBaseType_t mask);
#define portSET_INTERRUPT_MASK_FROM_ISR()       xPortSetInterruptMaskFromISR()
#define portCLEAR_INTERRUPT_MASK_FROM_ISR(mask) vPortClearInterruptMaskFromISR(mask)

/** 0: the one core. */
BaseType_t xPortGetCoreID(void);
#define portGET_CORE_ID() xPortGetCoreID()

/** pdFALSE: there are no interrupts. */
BaseType_t xPortInIsrContext(void);
/** pdTRUE. */
BaseType_t xPortCanYield(void);

uint32_t xPortGetTickRateHz(void);

/** As malloc, calloc and free; the figures as esp_get_free_heap_size() and esp_get_minimum_free_heap_size(). */
void *pvPortMalloc(size_t size);
void *pvPortCalloc(size_t count, size_t size);
void vPortFree(void *memory);
size_t xPortGetFreeHeapSize(void);
size_t xPortGetMinimumEverFreeHeapSize(void);

#ifdef __cplusplus
}
#endif
