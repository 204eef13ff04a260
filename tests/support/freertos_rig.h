/* Tasks for the tests of FreeRTOS objects: start one, wait until it says that it is done, see that all have ended. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "freertos/semphr.h"
#include "freertos/task.h"
#include "linux/freertos_kernel.h"

#define SOON pdMS_TO_TICKS(10000) /* for what happens at once unless something is broken */

extern SemaphoreHandle_t done; /* given by each helper when it is done */

int helpers_set_up(void **state);

/** Fails where a task still runs. */
int helpers_tear_down(void **state);

/** A task of its own that runs `function`. */
TaskHandle_t start_task(TaskFunction_t function, void *arg);
void start(TaskFunction_t function, void *arg);

/** Until it waits for something. */
void wait_until_blocked(TaskHandle_t task);

/** One more helper is done. */
void wait_done(void);
