/* FreeRTOS tasks as threads, and the kernel that queues, semaphores and event groups wait in. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "freertos/task.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "linux/crash_trace.h"
#include "linux/freertos_kernel.h"
#include "linux/steady_clock.h"
#include "otter/build_options.h"
#include "otter/system.h"

/* What the caller asked for is sized for a microcontroller; OpenSSL and the C library of a host want more. */
#define HOST_STACK_EXTRA (512u * 1024)
#define MAIN_STACK_EXTRA (1536u * 1024) /* for app_main(), which some write as if it had a host's */
#define MAIN_ROOM        16384          /* bytes of stack that ending a task needs, and more */
#define MAIN_STAYS_MS    500

#define THREAD_NAME_SIZE 16 /* what Linux takes, with terminator */

/* It waits a moment before it blocks: looking at a task that asks without waiting, all the time, is no wait for that task. */
static pthread_mutex_t lock = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_cond_t never;     /* nobody signals it: for delays */
static pthread_cond_t less_work; /* a task ended or began to wait without limit */
static pthread_cond_t notified;  /* some task was notified */
static pthread_cond_t resumed;   /* some task is suspended no more */
static TaskHandle_t tasks;
static UBaseType_t created; /* tasks so far */
static _Thread_local TaskHandle_t current;

/* In no list: only a handle, for programs that take the idle task out of the watchdog. */
static char idle_name[] = "IDLE";
static struct tskTaskControlBlock idle_task = {.name = idle_name, .subscribed = true};

static void init_kernel(void)
{
    kernel_condition_init(&never);
    kernel_condition_init(&less_work);
    kernel_condition_init(&notified);
    kernel_condition_init(&resumed);
}

void kernel_lock(void)
{
    pthread_once(&once, init_kernel);
    pthread_mutex_lock(&lock);
}

void kernel_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

void kernel_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool kernel_is_waited_for(const pthread_cond_t *condition)
{
    TaskHandle_t t = tasks;
    while (t != NULL && (t->ready == NULL || t->waits_on != condition)) {
        t = t->next;
    }
    return t != NULL;
}

bool kernel_condition_end(pthread_cond_t *condition)
{
    kernel_lock();
    bool unused = !kernel_is_waited_for(condition);
    kernel_unlock();
    if (unused) {
        pthread_cond_destroy(condition);
    }
    return unused;
}

uint64_t kernel_us_of_ticks(TickType_t ticks)
{
    return ((uint64_t)ticks * 1000000 + configTICK_RATE_HZ - 1) / configTICK_RATE_HZ;
}

/* ---- time that nobody needs ---- */

static bool hurries;
static kernel_hurry_t hurry;

/** When the first of the waits ends that end by themselves. @return false: a task runs, or will at once; INT64_MAX: none ends */
static bool all_wait_until(int64_t *us)
{
    *us = INT64_MAX;
    for (TaskHandle_t t = tasks; t != NULL; t = t->next) {
        if (t->ready == NULL || t->ready(t->waits_for) || t->wait_given_up) {
            return false;
        }
        *us = !t->waits_forever && t->wakes_us < *us ? t->wakes_us : *us;
    }
    return true;
}

/** With the lock held, when a task begins to wait or has ended: skips what all of them wait for. */
static void skip_time(void)
{
    int64_t until;
    if (!hurries || !all_wait_until(&until)) {
        return;
    }
    kernel_silent_t silent;
    const int64_t fed = hurry.limit_us != 0 ? hurry.first(&silent) : INT64_MAX;
    if (fed != INT64_MAX && until - fed > hurry.limit_us) {
        hurry.hang(&silent);
    }
    if (until == INT64_MAX) {
        return; /* nothing ends by itself */
    }
    const int64_t left = until - steady_clock_us();
    if (left > 0) {
        steady_clock_skip(left);
    }
    for (TaskHandle_t t = tasks; t != NULL; t = t->next) {
        if (!t->waits_forever && t->wakes_us <= until) {
            pthread_cond_broadcast(t->waits_on);
        }
    }
}

static void begin_wait(pthread_cond_t *changed, kernel_ready_t ready, const void *object, int64_t wakes_us)
{
    const bool forever = wakes_us == INT64_MAX;
    if (current != NULL) {
        current->wakes_us = wakes_us;
        current->waits_on = changed;
        current->wait_given_up = false;
        current->ready = ready;
        current->waits_for = object;
        current->waits_forever = forever;
        if (forever) {
            pthread_cond_broadcast(&less_work);
        }
        skip_time();
    }
}

