/* FreeRTOS tasks: create, delay, delete, notify. Priorities and cores are accepted and have no effect. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "freertos/portmacro.h"
#include "freertos/projdefs.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tskTaskControlBlock *TaskHandle_t;

#define tskIDLE_PRIORITY ((UBaseType_t)0)
#define tskNO_AFFINITY   ((BaseType_t)0x7FFFFFFF)

#define tskKERNEL_VERSION_NUMBER "V10.5.1"
#define tskKERNEL_VERSION_MAJOR  10
#define tskKERNEL_VERSION_MINOR  5
#define tskKERNEL_VERSION_BUILD  1

/** In the order of FreeRTOS. */
typedef enum {
    eRunning,   /* the calling task */
    eReady,     /* another one that does not wait */
    eBlocked,   /* it waits */
    eSuspended, /* see vTaskSuspend() */
    eDeleted,   /* it has ended, or never was one */
    eInvalid,
} eTaskState;

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
 * The same in memory of the caller's. A host's stacks are larger, so `stack` is not used and the task may still lack memory.
 * @return NULL: out of memory; `stack` or `buffer` is NULL
 */
typedef struct {
    void *unused;
} StaticTask_t;
TaskHandle_t xTaskCreateStatic(TaskFunction_t function, const char *name, uint32_t stack_bytes, void *arg,
                               UBaseType_t priority, StackType_t *stack, StaticTask_t *buffer);
TaskHandle_t xTaskCreateStaticPinnedToCore(TaskFunction_t function, const char *name, uint32_t stack_bytes,
                                           void *arg, UBaseType_t priority, StackType_t *stack,
                                           StaticTask_t *buffer, BaseType_t core);

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

/** A task of this name; NULL: there is none. */
TaskHandle_t xTaskGetHandle(const char *name);

/**
 * NULL suspends the calling task until another one resumes it. Another task stays where it next waits or yields, never in the
 * middle of other code; a wait that it is in has its limit all the same. Suspending twice is once.
 */
void vTaskSuspend(TaskHandle_t task);
void vTaskResume(TaskHandle_t task);
/** @return pdFALSE */
BaseType_t xTaskResumeFromISR(TaskHandle_t task);

/** Ends the wait that a task is in, as if its time was up. @return pdPASS, pdFAIL: it does not wait, or is suspended */
BaseType_t xTaskAbortDelay(TaskHandle_t task);

eTaskState eTaskGetState(TaskHandle_t task);

/** Keeps others out of critical sections (portENTER_CRITICAL) until xTaskResumeAll(); other tasks go on. Must not wait. */
void vTaskSuspendAll(void);
/** @return pdFALSE: no other task was kept waiting long enough to matter */
BaseType_t xTaskResumeAll(void);

#define taskSCHEDULER_SUSPENDED   ((BaseType_t)0)
#define taskSCHEDULER_NOT_STARTED ((BaseType_t)1)
#define taskSCHEDULER_RUNNING     ((BaseType_t)2)
/** Running, or suspended by the calling task. */
BaseType_t xTaskGetSchedulerState(void);

/** There is one core, 0. Its idle task does nothing, and its handle serves to be handed to esp_task_wdt_delete() and the like. */
BaseType_t xTaskGetCoreID(TaskHandle_t task);
BaseType_t xTaskGetAffinity(TaskHandle_t task);
TaskHandle_t xTaskGetCurrentTaskHandleForCore(BaseType_t core);
TaskHandle_t xTaskGetCurrentTaskHandleForCPU(BaseType_t core);
TaskHandle_t xTaskGetIdleTaskHandle(void);
TaskHandle_t xTaskGetIdleTaskHandleForCore(BaseType_t core);
TaskHandle_t xTaskGetIdleTaskHandleForCPU(UBaseType_t core);
#define taskVALID_CORE_ID(core) ((core) == 0 ? pdTRUE : pdFALSE)

/** How long a wait of one's own has lasted: set, then ask. */
typedef struct xTIME_OUT {
    BaseType_t xOverflowCount; /* not used */
    TickType_t xTimeOnEntering;
} TimeOut_t;
void vTaskSetTimeOutState(TimeOut_t *timeout);
/** @param left  ticks that may still pass, lowered by those that have passed. @return pdTRUE: none is left (it is 0) */
BaseType_t xTaskCheckForTimeOut(TimeOut_t *timeout, TickType_t *left);

