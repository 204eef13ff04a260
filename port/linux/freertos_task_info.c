/* What tasks there are, what each does and how much of the processor it has had: as structures, and as FreeRTOS prints them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "freertos/task.h"
#include "linux/freertos_kernel.h"
#include "otter/build_options.h"
#include "otter/system.h"

/** Microseconds of processor time that a thread has had, as ESP-IDF counts them by its timer. */
static uint32_t run_time_us(pthread_t thread)
{
    clockid_t clock;
    struct timespec t = {0};
    if (pthread_getcpuclockid(thread, &clock) != 0 || clock_gettime(clock, &t) != 0) {
        return 0;
    }
    return (uint32_t)((uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000);
}

/** With the lock held. */
static void describe(TaskHandle_t task, TaskStatus_t *status)
{
    *status = (TaskStatus_t){
        .xHandle = task,
        .pcTaskName = task->name,
        .xTaskNumber = task->number,
        .eCurrentState = kernel_state(task),
        .uxCurrentPriority = task->priority,
        .uxBasePriority = task->priority,
        .ulRunTimeCounter = run_time_us(task->thread),
        .usStackHighWaterMark = task->stack_bytes,
    };
}

void vTaskGetInfo(TaskHandle_t task, TaskStatus_t *status, BaseType_t measure_stack, eTaskState state)
{
    (void)measure_stack; /* the size that was asked for is no measure */
    kernel_lock();
    task = task != NULL ? task : kernel_current();
    if (kernel_is_task(task)) {
        describe(task, status);
        status->eCurrentState = state != eInvalid ? state : status->eCurrentState;
    } else {
        *status = (TaskStatus_t){.xHandle = task, .pcTaskName = "", .eCurrentState = eDeleted};
    }
    kernel_unlock();
}

UBaseType_t uxTaskGetSystemState(TaskStatus_t *tasks, UBaseType_t room, uint32_t *total)
{
    UBaseType_t count = 0;
    kernel_lock();
    for (TaskHandle_t t = kernel_first_task(); t != NULL; t = t->next) {
        if (count < room) {
            describe(t, &tasks[count]);
        }
        count++;
    }
    kernel_unlock();
    if (total != NULL) {
        *total = (uint32_t)otter_now_us();
    }
    return count <= room ? count : 0;
}

/** All tasks, malloc'ed. @return NULL: out of memory, or there are none */
static TaskStatus_t *all_tasks(UBaseType_t *count, uint32_t *total)
{
    const UBaseType_t room = uxTaskGetNumberOfTasks() + 8; /* for those that begin just now */
    TaskStatus_t *tasks = calloc(room, sizeof(*tasks));
    *count = tasks != NULL ? uxTaskGetSystemState(tasks, room, total) : 0;
    return tasks;
}

/** Its name and the blanks behind it, so that what follows stands in columns. */
static char *write_name(char *text, const char *name)
{
    return text + sprintf(text, "%-*s", (int)otter_build_options.task_name_size - 1, name);
}

void vTaskList(char *text)
{
    static const char letters[] = {
        [eRunning] = 'X', [eReady] = 'R', [eBlocked] = 'B', [eSuspended] = 'S', [eDeleted] = 'D'};
    UBaseType_t count;
    TaskStatus_t *tasks = all_tasks(&count, NULL);
    *text = '\0';
    for (UBaseType_t i = 0; i < count; i++) {
        text = write_name(text, tasks[i].pcTaskName);
        text += sprintf(text, "\t%c\t%u\t%u\t%u\r\n", letters[tasks[i].eCurrentState],
                        (unsigned)tasks[i].uxCurrentPriority, (unsigned)tasks[i].usStackHighWaterMark,
                        (unsigned)tasks[i].xTaskNumber);
    }
    free(tasks);
}

void vTaskGetRunTimeStats(char *text)
{
    UBaseType_t count;
    uint32_t total = 0;
    TaskStatus_t *tasks = all_tasks(&count, &total);
    *text = '\0';
    for (UBaseType_t i = 0; i < count && total >= 100; i++) {
        const uint32_t percent = tasks[i].ulRunTimeCounter / (total / 100);
        text = write_name(text, tasks[i].pcTaskName);
        text += percent > 0 ? sprintf(text, "\t%u\t\t%u%%\r\n", (unsigned)tasks[i].ulRunTimeCounter,
                                      (unsigned)percent)
                            : sprintf(text, "\t%u\t\t<1%%\r\n", (unsigned)tasks[i].ulRunTimeCounter);
    }
    free(tasks);
}
