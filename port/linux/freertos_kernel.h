/* What the FreeRTOS objects on Linux share: one lock, the wait, and what is known of all tasks. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/task.h"
#include "linux/thread_state.h"
#include "otter/promise.h"

/*
 * Invariants:
 * 1. All state of tasks, queues, semaphores and event groups is read and changed under the one kernel lock.
 * 2. A change that could make somebody's wait come true is followed by a broadcast on that object's condition.
 * 3. A task that waits says what for (a predicate on an object), so that "nothing will ever happen again" can be
 *    decided exactly: every task waits without limit, and no predicate holds.
 */

/** Says if a wait is over. Called with the lock held; must not change anything. */
typedef bool (*kernel_ready_t)(const void *object);

void kernel_lock(void);
void kernel_unlock(void);

#define KERNEL_NOTIFICATIONS 32 /* what configTASK_NOTIFICATION_ARRAY_ENTRIES may be at most */

/** One direct-to-task notification. */
typedef struct {
    uint32_t value;
    bool pending; /* notified since it was last waited for */
} kernel_notification_t;

/** A thread-local storage pointer, and what is called with it when the task ends. */
typedef struct {
    void *value;
    TlsDeleteCallbackFunction_t on_delete;
} kernel_local_t;

struct tskTaskControlBlock {
    struct tskTaskControlBlock *next;
    pthread_t thread;
    TaskFunction_t function;
    void *arg;
    UBaseType_t priority;
    UBaseType_t number;   /* the first task that was created is 1 */
    uint32_t stack_bytes; /* as asked for */
    char *name;           /* cut to the build's length, terminated; behind `locals` */
    kernel_notification_t notifications[KERNEL_NOTIFICATIONS];
    pthread_cond_t *waits_on; /* the condition of the wait it is in */
    kernel_ready_t ready;     /* what it waits for, NULL: it runs */
    const void *waits_for;
    bool waits_forever;
    int64_t wakes_us;   /* when it stops waiting at the latest, by steady_clock_us() */
    bool wait_given_up; /* xTaskAbortDelay() */
    bool suspended;     /* it stays where it next waits */
    bool subscribed;    /* to the task watchdog: only esp_task_wdt_reset() is a sign of life */
    atomic_bool signed_life;
    atomic_llong fed_us;     /* when it was, by steady_clock_us() */
    atomic_int id;           /* of the thread, as the kernel calls it; 0: it has not run yet */
    thread_state_t looked;   /* what was known when the watchdog last looked */
    kernel_local_t locals[]; /* as many as the build says */
};

/** The calling task; NULL outside of tasks. */
TaskHandle_t kernel_current(void);

/** The condition of all notifications. */
pthread_cond_t *kernel_notified(void);

/** With the lock held: the list of all tasks. */
TaskHandle_t kernel_first_task(void);

/** With the lock held: whether this is a task that has not ended. */
bool kernel_is_task(TaskHandle_t task);

/** With the lock held: what it does. Deleted, if it is no task. */
eTaskState kernel_state(TaskHandle_t task);

/** A condition whose time-outs follow the monotonic clock. */
void kernel_condition_init(pthread_cond_t *condition);

/** With the lock held: whether a task waits on it. */
bool kernel_is_waited_for(const pthread_cond_t *condition);

/**
 * Its object is deleted. @return false: tasks wait on it, for as long as they wanted to, so that its memory must stay. On a chip
 * they would look at memory that is somebody else's.
 */
OTTER_MUST_CHECK bool kernel_condition_end(pthread_cond_t *condition);

/** A caller that errs is a panic, as FreeRTOS's assertions are: the console says function and reason. */
void kernel_panic(const char *function, const char *reason) __attribute__((noreturn));

static inline void kernel_check(bool holds, const char *function, const char *reason)
{
    if (!holds) {
        kernel_panic(function, reason);
    }
}

/** With the lock held: tells a set that one of its members has an item more. */
void queue_set_tell(QueueSetHandle_t set, QueueSetMemberHandle_t member);

/**
 * With the lock held: wait until ready(object), at most `ticks` ticks. A task deleted by another one ends in here.
 * @return ready(object)
 */
bool kernel_wait(pthread_cond_t *changed, kernel_ready_t ready, const void *object, TickType_t ticks);

/** The same with a limit in microseconds; UINT64_MAX: none. */
bool kernel_wait_us(pthread_cond_t *changed, kernel_ready_t ready, const void *object, uint64_t us);

/** Rounded up: a wait is at least as long as was asked. */
uint64_t kernel_us_of_ticks(TickType_t ticks);

/** Runs `function` on a task named "main", as ESP-IDF runs app_main(). @return false when out of memory */
OTTER_MUST_CHECK bool kernel_start_main(void (*function)(void));

/** Waits up to `ms` for the firmware to be idle: each task has ended or waits for what no other can bring. */
bool kernel_wait_idle(uint32_t ms);

/** A task that the watchdog waits for. */
typedef struct {
    char name[32];
    bool subscribed; /* it does not call esp_task_wdt_reset(); else it uses the processor all the time */
} kernel_silent_t;

/**
 * True if every task has shown life since the last call that returned true: it blocked, in whatever call, or kernel_alive()
 * was called for it. A task that subscribed to the task watchdog has if it called esp_task_wdt_reset(), and not else.
 * @param silent  written when false is returned: one that has not; may be NULL
 */
bool kernel_all_alive(kernel_silent_t *silent);

/** There is a watchdog, so a subscribed task that waits for ever is not the end: a reset comes. */
void kernel_watchdog_runs(void);

/** With the lock held: whether the watchdog waits for users that the program has named (esp_task_wdt_add_user). */
void kernel_watches_users(bool any);

/** What kernel_hurry() asks of the watchdog. */
typedef struct {
    int64_t limit_us; /* a subscribed task that is silent for so long hangs; 0: no watchdog */
    /** Which is to show life first, and when it did last. @return INT64_MAX: none has to */
    int64_t (*first)(kernel_silent_t *silent);
    /** It has not. Does not return. */
    void (*hang)(const kernel_silent_t *silent);
} kernel_hurry_t;

/**
 * From now on time is skipped that all tasks wait for: no task runs, or waits for something that this clock does not know, as
 * bytes of a socket. Before the first task. Both functions are called with the lock held.
 */
void kernel_hurry(const kernel_hurry_t *how);

/** With the lock held: kernel_hurry_t.first of the task watchdog. */
int64_t kernel_first_to_feed(kernel_silent_t *silent);

/** Sign of life of the calling task; nothing outside of tasks. */
void kernel_alive(void);
