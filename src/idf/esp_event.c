/* Event loops, on FreeRTOS names only: a queue, mostly a task, handlers in the order of registration. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_event.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "freertos/queue.h"
#include "freertos/semphr.h"
#include "freertos/task.h"

#include "esp_http_client.h"
#include "http/event_mirror.h"
#include "otter/build_options.h"
#include "otter/system.h"

#define LOOP_TASK_PRIORITY 20

/*
 * Tasks may post, register, create and delete at the same time, and one that waits in here may be deleted. Invariants:
 * 1. The handler list is changed and walked only with `mutex` held (recursive: a handler may register and unregister).
 * 2. While an event is dispatched no node leaves the list: unregistering marks it, sweep(loop) frees it afterwards.
 * 3. Handlers registered while an event is dispatched see the next event first: they stand behind `last`.
 * 4. `life` belongs to OTTER_LOCK_SYSTEM, which may be taken with `mutex` held, not the other way.
 * 5. The queue and the semaphores of the default loop are made once and stay: whoever waits for them when the loop is deleted
 *    needs them still. A loop that a program created is its own: nobody else uses it when it is deleted.
 * 6. A loop with a task is ended by that task (end_loop); whoever asks for it only waits, and may be deleted meanwhile.
 * 7. What is in the queue while no loop runs is dropped by whoever put it there (drop_if_over), so those who wait for room
 *    get it, one after the other; what was meant for an earlier loop is dropped by the task of the present one.
 */
typedef struct handler_node {
    struct handler_node *next;
    esp_event_base_t base;
    int32_t id;
    esp_event_handler_t handler;
    void *arg;
    bool is_instance; /* registered as an instance: never merged with another registration */
    bool removed;
} handler_node_t;

typedef struct {
    esp_event_base_t base;
    int32_t id;
    uint32_t generation; /* of the loop that it was posted to */
    void *data;          /* owned; NULL for none */
} posted_event_t;

typedef enum { LOOP_NONE, LOOP_CHANGING, LOOP_RUNS } loop_state_t; /* changing: being created or deleted */

/** What OTTER_LOCK_SYSTEM guards. */
typedef struct {
    loop_state_t state;
    bool ends;            /* somebody has asked for it */
    uint32_t generation;  /* counts the loops that there have been */
    TaskHandle_t task;    /* NULL: whoever calls esp_event_loop_run() */
    TaskHandle_t running; /* the task that runs handlers now */
} loop_life_t;

typedef struct {
    loop_life_t life;
    QueueHandle_t queue;
    SemaphoreHandle_t mutex;
    SemaphoreHandle_t stopped; /* given when the loop has ended */
    handler_node_t *handlers;
    unsigned dispatching; /* how deep: a handler may run the loop */
} event_loop_t;

static event_loop_t default_loop;

/** The base of an event that only makes the task look up; its address is nobody else's (not const: no compiler merges it). */
static char wake_event[] = "wake";

static bool wants(const handler_node_t *node, const posted_event_t *event)
{
    return !node->removed && (node->base == ESP_EVENT_ANY_BASE || node->base == event->base) &&
           (node->id == ESP_EVENT_ANY_ID || node->id == event->id);
}

static void sweep(event_loop_t *loop)
{
    handler_node_t **link = &loop->handlers;
    while (*link != NULL) {
        handler_node_t *node = *link;
        if (node->removed) {
            *link = node->next;
            free(node);
        } else {
            link = &node->next;
        }
    }
}

static void set_running(event_loop_t *loop, TaskHandle_t task)
{
    otter_lock(OTTER_LOCK_SYSTEM);
    loop->life.running = task;
    otter_unlock(OTTER_LOCK_SYSTEM);
}

static void dispatch(event_loop_t *loop, const posted_event_t *event)
{
    xSemaphoreTakeRecursive(loop->mutex, portMAX_DELAY);
    set_running(loop, xTaskGetCurrentTaskHandle());
    loop->dispatching++;
    handler_node_t *last = loop->handlers;
    while (last != NULL && last->next != NULL) {
        last = last->next;
    }
    for (handler_node_t *node = loop->handlers; node != NULL; node = node->next) {
        if (wants(node, event)) {
            node->handler(node->arg, event->base, event->id, event->data);
        }
        if (node == last) {
            break;
        }
    }
    if (--loop->dispatching == 0) { /* not where a handler runs the loop itself */
        sweep(loop);
        set_running(loop, NULL);
    }
    xSemaphoreGiveRecursive(loop->mutex);
}

