/* FreeRTOS tasks: create, delay, delete, notify. Priorities and cores are accepted and have no effect. */
#pragma once

#include "freertos/portmacro.h"
#include "freertos/projdefs.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tskTaskControlBlock *TaskHandle_t;

#define tskIDLE_PRIORITY ((UBaseType_t)0)
#define tskNO_AFFINITY   ((BaseType_t)0x7FFFFFFF)

/**
 * Start a task. Its function must not return; end it with vTaskDelete(NULL). (Here a return ends the task as well.)
 * @param name         configMAX_TASK_NAME_LEN - 1 characters are kept; NULL: none
 * @param stack_bytes  bytes, not words; a host gives more, since its libraries need more
 * @param out          optional: the handle, valid until the task ends
 * @return pdPASS, errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY
 */
BaseType_t xTaskCreate(TaskFunction_t function, const char *name, uint32_t stack_bytes, void *arg,
                       UBaseType_t priority, TaskHandle_t *out);
BaseType_t xTaskCreatePinnedToCore(TaskFunction_t function, const char *name, uint32_t stack_bytes, void *arg,
                                   UBaseType_t priority, TaskHandle_t *out, BaseType_t core);

/**
 * NULL ends the calling task and never returns. Another task is ended where it next waits (vTaskDelay, a queue, a
 * semaphore, an event group, a notification), never in the middle of other code, so that it takes no lock with it.
 */
void vTaskDelete(TaskHandle_t task);

/** At least `ticks` ticks; 0 gives way to others. */
void vTaskDelay(TickType_t ticks);

/** Waits until *previous + period and stores that there. @return pdFALSE if that moment had already passed */
BaseType_t xTaskDelayUntil(TickType_t *previous, TickType_t period);
#define vTaskDelayUntil(previous, period) ((void)xTaskDelayUntil((previous), (period)))

TickType_t xTaskGetTickCount(void);

/** NULL outside of tasks. */
TaskHandle_t xTaskGetCurrentTaskHandle(void);

/** Name of a task; NULL: the calling one. */
char *pcTaskGetName(TaskHandle_t task);

UBaseType_t uxTaskGetNumberOfTasks(void);
UBaseType_t uxTaskPriorityGet(TaskHandle_t task);
void vTaskPrioritySet(TaskHandle_t task, UBaseType_t priority);

/** Bytes of stack never used. A host does not measure it: the size given to xTaskCreate. */
UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t task);

/** Direct-to-task notification used as a counting semaphore. */
BaseType_t xTaskNotifyGive(TaskHandle_t task);

/** Waits for the count to be above 0. @return it as it was before, then clears it (pdTRUE) or lowers it; 0: time is up */
uint32_t ulTaskNotifyTake(BaseType_t clear_on_exit, TickType_t wait);

void otter_task_yield(void);
#define taskYIELD() otter_task_yield()

#ifdef __cplusplus
}
#endif
