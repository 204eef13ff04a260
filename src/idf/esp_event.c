/* The default event loop, on FreeRTOS names only: one queue, one task, handlers in the order of registration. */
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
 * 2. While an event is dispatched no node leaves the list: unregistering marks it, sweep() frees it afterwards.
 * 3. Handlers registered while an event is dispatched see the next event first: they stand behind `last`.
 * 4. `state`, `generation` and `task` belong to OTTER_LOCK_SYSTEM, which may be taken with `mutex` held, not the other way.
 * 5. The queue and the semaphores are made once and stay: whoever waits for them when the loop is deleted needs them still.
 * 6. What is in the queue while no loop runs is dropped by whoever put it there (drop_if_over), so those who wait for room
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

/** The default loop. */
static struct {
    loop_state_t state;
    uint32_t generation; /* counts the loops that there have been */
    TaskHandle_t task;
    QueueHandle_t queue;
    SemaphoreHandle_t mutex;
    SemaphoreHandle_t stopped; /* given by the loop task as its last act */
    handler_node_t *handlers;
    bool dispatching;
} loop;

/** The base of the event that ends the loop; its address is nobody else's (not const: no compiler merges it). */
static char stop_event[] = "stop";

static bool wants(const handler_node_t *node, const posted_event_t *event)
{
    return !node->removed && (node->base == ESP_EVENT_ANY_BASE || node->base == event->base) &&
           (node->id == ESP_EVENT_ANY_ID || node->id == event->id);
}

