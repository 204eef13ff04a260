/* Tasks for the tests of FreeRTOS objects: start one, wait until it says that it is done, see that all have ended. */
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

static SemaphoreHandle_t done;

static int setup(void **state)
{
    (void)state;
    done = xSemaphoreCreateCounting(100, 0);
    return done == NULL;
}

static int teardown(void **state)
{
    (void)state;
    vSemaphoreDelete(done);
    return kernel_wait_idle(10000) ? 0 : -1;
}

static inline TaskHandle_t start_task(TaskFunction_t function, void *arg)
{
    TaskHandle_t task = NULL;
    assert_int_equal(xTaskCreate(function, "helper", 4096, arg, 5, &task), pdPASS);
    return task;
}

static inline void start(TaskFunction_t function, void *arg)
{
    (void)start_task(function, arg);
}

static inline void wait_done(void)
{
    assert_int_equal(xSemaphoreTake(done, SOON), pdTRUE);
}