/** The loop's state now. @return false: there is none */
static bool look_at(const event_loop_t *loop, loop_life_t *now)
{
    otter_lock(OTTER_LOCK_SYSTEM);
    *now = loop->life;
    otter_unlock(OTTER_LOCK_SYSTEM);
    return now->state == LOOP_RUNS;
}

/** Handles the next event, waiting for it at most `wait` ticks. @return false: none came */
static bool run_once(event_loop_t *loop, uint32_t generation, TickType_t wait)
{
    posted_event_t event;
    if (xQueueReceive(loop->queue, &event, wait) != pdTRUE) {
        return false;
    }
    if (event.generation == generation && event.base != wake_event) {
        dispatch(loop, &event);
    }
    free(event.data);
    return true;
}

static void drop_events(event_loop_t *loop)
{
    posted_event_t event;
    while (xQueueReceive(loop->queue, &event, 0) == pdTRUE) {
        free(event.data);
    }
}

/** An event of `generation` is in the queue now. @return true: nobody will look at it, and no other that was there */
static bool drop_if_over(event_loop_t *loop, uint32_t generation)
{
    otter_lock(OTTER_LOCK_SYSTEM);
    if (loop->life.state == LOOP_NONE) {
        drop_events(loop); /* waits for nobody */
    }
    bool over = loop->life.state != LOOP_RUNS || loop->life.generation != generation;
    otter_unlock(OTTER_LOCK_SYSTEM);
    return over;
}

/** What is left of a loop in LOOP_CHANGING goes: the handlers, then the events, so that no handler is found afterwards. */
static void end_loop(event_loop_t *loop)
{
    xSemaphoreTakeRecursive(loop->mutex, portMAX_DELAY);
    for (handler_node_t *node = loop->handlers; node != NULL; node = node->next) {
        node->removed = true;
    }
    sweep(loop);
    xSemaphoreGiveRecursive(loop->mutex);
    otter_lock(OTTER_LOCK_SYSTEM);
    loop->life.state = LOOP_NONE;
    drop_events(loop);
    xSemaphoreGive(
        loop->stopped); /* last: a loop that a program created is gone when its owner hears of this */
    otter_unlock(OTTER_LOCK_SYSTEM);
}

/** True until somebody asks for the loop's end; also while it is being created. */
static bool goes_on(event_loop_t *loop)
{
    otter_lock(OTTER_LOCK_SYSTEM);
    bool on = !loop->life.ends;
    otter_unlock(OTTER_LOCK_SYSTEM);
    return on;
}

static void loop_task(void *arg)
{
    event_loop_t *loop = arg;
    loop_life_t now;
    (void)look_at(loop, &now); /* its generation is this task's, whatever the state */
    while (goes_on(loop) && run_once(loop, now.generation, portMAX_DELAY)) {
    }
    end_loop(loop);
    vTaskDelete(NULL);
}

/** The HTTP client works without anybody who listens: an event that finds no room is lost, as in ESP-IDF. */
static void post_http_event(int32_t id, const void *data, size_t size)
{
    (void)esp_event_post(ESP_HTTP_CLIENT_EVENT, id, data, size,
                         otter_build_options.http_client_event_post_wait);
}

/** Makes what a loop stands on, if an earlier one has not. @return false: out of memory */
static bool make_objects(event_loop_t *loop, uint32_t queue_size)
{
    if (loop->queue == NULL) {
        loop->queue = xQueueCreate(queue_size, sizeof(posted_event_t));
    }
    if (loop->mutex == NULL) {
        loop->mutex = xSemaphoreCreateRecursiveMutex();
    }
    if (loop->stopped == NULL) {
        loop->stopped = xSemaphoreCreateBinary();
    }
    return loop->queue != NULL && loop->mutex != NULL && loop->stopped != NULL;
}