static void sweep(void)
{
    handler_node_t **link = &loop.handlers;
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

static void dispatch(const posted_event_t *event)
{
    xSemaphoreTakeRecursive(loop.mutex, portMAX_DELAY);
    loop.dispatching = true;
    handler_node_t *last = loop.handlers;
    while (last != NULL && last->next != NULL) {
        last = last->next;
    }
    for (handler_node_t *node = loop.handlers; node != NULL; node = node->next) {
        if (wants(node, event)) {
            node->handler(node->arg, event->base, event->id, event->data);
        }
        if (node == last) {
            break;
        }
    }
    loop.dispatching = false;
    sweep();
    xSemaphoreGiveRecursive(loop.mutex);
}

static void loop_task(void *arg)
{
    const uint32_t generation = (uint32_t)(uintptr_t)arg;
    posted_event_t event;
    for (;;) {
        xQueueReceive(loop.queue, &event, portMAX_DELAY);
        if (event.base == stop_event) {
            break;
        }
        if (event.generation == generation) {
            dispatch(&event);
        }
        free(event.data);
    }
    xSemaphoreGive(loop.stopped);
    vTaskDelete(NULL);
}

static void drop_events(void)
{
    posted_event_t event;
    while (xQueueReceive(loop.queue, &event, 0) == pdTRUE) {
        free(event.data);
    }
}

/** An event of `generation` is in the queue now. @return true: nobody will look at it, and no other that was there */
static bool drop_if_over(uint32_t generation)
{
    otter_lock(OTTER_LOCK_SYSTEM);
    if (loop.state == LOOP_NONE) {
        drop_events(); /* waits for nobody */
    }
    bool over = loop.state != LOOP_RUNS || loop.generation != generation;
    otter_unlock(OTTER_LOCK_SYSTEM);
    return over;
}

/** One step of the loop's life, if it is in the state `from`. @return false: it is not */
static bool change_state(loop_state_t from, loop_state_t to)
{
    otter_lock(OTTER_LOCK_SYSTEM);
    bool changes = loop.state == from;
    if (changes) {
        loop.state = to;
    }
    otter_unlock(OTTER_LOCK_SYSTEM);
    return changes;
}

/** @return false: there is no loop; else its task and generation are written */
static bool find_loop(TaskHandle_t *task, uint32_t *generation)
{
    otter_lock(OTTER_LOCK_SYSTEM);
    bool runs = loop.state == LOOP_RUNS;
    *task = loop.task;
    *generation = loop.generation;
    otter_unlock(OTTER_LOCK_SYSTEM);
    return runs;
}

/** The HTTP client works without anybody who listens: an event that finds no room is lost, as in ESP-IDF. */
static void post_http_event(int32_t id, const void *data, size_t size)
{
    (void)esp_event_post(ESP_HTTP_CLIENT_EVENT, id, data, size,
                         otter_build_options.http_client_event_post_wait);
}

/** Makes what a loop stands on, if an earlier one has not. @return false: out of memory */
static bool make_objects(void)
{
    if (loop.queue == NULL) {
        loop.queue = xQueueCreate(otter_build_options.event_queue_size, sizeof(posted_event_t));
    }
    if (loop.mutex == NULL) {
        loop.mutex = xSemaphoreCreateRecursiveMutex();
    }
    if (loop.stopped == NULL) {
        loop.stopped = xSemaphoreCreateBinary();
    }
    return loop.queue != NULL && loop.mutex != NULL && loop.stopped != NULL;
}

esp_err_t esp_event_loop_create_default(void)
{
    if (!change_state(LOOP_NONE, LOOP_CHANGING)) {
        return ESP_ERR_INVALID_STATE;
    }
    const uint32_t generation = loop.generation + 1; /* nobody else changes it now */
    TaskHandle_t task;
    bool started =
        make_objects() && xTaskCreate(loop_task, "sys_evt", otter_build_options.event_task_stack,
                                      (void *)(uintptr_t)generation, LOOP_TASK_PRIORITY, &task) == pdPASS;
    otter_lock(OTTER_LOCK_SYSTEM);
    loop.state = started ? LOOP_RUNS : LOOP_NONE;
    if (started) {
        loop.task = task;
        loop.generation = generation;
    }
    otter_unlock(OTTER_LOCK_SYSTEM);
    if (!started) {
        return ESP_ERR_NO_MEM;
    }
    otter_http_set_event_mirror(post_http_event); /* for good: without a loop it does nothing */
    return ESP_OK;
}

esp_err_t esp_event_loop_delete_default(void)
{
    TaskHandle_t task;
    uint32_t generation;
    if (find_loop(&task, &generation) && xTaskGetCurrentTaskHandle() == task) {
        return ESP_FAIL;
    }
    if (!change_state(LOOP_RUNS, LOOP_CHANGING)) {
        return ESP_ERR_INVALID_STATE;
    }
    const posted_event_t stop = {.base = stop_event};
    xQueueSendToFront(loop.queue, &stop, portMAX_DELAY);
    xSemaphoreTake(loop.stopped, portMAX_DELAY);
    xSemaphoreTakeRecursive(loop.mutex, portMAX_DELAY);
    for (handler_node_t *node = loop.handlers; node != NULL; node = node->next) {
        node->removed = true;
    }
    sweep();
    xSemaphoreGiveRecursive(loop.mutex);
    (void)change_state(LOOP_CHANGING, LOOP_NONE); /* nobody else leaves that state */
    (void)drop_if_over(generation);
    return ESP_OK;
}

/**
 * The handler list, to this task alone until unlock_handlers().
 * @return false: there is no loop, and nothing to unlock
 */
static bool lock_handlers(void)
{
    TaskHandle_t task;
    uint32_t generation;
    if (!find_loop(&task, &generation)) {
        return false;
    }
    xSemaphoreTakeRecursive(loop.mutex, portMAX_DELAY);
    bool runs = find_loop(&task, &generation); /* still, or again; one that ends now waits for the mutex */
    if (!runs) {
        xSemaphoreGiveRecursive(loop.mutex);
    }
    return runs;
}

static void unlock_handlers(void)
{
    xSemaphoreGiveRecursive(loop.mutex);
}

/** The registration that a plain (not instance) call with these arguments means; NULL if there is none. */
static handler_node_t *find_plain(esp_event_base_t base, int32_t id, esp_event_handler_t handler)
{
    handler_node_t *node = loop.handlers;
    while (node != NULL && (node->removed || node->is_instance || node->base != base || node->id != id ||
                            node->handler != handler)) {
        node = node->next;
    }
    return node;
}

static handler_node_t *append(const handler_node_t *content)
{
    handler_node_t *node = malloc(sizeof(*node));
    if (node == NULL) {
        return NULL;
    }
    *node = *content;
    handler_node_t **link = &loop.handlers;
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

static esp_err_t register_handler(const handler_node_t *content, esp_event_handler_instance_t *instance)
{
    if (!lock_handlers()) {
        return ESP_ERR_INVALID_STATE;
    }
    esp_err_t err = ESP_ERR_INVALID_ARG;
    if (content->handler != NULL && is_registrable(content->base, content->id)) {
        handler_node_t *node =
            content->is_instance ? NULL : find_plain(content->base, content->id, content->handler);
        if (node != NULL) {
            node->arg = content->arg;
        } else {
            node = append(content);
        }
        if (node != NULL && instance != NULL) {
            *instance = node;
        }
        err = node != NULL ? ESP_OK : ESP_ERR_NO_MEM;
    }
    unlock_handlers();
    return err;
}

static void remove_node(handler_node_t *node)
{
    if (node != NULL) {
        node->removed = true;
    }
    if (!loop.dispatching) {
        sweep();
    }
}

esp_err_t esp_event_handler_register(esp_event_base_t base, int32_t id, esp_event_handler_t handler,
                                     void *arg)
{
    const handler_node_t content = {.base = base, .id = id, .handler = handler, .arg = arg};
    return register_handler(&content, NULL);
}

esp_err_t esp_event_handler_unregister(esp_event_base_t base, int32_t id, esp_event_handler_t handler)
{
    if (!lock_handlers()) {
        return ESP_ERR_INVALID_STATE;
    }
    bool usable = handler != NULL && is_registrable(base, id);
    if (usable) {
        remove_node(find_plain(base, id, handler));
    }
    unlock_handlers();
    return usable ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_event_handler_instance_register(esp_event_base_t base, int32_t id, esp_event_handler_t handler,
                                              void *arg, esp_event_handler_instance_t *instance)
{
    const handler_node_t content = {
        .base = base, .id = id, .handler = handler, .arg = arg, .is_instance = true};
    return register_handler(&content, instance);
}

/** Found by its address only, so a stale instance is never looked into. @return NULL: it is not there */
static handler_node_t *find_instance(esp_event_base_t base, int32_t id, esp_event_handler_instance_t instance)
{
    handler_node_t *node = loop.handlers;
    while (node != NULL && node != instance) {
        node = node->next;
    }
    return node != NULL && node->base == base && node->id == id ? node : NULL;
}

esp_err_t esp_event_handler_instance_unregister(esp_event_base_t base, int32_t id,
                                                esp_event_handler_instance_t instance)
{
    if (!lock_handlers()) {
        return ESP_ERR_INVALID_STATE;
    }
    bool usable = instance != NULL && is_registrable(base, id);
    if (usable) {
        remove_node(find_instance(base, id, instance));
    }
    unlock_handlers();
    return usable ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_event_post(esp_event_base_t base, int32_t id, const void *data, size_t len, TickType_t wait)
{
    TaskHandle_t task;
    posted_event_t event = {.base = base, .id = id};
    if (!find_loop(&task, &event.generation)) {
        return ESP_ERR_INVALID_STATE;
    }
    if (base == ESP_EVENT_ANY_BASE || id == ESP_EVENT_ANY_ID) {
        return ESP_ERR_INVALID_ARG;
    }
    if (data != NULL && len > 0) {
        event.data = malloc(len);
        if (event.data == NULL) {
            return ESP_ERR_NO_MEM;
        }
        memcpy(event.data, data, len);
    }
    /* The loop task is the one that makes room: if it waited here, it would wait for itself. */
    bool on_loop_task = xTaskGetCurrentTaskHandle() == task;
    if (xQueueSend(loop.queue, &event, on_loop_task ? 0 : wait) != pdTRUE) {
        free(event.data);
        return ESP_ERR_TIMEOUT;
    }
    return drop_if_over(event.generation) ? ESP_ERR_INVALID_STATE : ESP_OK;
}
