/* FreeRTOS's answers: true and false, pass and fail, and milliseconds as ticks. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "freertos/FreeRTOSConfig.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*TaskFunction_t)(void *arg);

#define pdFALSE                               ((BaseType_t)0)
#define pdTRUE                                ((BaseType_t)1)
#define pdFAIL                                pdFALSE
#define pdPASS                                pdTRUE
#define errQUEUE_FULL                         pdFALSE
#define errQUEUE_EMPTY                        pdFALSE
#define errQUEUE_BLOCKED                      (-4)
#define errQUEUE_YIELD                        (-5)
#define errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY (-1)

/** Whole ticks, rounded down. */
#define pdMS_TO_TICKS(ms)    ((TickType_t)(((uint64_t)(ms)*configTICK_RATE_HZ) / 1000))
#define pdTICKS_TO_MS(ticks) ((TickType_t)(((uint64_t)(ticks)*1000) / configTICK_RATE_HZ))

#ifdef __cplusplus
}
#endif