/** Gives a loop that nobody uses yet what it needs. @return ESP_OK, ESP_ERR_NO_MEM, ESP_FAIL (no task) */
static esp_err_t start_loop(event_loop_t *loop, const esp_event_loop_args_t *args)
{
    TaskHandle_t task = NULL;
    otter_lock(OTTER_LOCK_SYSTEM);
    loop->life.generation++; /* the task knows itself by it */
    loop->life.ends = false;
    otter_unlock(OTTER_LOCK_SYSTEM);
    esp_err_t err = make_objects(loop, (UBaseType_t)args->queue_size) ? ESP_OK : ESP_ERR_NO_MEM;
    if (err == ESP_OK) {
        (void)xSemaphoreTake(loop->stopped,
                             0); /* who waited for the end of the last one may have been deleted */
    }
    if (err == ESP_OK && args->task_name != NULL &&
        xTaskCreatePinnedToCore(loop_task, args->task_name, args->task_stack_size, loop, args->task_priority,
                                &task, args->task_core_id) != pdPASS) {
        err = ESP_FAIL;
    }
    otter_lock(OTTER_LOCK_SYSTEM);
    loop->life.state = err == ESP_OK ? LOOP_RUNS : LOOP_NONE;
    loop->life.task = task;
    otter_unlock(OTTER_LOCK_SYSTEM);
    return err;
}

/** Has a loop ended that runs, and waits for that, so for the handler in progress, too. @return false: it does not run */
static bool stop_loop(event_loop_t *loop)
{
    otter_lock(OTTER_LOCK_SYSTEM);
    bool ran = loop->life.state == LOOP_RUNS;
    if (ran) {
        loop->life.state = LOOP_CHANGING;
        loop->life.ends = true;
    }
    bool has_task = loop->life.task != NULL;
    otter_unlock(OTTER_LOCK_SYSTEM);
    if (ran && has_task) {
        const posted_event_t wake = {.base = wake_event};
        (void)xQueueSendToFront(loop->queue, &wake, 0); /* a full queue wakes it, too */
        xSemaphoreTake(loop->stopped, portMAX_DELAY);
    } else if (ran) {
        end_loop(loop);
    }
    return ran;
}

/** Whether the calling task is the one that handles events, and so must not wait for that. */
static bool is_own_task(const loop_life_t *now)
{
    TaskHandle_t caller = xTaskGetCurrentTaskHandle();
    return caller != NULL && (caller == now->task || caller == now->running);
}

esp_err_t esp_event_loop_create_default(void)
{
    otter_lock(OTTER_LOCK_SYSTEM);
    bool none = default_loop.life.state == LOOP_NONE;
    if (none) {
        default_loop.life.state = LOOP_CHANGING;
    }
    otter_unlock(OTTER_LOCK_SYSTEM);
    if (!none) {
        return ESP_ERR_INVALID_STATE;
    }
    const esp_event_loop_args_t args = {.queue_size = (int32_t)otter_build_options.event_queue_size,
                                        .task_name = "sys_evt",
                                        .task_priority = LOOP_TASK_PRIORITY,
                                        .task_stack_size = otter_build_options.event_task_stack};
    if (start_loop(&default_loop, &args) != ESP_OK) {
        return ESP_ERR_NO_MEM;
    }
    otter_http_set_event_mirror(post_http_event); /* for good: without a loop it does nothing */
    return ESP_OK;
}

esp_err_t esp_event_loop_delete_default(void)
{
    loop_life_t now;
    if (look_at(&default_loop, &now) && is_own_task(&now)) {
        return ESP_FAIL;
    }
    return stop_loop(&default_loop) ? ESP_OK : ESP_ERR_INVALID_STATE;
}

static void free_loop(event_loop_t *loop)
{
    if (loop->queue != NULL) {
        drop_events(loop);
        vQueueDelete(loop->queue);
    }
    if (loop->mutex != NULL) {
        vSemaphoreDelete(loop->mutex);
    }
    if (loop->stopped != NULL) {
        vSemaphoreDelete(loop->stopped);
    }
    free(loop);
}

