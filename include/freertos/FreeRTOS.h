/* The FreeRTOS names that ESP-IDF applications use: base types and constants. Tasks on Linux are threads. */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int BaseType_t;
typedef unsigned UBaseType_t;
typedef uint32_t TickType_t;
typedef uint8_t StackType_t;

#define pdFALSE                               ((BaseType_t)0)
#define pdTRUE                                ((BaseType_t)1)
#define pdFAIL                                pdFALSE
#define pdPASS                                pdTRUE
#define errQUEUE_FULL                         pdFALSE
#define errQUEUE_EMPTY                        pdFALSE
#define errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY (-1)

#ifdef OTTER_LIBRARY /* the firmware's, see otter/build_options.h */
#include "otter/build_options.h"
#define configTICK_RATE_HZ otter_build_options.tick_rate_hz
#else
#define configTICK_RATE_HZ CONFIG_FREERTOS_HZ
#endif
#define configMAX_TASK_NAME_LEN  CONFIG_FREERTOS_MAX_TASK_NAME_LEN
#define configMAX_PRIORITIES     25
#define configASSERT(x)          assert(x)
#define configMINIMAL_STACK_SIZE 1024

/** Waits with this limit have none. */
#define portMAX_DELAY      ((TickType_t)0xffffffffUL)
#define portTICK_PERIOD_MS ((TickType_t)(1000 / configTICK_RATE_HZ))
#define portTICK_RATE_MS   portTICK_PERIOD_MS

/** Whole ticks, rounded down. */
#define pdMS_TO_TICKS(ms)    ((TickType_t)(((uint64_t)(ms)*configTICK_RATE_HZ) / 1000))
#define pdTICKS_TO_MS(ticks) ((TickType_t)(((uint64_t)(ticks)*1000) / configTICK_RATE_HZ))

#ifdef __cplusplus
}
#endif