static void end_wait(void)
{
    if (current != NULL) {
        current->ready = NULL;
    }
}

/** The calling task is being deleted inside a wait, with the lock held. */
static void drop_wait(void *unused)
{
    (void)unused;
    end_wait();
    kernel_unlock();
}

/** Until the condition is signalled, or the clock of the machine says `deadline`; NULL: never. */
static void wait_on(pthread_cond_t *changed, const struct timespec *deadline)
{
    if (deadline == NULL) {
        pthread_cond_wait(changed, &lock);
    } else {
        (void)pthread_cond_timedwait(changed, &lock, deadline); /* the caller looks at the clock */
    }
}

/** One wait on the condition; the only place where a deleted task can end. */
static void wait_once(pthread_cond_t *changed, int64_t wakes_us)
{
    /* In this function, and not below it: it is the one that a deleted task comes back to. */
    const struct timespec deadline = steady_clock_by_machine(wakes_us);
    pthread_cleanup_push(drop_wait, NULL);
    int before = PTHREAD_CANCEL_DISABLE;
    if (current != NULL) {
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
    }
    wait_on(changed, wakes_us != INT64_MAX ? &deadline : NULL);
    if (current != NULL) {
        pthread_setcancelstate(before, &before);
    }
    pthread_cleanup_pop(0);
}

static bool not_ready(const void *unused)
{
    (void)unused;
    return false;
}

/** With the lock held, where a task waits or gives way: another one may have suspended it. */
static void stay_while_suspended(void)
{
    while (current != NULL && current->suspended) {
        begin_wait(&resumed, not_ready, NULL, INT64_MAX);
        wait_once(&resumed, INT64_MAX);
        end_wait();
    }
}

bool kernel_wait_us(pthread_cond_t *changed, kernel_ready_t ready, const void *object, uint64_t us)
{
    stay_while_suspended();
    const uint64_t far = INT64_MAX / 4; /* thousands of years; keeps sums in range */
    const int64_t wakes_us = us < far ? steady_clock_us() + (int64_t)us : INT64_MAX;
    bool over = us == 0;
    while (!ready(object) && !over) {
        begin_wait(changed, ready, object, wakes_us);
        while (!ready(object) && !over) {
            wait_once(changed, wakes_us);
            over = steady_clock_us() >= wakes_us || (current != NULL && current->wait_given_up);
        }
        end_wait();
        stay_while_suspended(); /* what was ready may not be any more after that */
    }
    return ready(object);
}

/** The wait of a task outside of the kernel, for flash or a link: nothing ends it early, not even the task's end. */
static void wait_until(int64_t us)
{
    kernel_lock();
    begin_wait(&never, not_ready, NULL, us);
    while (steady_clock_us() < us) {
        const struct timespec deadline = steady_clock_by_machine(us);
        wait_on(&never, &deadline);
    }
    end_wait();
    kernel_unlock();
}

void kernel_hurry(const kernel_hurry_t *how)
{
    hurry = *how;
    hurries = true;
    steady_clock_hurry(wait_until);
}

bool kernel_wait(pthread_cond_t *changed, kernel_ready_t ready, const void *object, TickType_t ticks)
{
    return kernel_wait_us(changed, ready, object,
                          ticks == portMAX_DELAY ? UINT64_MAX : kernel_us_of_ticks(ticks));
}

/** Takes the ended task out of the list and frees it; runs on its own thread. */
static void forget_task(void *arg)
{
    TaskHandle_t task = arg;
    for (uint32_t i = 0; i < otter_build_options.thread_local_pointers; i++) {
        if (task->locals[i].on_delete != NULL) {
            task->locals[i].on_delete((int)i, task->locals[i].value);
        }
    }
    /* Its thread would do so too late: when the last task is gone the program ends, and OpenSSL cleans up without it. */
    OPENSSL_thread_stop();
    kernel_lock();
    for (TaskHandle_t *link = &tasks; *link != NULL; link = &(*link)->next) {
        if (*link == task) {
            *link = task->next;
            break;
        }
    }
    current = NULL;
    pthread_cond_broadcast(&less_work);
    skip_time();
    kernel_unlock();
    free(task);
}

static void *run_task(void *arg)
{
    TaskHandle_t task = arg;
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    current = task;
    crash_trace_thread();
    atomic_store(&task->id, (int)gettid());
    pthread_cleanup_push(forget_task, task);
    task->function(task->arg);
    pthread_cleanup_pop(1);
    return NULL;
}