esp_err_t esp_event_loop_create(const esp_event_loop_args_t *args, esp_event_loop_handle_t *out)
{
    if (args == NULL || out == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    event_loop_t *loop = args->queue_size > 0 ? calloc(1, sizeof(*loop)) : NULL;
    if (loop == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = start_loop(loop, args);
    if (err != ESP_OK) {
        free_loop(loop);
        return err;
    }
    *out = loop;
    return ESP_OK;
}

esp_err_t esp_event_loop_delete(esp_event_loop_handle_t handle)
{
    event_loop_t *loop = handle;
    loop_life_t now;
    if (loop == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (look_at(loop, &now) && is_own_task(&now)) {
        return ESP_FAIL;
    }
    (void)stop_loop(loop); /* it runs: nobody else may use it any more */
    free_loop(loop);
    return ESP_OK;
}

esp_err_t esp_event_loop_run(esp_event_loop_handle_t handle, TickType_t ticks)
{
    event_loop_t *loop = handle;
    loop_life_t now;
    if (loop == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    (void)look_at(loop, &now);
    TimeOut_t since;
    vTaskSetTimeOutState(&since);
    while (run_once(loop, now.generation, ticks) && xTaskCheckForTimeOut(&since, &ticks) == pdFALSE) {
    }
    return ESP_OK;
}

esp_err_t esp_event_dump(FILE *file)
{
    (void)file; /* as without CONFIG_ESP_EVENT_LOOP_PROFILING: there is nothing to tell */
    return ESP_OK;
}

/**
 * The handler list, to this task alone until unlock_handlers().
 * @return false: there is no loop, and nothing to unlock
 */
static bool lock_handlers(event_loop_t *loop)
{
    loop_life_t now;
    if (!look_at(loop, &now)) {
        return false;
    }
    xSemaphoreTakeRecursive(loop->mutex, portMAX_DELAY);
    bool runs = look_at(
        loop, &now); /* the loop still runs, or runs again; if it ends now, that waits for the mutex */
    if (!runs) {
        xSemaphoreGiveRecursive(loop->mutex);
    }
    return runs;
}

static void unlock_handlers(event_loop_t *loop)
{
    xSemaphoreGiveRecursive(loop->mutex);
}

/** The registration that a plain (not instance) call with these arguments means; NULL if there is none. */
static handler_node_t *find_plain(event_loop_t *loop, esp_event_base_t base, int32_t id,
                                  esp_event_handler_t handler)
{
    handler_node_t *node = loop->handlers;
    while (node != NULL && (node->removed || node->is_instance || node->base != base || node->id != id ||
                            node->handler != handler)) {
        node = node->next;
    }
    return node;
}

static handler_node_t *append(event_loop_t *loop, const handler_node_t *content)
{
    handler_node_t *node = malloc(sizeof(*node));
    if (node == NULL) {
        return NULL;
    }
    *node = *content;
    handler_node_t **link = &loop->handlers;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = node;
    return node;
}

/** Which events a handler can be registered for: a base with any or one id, or all there are. */
static bool is_registrable(esp_event_base_t base, int32_t id)
{
    return base != ESP_EVENT_ANY_BASE || id == ESP_EVENT_ANY_ID;
}

static esp_err_t register_handler(event_loop_t *loop, const handler_node_t *content,
                                  esp_event_handler_instance_t *instance)
{
    if (!lock_handlers(loop)) {
        return ESP_ERR_INVALID_STATE;
    }
    esp_err_t err = ESP_ERR_INVALID_ARG;
    if (content->handler != NULL && is_registrable(content->base, content->id)) {
        handler_node_t *node =
            content->is_instance ? NULL : find_plain(loop, content->base, content->id, content->handler);
        if (node != NULL) {
            node->arg = content->arg;
        } else {
            node = append(loop, content);
        }
        if (node != NULL && instance != NULL) {
            *instance = node;
        }
        err = node != NULL ? ESP_OK : ESP_ERR_NO_MEM;
    }
    unlock_handlers(loop);
    return err;
}

static void remove_node(event_loop_t *loop, handler_node_t *node)
{
    if (node != NULL) {
        node->removed = true;
    }
    if (loop->dispatching == 0) {
        sweep(loop);
    }
}

/** Found by its address only, so a stale instance is never looked into. @return NULL: it is not there */
static handler_node_t *find_instance(event_loop_t *loop, esp_event_base_t base, int32_t id,
                                     esp_event_handler_instance_t instance)
{
    handler_node_t *node = loop->handlers;
    while (node != NULL && node != instance) {
        node = node->next;
    }
    return node != NULL && node->base == base && node->id == id ? node : NULL;
}

static esp_err_t unregister(event_loop_t *loop, esp_event_base_t base, int32_t id,
                            esp_event_handler_t handler, esp_event_handler_instance_t instance)
{
    if (!lock_handlers(loop)) {
        return ESP_ERR_INVALID_STATE;
    }
    bool usable = (handler != NULL || instance != NULL) && is_registrable(base, id);
    if (usable) {
        remove_node(loop, handler != NULL ? find_plain(loop, base, id, handler)
                                          : find_instance(loop, base, id, instance));
    }
    unlock_handlers(loop);
    return usable ? ESP_OK : ESP_ERR_INVALID_ARG;
}

static esp_err_t post(event_loop_t *loop, esp_event_base_t base, int32_t id, const void *data, size_t len,
                      TickType_t wait)
{
    loop_life_t now;
    if (!look_at(loop, &now)) {
        return ESP_ERR_INVALID_STATE;
    }
    if (base == ESP_EVENT_ANY_BASE || id == ESP_EVENT_ANY_ID) {
        return ESP_ERR_INVALID_ARG;
    }
    posted_event_t event = {.base = base, .id = id, .generation = now.generation};
    if (data != NULL && len > 0) {
        event.data = malloc(len);
        if (event.data == NULL) {
            return ESP_ERR_NO_MEM;
        }
        memcpy(event.data, data, len);
    }
    /* The loop task is the one that makes room: if it waited here, it would wait for itself. */
    if (xQueueSend(loop->queue, &event, is_own_task(&now) ? 0 : wait) != pdTRUE) {
        free(event.data);
        return ESP_ERR_TIMEOUT;
    }
    return drop_if_over(loop, event.generation) ? ESP_ERR_INVALID_STATE : ESP_OK;
}

static esp_err_t post_from_isr(event_loop_t *loop, esp_event_base_t base, int32_t id, const void *data,
                               size_t len)
{
    if (len > sizeof(uint32_t)) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = post(loop, base, id, data, len, 0);
    return err == ESP_ERR_TIMEOUT ? ESP_FAIL : err;
}

/* ---- the names, of the default loop and of any ---- */

esp_err_t esp_event_handler_register(esp_event_base_t base, int32_t id, esp_event_handler_t handler,
                                     void *arg)
{
    return esp_event_handler_register_with(&default_loop, base, id, handler, arg);
}

esp_err_t esp_event_handler_register_with(esp_event_loop_handle_t loop, esp_event_base_t base, int32_t id,
                                          esp_event_handler_t handler, void *arg)
{
    const handler_node_t content = {.base = base, .id = id, .handler = handler, .arg = arg};
    return loop != NULL ? register_handler(loop, &content, NULL) : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_event_handler_instance_register(esp_event_base_t base, int32_t id, esp_event_handler_t handler,
                                              void *arg, esp_event_handler_instance_t *instance)
{
    return esp_event_handler_instance_register_with(&default_loop, base, id, handler, arg, instance);
}

esp_err_t esp_event_handler_instance_register_with(esp_event_loop_handle_t loop, esp_event_base_t base,
                                                   int32_t id, esp_event_handler_t handler, void *arg,
                                                   esp_event_handler_instance_t *instance)
{
    const handler_node_t content = {
        .base = base, .id = id, .handler = handler, .arg = arg, .is_instance = true};
    return loop != NULL ? register_handler(loop, &content, instance) : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_event_handler_unregister(esp_event_base_t base, int32_t id, esp_event_handler_t handler)
{
    return unregister(&default_loop, base, id, handler, NULL);
}

esp_err_t esp_event_handler_unregister_with(esp_event_loop_handle_t loop, esp_event_base_t base, int32_t id,
                                            esp_event_handler_t handler)
{
    return loop != NULL ? unregister(loop, base, id, handler, NULL) : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_event_handler_instance_unregister(esp_event_base_t base, int32_t id,
                                                esp_event_handler_instance_t instance)
{
    return unregister(&default_loop, base, id, NULL, instance);
}

esp_err_t esp_event_handler_instance_unregister_with(esp_event_loop_handle_t loop, esp_event_base_t base,
                                                     int32_t id, esp_event_handler_instance_t instance)
{
    return loop != NULL ? unregister(loop, base, id, NULL, instance) : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_event_post(esp_event_base_t base, int32_t id, const void *data, size_t len, TickType_t wait)
{
    return post(&default_loop, base, id, data, len, wait);
}

esp_err_t esp_event_post_to(esp_event_loop_handle_t loop, esp_event_base_t base, int32_t id, const void *data,
                            size_t len, TickType_t wait)
{
    return loop != NULL ? post(loop, base, id, data, len, wait) : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_event_isr_post(esp_event_base_t base, int32_t id, const void *data, size_t len,
                             BaseType_t *woken)
{
    (void)woken;
    return post_from_isr(&default_loop, base, id, data, len);
}

esp_err_t esp_event_isr_post_to(esp_event_loop_handle_t loop, esp_event_base_t base, int32_t id,
                                const void *data, size_t len, BaseType_t *woken)
{
    (void)woken;
    return loop != NULL ? post_from_isr(loop, base, id, data, len) : ESP_ERR_INVALID_ARG;
}