/**
 * Pointers of a task's own, configNUM_THREAD_LOCAL_STORAGE_POINTERS of them; task NULL: the calling one. Another index keeps
 * nothing and reads NULL. `on_delete` is called by the task when it ends.
 */
typedef void (*TlsDeleteCallbackFunction_t)(int index, void *value);
void vTaskSetThreadLocalStoragePointer(TaskHandle_t task, BaseType_t index, void *value);
void vTaskSetThreadLocalStoragePointerAndDelCallback(TaskHandle_t task, BaseType_t index, void *value,
                                                     TlsDeleteCallbackFunction_t on_delete);
void *pvTaskGetThreadLocalStoragePointer(TaskHandle_t task, BaseType_t index);

UBaseType_t uxTaskGetNumberOfTasks(void);
UBaseType_t uxTaskPriorityGet(TaskHandle_t task);
void vTaskPrioritySet(TaskHandle_t task, UBaseType_t priority);

/** Bytes of stack never used. A host does not measure it: the size given to xTaskCreate. */
UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t task);
configSTACK_DEPTH_TYPE uxTaskGetStackHighWaterMark2(TaskHandle_t task);

/** What is known of a task. */
typedef struct xTASK_STATUS {
    TaskHandle_t xHandle;
    const char *pcTaskName;  /* the task's own: it ends with it */
    UBaseType_t xTaskNumber; /* the first task that was created is 1 */
    eTaskState eCurrentState;
    UBaseType_t uxCurrentPriority, uxBasePriority; /* there is no inheritance: they are the same */
    configRUN_TIME_COUNTER_TYPE ulRunTimeCounter;  /* microseconds of the processor it has had, modulo 2^32 */
    StackType_t *pxStackBase;                      /* NULL */
    configSTACK_DEPTH_TYPE usStackHighWaterMark;   /* as uxTaskGetStackHighWaterMark() */
    BaseType_t xCoreID;
} TaskStatus_t;

/*
 * On a chip these want CONFIG_FREERTOS_USE_TRACE_FACILITY and _USE_STATS_FORMATTING_FUNCTIONS; here they are always there. The
 * idle task is in no list.
 */

/** @param task  NULL: the calling one. @param state  eInvalid: find out; any other is taken for it */
void vTaskGetInfo(TaskHandle_t task, TaskStatus_t *status, BaseType_t measure_stack, eTaskState state);

/**
 * All tasks, the newest first.
 * @param room   entries of `tasks`; uxTaskGetNumberOfTasks() are enough
 * @param total  optional: microseconds since boot, modulo 2^32
 * @return entries written; 0: there are more than `room`
 */
UBaseType_t uxTaskGetSystemState(TaskStatus_t *tasks, UBaseType_t room, configRUN_TIME_COUNTER_TYPE *total);

/**
 * A line for each task, for people: name, state (X running, R ready, B blocked, S suspended), priority, stack and number.
 * @param text  some 40 bytes for each task
 */
void vTaskList(char *text);

/** The same of how much of the processor each task has had: name, microseconds, percent of the time since boot. */
void vTaskGetRunTimeStats(char *text);

/*
 * Direct-to-task notifications: configTASK_NOTIFICATION_ARRAY_ENTRIES values of 32 bits a task, each with a mark that it was
 * notified. The forms without an index mean the first. A handle of a task that has ended, or an index beyond 31, is pdFAIL or 0.
 */
#define tskDEFAULT_INDEX_TO_NOTIFY 0

typedef enum {
    eNoAction,                 /* the value stays */
    eSetBits,                  /* value |= given */
    eIncrement,                /* value + 1 */
    eSetValueWithOverwrite,    /* value = given */
    eSetValueWithoutOverwrite, /* the same unless a notification waits: pdFAIL */
} eNotifyAction;

/** @param before  optional: the value as it was. @return pdPASS, pdFAIL */
BaseType_t xTaskNotifyAndQueryIndexed(TaskHandle_t task, UBaseType_t index, uint32_t value,
                                      eNotifyAction action, uint32_t *before);

