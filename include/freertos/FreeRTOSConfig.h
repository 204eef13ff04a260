/* What FreeRTOS is configured to have here: as ESP-IDF configures it, on one core. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <assert.h>
#include <stdarg.h>

#include "esp_assert.h"
#include "sdkconfig.h"

#ifdef OTTER_LIBRARY /* the firmware's, see otter/build_options.h */
#include "otter/build_options.h"
#define configTICK_RATE_HZ otter_build_options.tick_rate_hz
#else
#define configTICK_RATE_HZ CONFIG_FREERTOS_HZ
#endif

#define configASSERT(x)             assert(x)
#define configMAX_PRIORITIES        25
#define configMAX_TASK_NAME_LEN     CONFIG_FREERTOS_MAX_TASK_NAME_LEN
#define configMINIMAL_STACK_SIZE    1024
#define configSTACK_DEPTH_TYPE      uint32_t
#define configRUN_TIME_COUNTER_TYPE uint32_t
#define configNUM_CORES             1
#define configNUMBER_OF_CORES       1
#define configUSE_PREEMPTION        1
#define configUSE_TIME_SLICING      1
#define configUSE_16_BIT_TICKS      0
#define configINITIAL_TICK_COUNT    0
#define configIDLE_SHOULD_YIELD     0

#define configSUPPORT_DYNAMIC_ALLOCATION 1
#define configSUPPORT_STATIC_ALLOCATION  1
#define configUSE_MUTEXES                1
#define configUSE_RECURSIVE_MUTEXES      1
#define configUSE_COUNTING_SEMAPHORES    1
#define configUSE_QUEUE_SETS             1
#define configQUEUE_REGISTRY_SIZE        0
#define configUSE_TASK_NOTIFICATIONS     1
#define configUSE_TIMERS                 1
#define configTIMER_TASK_PRIORITY        1
#define configTIMER_TASK_STACK_DEPTH     2048
#define configTIMER_QUEUE_LENGTH         10

#define configTASK_NOTIFICATION_ARRAY_ENTRIES       CONFIG_FREERTOS_TASK_NOTIFICATION_ARRAY_ENTRIES
#define configNUM_THREAD_LOCAL_STORAGE_POINTERS     CONFIG_FREERTOS_THREAD_LOCAL_STORAGE_POINTERS
#define configTHREAD_LOCAL_STORAGE_DELETE_CALLBACKS 1
#define configENABLE_BACKWARD_COMPATIBILITY         0

#define configUSE_CO_ROUTINES                0
#define configUSE_IDLE_HOOK                  0
#define configUSE_TICK_HOOK                  0
#define configUSE_TICKLESS_IDLE              0
#define configUSE_MALLOC_FAILED_HOOK         0
#define configUSE_TRACE_FACILITY             1
#define configUSE_STATS_FORMATTING_FUNCTIONS 1
#define configUSE_APPLICATION_TASK_TAG       0
#define configCHECK_FOR_STACK_OVERFLOW       0
#define configGENERATE_RUN_TIME_STATS        1
#define configENABLE_MPU                     0
#define configUSE_NEWLIB_REENTRANT           0
#define configUSE_POSIX_ERRNO                0

#define INCLUDE_vTaskPrioritySet             1
#define INCLUDE_uxTaskPriorityGet            1
#define INCLUDE_vTaskDelete                  1
#define INCLUDE_vTaskSuspend                 1
#define INCLUDE_vTaskDelay                   1
#define INCLUDE_vTaskDelayUntil              1
#define INCLUDE_xTaskDelayUntil              1
#define INCLUDE_xTaskAbortDelay              1
#define INCLUDE_xTaskResumeFromISR           1
#define INCLUDE_xTaskGetCurrentTaskHandle    1
#define INCLUDE_xTaskGetHandle               1
#define INCLUDE_xTaskGetIdleTaskHandle       1
#define INCLUDE_xTaskGetSchedulerState       1
#define INCLUDE_eTaskGetState                1
#define INCLUDE_uxTaskGetStackHighWaterMark  1
#define INCLUDE_uxTaskGetStackHighWaterMark2 1
#define INCLUDE_xSemaphoreGetMutexHolder     1
#define INCLUDE_xTimerPendFunctionCall       1
