/* The port's part of FreeRTOS: critical sections, the one core, memory, assertions. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "esp_system.h"
#include "freertos/task.h"
#include "linux/freertos_kernel.h"
#include "otter/build_options.h"

/*
 * One lock for all critical sections: what is inside one is short and waits for nothing, and so nobody notices that
 * sections of different spinlocks exclude each other.
 */
static pthread_mutex_t critical = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static _Thread_local unsigned suspensions; /* vTaskSuspendAll() of the calling task */

void vPortEnterCritical(portMUX_TYPE *mux)
{
    (void)mux;
    pthread_mutex_lock(&critical); /* cannot fail on a mutex of this kind */
}

void vPortExitCritical(portMUX_TYPE *mux)
{
    (void)mux;
    pthread_mutex_unlock(&critical);
}

BaseType_t xPortEnterCriticalTimeout(portMUX_TYPE *mux, BaseType_t timeout)
{
    if (timeout == portMUX_TRY_LOCK) {
        return pthread_mutex_trylock(&critical) == 0 ? pdPASS : pdFAIL;
    }
    vPortEnterCritical(mux);
    return pdPASS;
}

UBaseType_t xPortSetInterruptMaskFromISR(void)
{
    vPortEnterCritical(NULL);
    return 0;
}

void vPortClearInterruptMaskFromISR(UBaseType_t mask)
{
    (void)mask;
    vPortExitCritical(NULL);
}

void vTaskSuspendAll(void)
{
    vPortEnterCritical(NULL);
    suspensions++;
}

BaseType_t xTaskResumeAll(void)
{
    if (suspensions > 0) {
        suspensions--;
        vPortExitCritical(NULL);
    }
    return pdFALSE;
}

BaseType_t xTaskGetSchedulerState(void)
{
    return suspensions > 0 ? taskSCHEDULER_SUSPENDED : taskSCHEDULER_RUNNING;
}

void vPortYield(void)
{
    otter_task_yield();
}

BaseType_t xPortGetCoreID(void)
{
    return 0;
}

BaseType_t xPortInIsrContext(void)
{
    return pdFALSE;
}

BaseType_t xPortCanYield(void)
{
    return pdTRUE;
}

uint32_t xPortGetTickRateHz(void)
{
    return otter_build_options.tick_rate_hz;
}

void *pvPortMalloc(size_t size)
{
    return malloc(size);
}

void *pvPortCalloc(size_t count, size_t size)
{
    return calloc(count, size);
}

void vPortFree(void *memory)
{
    free(memory);
}

size_t xPortGetFreeHeapSize(void)
{
    return esp_get_free_heap_size();
}

size_t xPortGetMinimumEverFreeHeapSize(void)
{
    return esp_get_minimum_free_heap_size();
}

void kernel_panic(const char *function, const char *reason)
{
    char text[160];
    snprintf(text, sizeof(text), "assert failed: %s: %s", function, reason);
    esp_system_abort(text);
}