/**
 * Waits to be notified.
 * @param clear_before  bits cleared if no notification waits yet; @param clear_after  bits cleared once one was received
 * @param value         optional: the value before clear_after
 * @return pdTRUE, pdFALSE: time is up
 */
BaseType_t xTaskNotifyWaitIndexed(UBaseType_t index, uint32_t clear_before, uint32_t clear_after,
                                  uint32_t *value, TickType_t wait);

/** Waits for the value to be above 0. @return it as it was before, then clears it (pdTRUE) or lowers it; 0: time is up */
uint32_t ulTaskNotifyTakeIndexed(UBaseType_t index, BaseType_t clear_on_exit, TickType_t wait);

/** Forgets a notification that waits; task NULL: the calling one. @return pdTRUE: there was one */
BaseType_t xTaskNotifyStateClearIndexed(TaskHandle_t task, UBaseType_t index);

/** Clears bits; task NULL: the calling one. @return the value before */
uint32_t ulTaskNotifyValueClearIndexed(TaskHandle_t task, UBaseType_t index, uint32_t bits);

#define xTaskNotifyIndexed(task, index, value, action)                                                       \
    xTaskNotifyAndQueryIndexed((task), (index), (value), (action), NULL)
#define xTaskNotifyGiveIndexed(task, index) xTaskNotifyIndexed((task), (index), 0, eIncrement)
#define xTaskNotify(task, value, action)    xTaskNotifyIndexed((task), 0, (value), (action))
#define xTaskNotifyAndQuery(task, value, action, before)                                                     \
    xTaskNotifyAndQueryIndexed((task), 0, (value), (action), (before))
#define xTaskNotifyGive(task) xTaskNotifyGiveIndexed((task), 0)
#define xTaskNotifyWait(before, after, value, wait)                                                          \
    xTaskNotifyWaitIndexed(0, (before), (after), (value), (wait))
#define ulTaskNotifyTake(clear_on_exit, wait) ulTaskNotifyTakeIndexed(0, (clear_on_exit), (wait))
#define xTaskNotifyStateClear(task)           xTaskNotifyStateClearIndexed((task), 0)
#define ulTaskNotifyValueClear(task, bits)    ulTaskNotifyValueClearIndexed((task), 0, (bits))

void otter_task_yield(void);
#define taskYIELD() otter_task_yield()

#define taskENTER_CRITICAL(mux)          portENTER_CRITICAL(mux)
#define taskEXIT_CRITICAL(mux)           portEXIT_CRITICAL(mux)
#define taskENTER_CRITICAL_ISR(mux)      portENTER_CRITICAL(mux)
#define taskENTER_CRITICAL_FROM_ISR()    xPortSetInterruptMaskFromISR()
#define taskEXIT_CRITICAL_FROM_ISR(mask) vPortClearInterruptMaskFromISR(mask)
#define taskEXIT_CRITICAL_ISR(mux)       portEXIT_CRITICAL(mux)

/*
 * There are no interrupts to call from: the forms for them are the plain ones without waiting. `woken` stays as it is: a task
 * that was woken runs without being told.
 */
#define xTaskNotifyFromISR(task, value, action, woken) ((void)(woken), xTaskNotify(task, value, action))
#define xTaskNotifyIndexedFromISR(task, index, value, action, woken)                                         \
    ((void)(woken), xTaskNotifyIndexed(task, index, value, action))
#define xTaskNotifyAndQueryFromISR(task, value, action, before, woken)                                       \
    ((void)(woken), xTaskNotifyAndQuery(task, value, action, before))
#define xTaskNotifyAndQueryIndexedFromISR(task, index, value, action, before, woken)                         \
    ((void)(woken), xTaskNotifyAndQueryIndexed(task, index, value, action, before))
#define vTaskNotifyGiveFromISR(task, woken) ((void)(woken), (void)xTaskNotifyGive(task))
#define vTaskNotifyGiveIndexedFromISR(task, index, woken)                                                    \
    ((void)(woken), (void)xTaskNotifyGiveIndexed(task, index))
#define xTaskGetTickCountFromISR()     xTaskGetTickCount()
#define uxTaskPriorityGetFromISR(task) uxTaskPriorityGet(task)

#ifdef __cplusplus
}
#endif
