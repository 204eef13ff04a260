/* Tasks for the tests of FreeRTOS objects. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/freertos_rig.h"

SemaphoreHandle_t done;

int helpers_set_up(void **state)
{
    (void)state;
    done = xSemaphoreCreateCounting(100, 0);
    return done == NULL;
}

int helpers_tear_down(void **state)
{
    (void)state;
    vSemaphoreDelete(done);
    return kernel_wait_idle(10000) ? 0 : -1;
}

TaskHandle_t start_task(TaskFunction_t function, void *arg)
{
    TaskHandle_t task = NULL;
    assert_int_equal(xTaskCreate(function, "helper", 4096, arg, 5, &task), pdPASS);
    return task;
}

void start(TaskFunction_t function, void *arg)
{
    (void)start_task(function, arg);
}

void wait_until_blocked(TaskHandle_t task)
{
    while (eTaskGetState(task) != eBlocked) {
        vTaskDelay(1);
    }
}

void wait_done(void)
{
    assert_int_equal(xSemaphoreTake(done, SOON), pdTRUE);
}