/** @param extra  bytes of stack beside those that were asked for */
static int start_thread(TaskHandle_t task, size_t extra)
{
    pthread_attr_t attributes;
    int err = pthread_attr_init(&attributes);
    if (err != 0) {
        return err;
    }
    size_t stack = ((size_t)task->stack_bytes + extra + 4095) / 4096 * 4096;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    err = pthread_attr_setstacksize(&attributes, stack);
    if (err == 0) {
        err = pthread_create(&task->thread, &attributes, run_task, task);
    }
    pthread_attr_destroy(&attributes);
    if (err == 0) {
        char name[THREAD_NAME_SIZE] = "";
        strncpy(name, task->name, sizeof(name) - 1);
        pthread_setname_np(task->thread, name); /* for debuggers; a name cannot matter */
    }
    return err;
}

/** @param extra  as start_thread() */
static BaseType_t create(TaskFunction_t function, const char *name, uint32_t stack_bytes, size_t extra,
                         void *arg, UBaseType_t priority, TaskHandle_t *out)
{
    size_t name_size = otter_build_options.task_name_size;
    size_t locals_size = otter_build_options.thread_local_pointers * sizeof(kernel_local_t);
    TaskHandle_t task = calloc(1, sizeof(*task) + locals_size + name_size);
    if (task == NULL) {
        return errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY;
    }
    task->name = (char *)task->locals + locals_size;
    strncpy(task->name, name != NULL ? name : "", name_size - 1);
    task->function = function;
    task->arg = arg;
    task->priority = priority;
    task->stack_bytes = stack_bytes;
    atomic_store(&task->signed_life, true);
    atomic_store(&task->fed_us, steady_clock_us());

    /* The lock keeps the new task from ending before its handle is told and its place in the list is taken. */
    kernel_lock();
    if (start_thread(task, extra) != 0) {
        kernel_unlock();
        free(task);
        return errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY;
    }
    task->number = ++created;
    task->next = tasks;
    tasks = task;
    if (out != NULL) {
        *out = task;
    }
    kernel_unlock();
    return pdPASS;
}

BaseType_t xTaskCreate(TaskFunction_t function, const char *name, uint32_t stack_bytes, void *arg,
                       UBaseType_t priority, TaskHandle_t *out)
{
    return create(function, name, stack_bytes, HOST_STACK_EXTRA, arg, priority, out);
}

BaseType_t xTaskCreatePinnedToCore(TaskFunction_t function, const char *name, uint32_t stack_bytes, void *arg,
                                   UBaseType_t priority, TaskHandle_t *out, BaseType_t core)
{
    (void)core;
    return xTaskCreate(function, name, stack_bytes, arg, priority, out);
}

TaskHandle_t xTaskCreateStatic(TaskFunction_t function, const char *name, uint32_t stack_bytes, void *arg,
                               UBaseType_t priority, StackType_t *stack, StaticTask_t *buffer)
{
    TaskHandle_t task = NULL;
    if (stack != NULL && buffer != NULL) {
        (void)xTaskCreate(function, name, stack_bytes, arg, priority, &task); /* leaves NULL without memory */
    }
    return task;
}

TaskHandle_t xTaskCreateStaticPinnedToCore(TaskFunction_t function, const char *name, uint32_t stack_bytes,
                                           void *arg, UBaseType_t priority, StackType_t *stack,
                                           StaticTask_t *buffer, BaseType_t core)
{
    (void)core;
    return xTaskCreateStatic(function, name, stack_bytes, arg, priority, stack, buffer);
}

TaskHandle_t kernel_current(void)
{
    return current;
}

TaskHandle_t kernel_first_task(void)
{
    return tasks;
}

pthread_cond_t *kernel_notified(void)
{
    return &notified;
}

bool kernel_is_task(TaskHandle_t task)
{
    TaskHandle_t t = tasks;
    while (t != NULL && t != task) {
        t = t->next;
    }
    return t != NULL;
}

void vTaskDelete(TaskHandle_t task)
{
    if (task == NULL || task == current) {
        pthread_exit(NULL);
    }
    kernel_lock();
    if (kernel_is_task(task)) {
        pthread_cancel(task->thread);
    }
    kernel_unlock();
}

void vTaskDelay(TickType_t ticks)
{
    if (ticks == 0) {
        otter_task_yield();
        return;
    }
    kernel_lock();
    kernel_wait(&never, not_ready, NULL, ticks);
    kernel_unlock();
}

