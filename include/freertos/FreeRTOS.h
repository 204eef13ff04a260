/* FreeRTOS as ESP-IDF applications include it: base types and, as in ESP-IDF 5, its objects too. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "freertos/portmacro.h"
#include "freertos/projdefs.h"

#include "freertos/task.h"
#include "freertos/queue.h"
#include "freertos/semphr.h"
#include "freertos/event_groups.h"
#include "freertos/idf_additions.h"

/* The names that FreeRTOS had before its version 8. */
#ifdef CONFIG_FREERTOS_ENABLE_BACKWARD_COMPATIBILITY
#define portTickType          TickType_t
#define xTaskHandle           TaskHandle_t
#define xQueueHandle          QueueHandle_t
#define xQueueSetHandle       QueueSetHandle_t
#define xQueueSetMemberHandle QueueSetMemberHandle_t
#define xSemaphoreHandle      SemaphoreHandle_t
#define xTimerHandle          TimerHandle_t
#define xTimeOutType          TimeOut_t
#define eTaskStateGet         eTaskGetState
#define pcTaskGetTaskName     pcTaskGetName
#define pcTimerGetTimerName   pcTimerGetName
#define pcQueueGetQueueName   pcQueueGetName
#define pdTASK_CODE           TaskFunction_t
#endif