BaseType_t xTaskDelayUntil(TickType_t *previous, TickType_t period)
{
    TickType_t now = xTaskGetTickCount();
    TickType_t passed = now - *previous;
    *previous += period;
    if (passed >= period) {
        return pdFALSE;
    }
    vTaskDelay(period - passed);
    return pdTRUE;
}

void otter_task_yield(void)
{
    kernel_lock();
    stay_while_suspended();
    kernel_unlock();
    sched_yield();
}

void vTaskSuspend(TaskHandle_t task)
{
    kernel_lock();
    task = task != NULL ? task : current;
    if (task != NULL && kernel_is_task(task)) {
        task->suspended = true;
    }
    if (task == current) {
        stay_while_suspended();
    }
    kernel_unlock();
}

void vTaskResume(TaskHandle_t task)
{
    kernel_lock();
    if (kernel_is_task(task)) {
        task->suspended = false;
        pthread_cond_broadcast(&resumed);
    }
    kernel_unlock();
}

BaseType_t xTaskResumeFromISR(TaskHandle_t task)
{
    vTaskResume(task);
    return pdFALSE;
}

BaseType_t xTaskAbortDelay(TaskHandle_t task)
{
    kernel_lock();
    bool waits = kernel_is_task(task) && task->ready != NULL && !task->suspended && !task->wait_given_up;
    if (waits) {
        task->wait_given_up = true;
        pthread_cond_broadcast(task->waits_on);
    }
    kernel_unlock();
    return waits ? pdPASS : pdFAIL;
}

eTaskState kernel_state(TaskHandle_t task)
{
    return !kernel_is_task(task) ? eDeleted
           : task == current     ? eRunning
           : task->suspended     ? eSuspended
           : task->ready != NULL ? eBlocked
                                 : eReady;
}

eTaskState eTaskGetState(TaskHandle_t task)
{
    kernel_lock();
    eTaskState state = kernel_state(task);
    kernel_unlock();
    return state;
}

TickType_t xTaskGetTickCount(void)
{
    return (TickType_t)(otter_now_us() * configTICK_RATE_HZ / 1000000);
}

TaskHandle_t xTaskGetCurrentTaskHandle(void)
{
    return current;
}

char *pcTaskGetName(TaskHandle_t task)
{
    static char none[] = "";
    task = task != NULL ? task : current;
    return task != NULL ? task->name : none;
}

TaskHandle_t xTaskGetHandle(const char *name)
{
    kernel_lock();
    TaskHandle_t task = tasks;
    while (task != NULL && strcmp(task->name, name) != 0) {
        task = task->next;
    }
    kernel_unlock();
    return task;
}

UBaseType_t uxTaskGetNumberOfTasks(void)
{
    UBaseType_t count = 0;
    kernel_lock();
    for (TaskHandle_t t = tasks; t != NULL; t = t->next) {
        count++;
    }
    kernel_unlock();
    return count;
}

UBaseType_t uxTaskPriorityGet(TaskHandle_t task)
{
    kernel_lock();
    task = task != NULL ? task : current;
    UBaseType_t priority = task != NULL ? task->priority : tskIDLE_PRIORITY;
    kernel_unlock();
    return priority;
}

void vTaskPrioritySet(TaskHandle_t task, UBaseType_t priority)
{
    kernel_lock();
    task = task != NULL ? task : current;
    if (task != NULL) {
        task->priority = priority;
    }
    kernel_unlock();
}

UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t task)
{
    task = task != NULL ? task : current;
    return task != NULL ? task->stack_bytes : 0;
}

configSTACK_DEPTH_TYPE uxTaskGetStackHighWaterMark2(TaskHandle_t task)
{
    return uxTaskGetStackHighWaterMark(task);
}

BaseType_t xTaskGetCoreID(TaskHandle_t task)
{
    (void)task;
    return 0;
}

BaseType_t xTaskGetAffinity(TaskHandle_t task)
{
    return xTaskGetCoreID(task);
}

TaskHandle_t xTaskGetCurrentTaskHandleForCore(BaseType_t core)
{
    return taskVALID_CORE_ID(core) ? current : NULL;
}

TaskHandle_t xTaskGetCurrentTaskHandleForCPU(BaseType_t core)
{
    return xTaskGetCurrentTaskHandleForCore(core);
}

TaskHandle_t xTaskGetIdleTaskHandle(void)
{
    return &idle_task;
}

TaskHandle_t xTaskGetIdleTaskHandleForCore(BaseType_t core)
{
    return taskVALID_CORE_ID(core) ? &idle_task : NULL;
}

TaskHandle_t xTaskGetIdleTaskHandleForCPU(UBaseType_t core)
{
    return xTaskGetIdleTaskHandleForCore((BaseType_t)core);
}

void vTaskSetTimeOutState(TimeOut_t *timeout)
{
    *timeout = (TimeOut_t){.xTimeOnEntering = xTaskGetTickCount()};
}

BaseType_t xTaskCheckForTimeOut(TimeOut_t *timeout, TickType_t *left)
{
    if (*left == portMAX_DELAY) {
        return pdFALSE;
    }
    TickType_t passed = xTaskGetTickCount() - timeout->xTimeOnEntering;
    if (passed >= *left) {
        *left = 0;
        return pdTRUE;
    }
    *left -= passed;
    vTaskSetTimeOutState(timeout);
    return pdFALSE;
}

/** With the lock held. NULL: no such task or index. */
static kernel_local_t *find_local(TaskHandle_t task, BaseType_t index)
{
    task = task != NULL ? task : current;
    bool there = task != NULL && kernel_is_task(task) && index >= 0 &&
                 (uint32_t)index < otter_build_options.thread_local_pointers;
    return there ? &task->locals[index] : NULL;
}

void vTaskSetThreadLocalStoragePointerAndDelCallback(TaskHandle_t task, BaseType_t index, void *value,
                                                     TlsDeleteCallbackFunction_t on_delete)
{
    kernel_lock();
    kernel_local_t *local = find_local(task, index);
    if (local != NULL) {
        *local = (kernel_local_t){value, on_delete};
    }
    kernel_unlock();
}

void vTaskSetThreadLocalStoragePointer(TaskHandle_t task, BaseType_t index, void *value)
{
    vTaskSetThreadLocalStoragePointerAndDelCallback(task, index, value, NULL);
}

void *pvTaskGetThreadLocalStoragePointer(TaskHandle_t task, BaseType_t index)
{
    kernel_lock();
    const kernel_local_t *local = find_local(task, index);
    void *value = local != NULL ? local->value : NULL;
    kernel_unlock();
    return value;
}

/** With room below, which what comes after it uses, instead of where its variables lay. */
static __attribute__((noinline)) void call_below(void (*function)(void))
{
    volatile char room[MAIN_ROOM];
    room[0] = 0;
    function();
    (void)room[0]; /* it is still in use */
}

/** On a chip a task of higher priority runs as soon as app_main() has made it, and reads what that has given it by address
    before app_main() returns. Here both run at once: the frame stays for a moment, so that such a program works here, too. */
static void main_task(void *arg)
{
    void (*function)(void);
    memcpy(&function, arg, sizeof(function));
    free(arg);
    call_below(function);
    if (uxTaskGetNumberOfTasks() > 1) {
        vTaskDelay(pdMS_TO_TICKS(MAIN_STAYS_MS));
    }
}

bool kernel_start_main(void (*function)(void))
{
    void *arg = malloc(sizeof(function)); /* a function pointer does not fit a void pointer in C */
    if (arg == NULL) {
        return false;
    }
    memcpy(arg, &function, sizeof(function));
    if (create(main_task, "main", otter_build_options.main_task_stack, MAIN_STACK_EXTRA, arg, 1, NULL) !=
        pdPASS) {
        free(arg);
        return false;
    }
    return true;
}

static bool watchdog_runs;

void kernel_watchdog_runs(void)
{
    watchdog_runs = true;
}

static bool watched_users;

void kernel_watches_users(bool any)
{
    watched_users = any;
}

static bool is_idle(void)
{
    if (watchdog_runs && watched_users) {
        return false;
    }
    for (TaskHandle_t t = tasks; t != NULL; t = t->next) {
        bool reset_comes = watchdog_runs && t->subscribed;
        if (t->ready == NULL || !t->waits_forever || t->ready(t->waits_for) || reset_comes) {
            return false;
        }
    }
    return true;
}

bool kernel_wait_idle(uint32_t ms)
{
    kernel_lock();
    struct timespec deadline; /* of the machine: the runner waits by it */
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += (time_t)(ms / 1000);
    deadline.tv_nsec += (long)(ms % 1000) * 1000000;
    deadline.tv_sec += deadline.tv_nsec / 1000000000;
    deadline.tv_nsec %= 1000000000;
    int result = 0;
    while (!is_idle() && result != ETIMEDOUT) {
        result = pthread_cond_timedwait(&less_work, &lock, &deadline);
    }
    bool idle = is_idle();
    kernel_unlock();
    return idle;
}
