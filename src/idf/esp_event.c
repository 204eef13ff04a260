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

#ifndef CONFIG_ESP_SYSTEM_EVENT_QUEUE_SIZE
#define CONFIG_ESP_SYSTEM_EVENT_QUEUE_SIZE 32
#endif
#define HTTP_EVENT_POST_WAIT_MS 2000 /* CONFIG_ESP_HTTP_CLIENT_EVENT_POST_TIMEOUT */
#define LOOP_TASK_STACK         4096
#define LOOP_TASK_PRIORITY      20

/*
 * Invariants:
 * 1. The handler list is changed and walked only with `mutex` held (recursive: a handler may register and unregister).
 * 2. While an event is dispatched no node leaves the list: unregistering marks it, sweep() frees it afterwards.
 * 3. Handlers registered while an event is dispatched see the next event first: they stand behind `last`.
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
    void *data; /* owned; NULL for none */
} posted_event_t;

typedef struct {
    QueueHandle_t queue;
    SemaphoreHandle_t mutex;
    SemaphoreHandle_t stopped; /* given by the loop task as its last act */
    TaskHandle_t task;
    handler_node_t *handlers;
    bool dispatching;
} event_loop_t;

static event_loop_t *default_loop;

/** The base of the event that ends the loop; its address is nobody else's (not const: no compiler merges it). */
static char stop_event[] = "stop";

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

static void dispatch(event_loop_t *loop, const posted_event_t *event)
{
    xSemaphoreTakeRecursive(loop->mutex, portMAX_DELAY);
    loop->dispatching = true;
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
    loop->dispatching = false;
    sweep(loop);
    xSemaphoreGiveRecursive(loop->mutex);
}

static void loop_task(void *arg)
{
    event_loop_t *loop = arg;
    posted_event_t event;
    for (;;) {
        xQueueReceive(loop->queue, &event, portMAX_DELAY);
        if (event.base == stop_event) {
            break;
        }
        dispatch(loop, &event);
        free(event.data);
    }
    xSemaphoreGive(loop->stopped);
    vTaskDelete(NULL);
}

/** Frees what there is; the task has ended or was never started. */
static void free_loop(event_loop_t *loop)
{
    posted_event_t event;
    while (loop->queue != NULL && xQueueReceive(loop->queue, &event, 0) == pdTRUE) {
        free(event.data);
    }
    for (handler_node_t *node = loop->handlers; node != NULL; node = node->next) {
        node->removed = true;
    }
    sweep(loop);
    if (loop->queue != NULL) {
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

/** The HTTP client works without anybody who listens: an event that finds no room is lost, as in ESP-IDF. */
static void post_http_event(int32_t id, const void *data, size_t size)
{
    (void)esp_event_post(ESP_HTTP_CLIENT_EVENT, id, data, size, pdMS_TO_TICKS(HTTP_EVENT_POST_WAIT_MS));
}

esp_err_t esp_event_loop_create_default(void)
{
    if (default_loop != NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    event_loop_t *loop = calloc(1, sizeof(*loop));
    if (loop == NULL) {
        return ESP_ERR_NO_MEM;
    }
    loop->queue = xQueueCreate(CONFIG_ESP_SYSTEM_EVENT_QUEUE_SIZE, sizeof(posted_event_t));
    loop->mutex = xSemaphoreCreateRecursiveMutex();
    loop->stopped = xSemaphoreCreateBinary();
    if (loop->queue == NULL || loop->mutex == NULL || loop->stopped == NULL ||
        xTaskCreate(loop_task, "sys_evt", LOOP_TASK_STACK, loop, LOOP_TASK_PRIORITY, &loop->task) != pdPASS) {
        free_loop(loop);
        return ESP_ERR_NO_MEM;
    }
    default_loop = loop;
    otter_http_set_event_mirror(post_http_event);
    return ESP_OK;
}

esp_err_t esp_event_loop_delete_default(void)
{
    event_loop_t *loop = default_loop;
    if (loop == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    if (xTaskGetCurrentTaskHandle() == loop->task) {
        return ESP_FAIL;
    }
    otter_http_set_event_mirror(NULL);
    default_loop = NULL;
    const posted_event_t stop = {.base = stop_event};
    xQueueSendToFront(loop->queue, &stop, portMAX_DELAY);
    xSemaphoreTake(loop->stopped, portMAX_DELAY);
    free_loop(loop);
    return ESP_OK;
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

static esp_err_t register_handler(const handler_node_t *content, esp_event_handler_instance_t *instance)
{
    event_loop_t *loop = default_loop;
    if (loop == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    if (content->handler == NULL ||
        (content->base == ESP_EVENT_ANY_BASE && content->id != ESP_EVENT_ANY_ID)) {
        return ESP_ERR_INVALID_ARG;
    }
    xSemaphoreTakeRecursive(loop->mutex, portMAX_DELAY);
    handler_node_t *node =
        content->is_instance ? NULL : find_plain(loop, content->base, content->id, content->handler);
    if (node != NULL) {
        node->arg = content->arg;
    } else {
        node = append(loop, content);
    }
    xSemaphoreGiveRecursive(loop->mutex);
    if (node != NULL && instance != NULL) {
        *instance = node;
    }
    return node != NULL ? ESP_OK : ESP_ERR_NO_MEM;
}

static void remove_node(event_loop_t *loop, handler_node_t *node)
{
    node->removed = true;
    if (!loop->dispatching) {
        sweep(loop);
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
    event_loop_t *loop = default_loop;
    if (loop == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    if (handler == NULL || (base == ESP_EVENT_ANY_BASE && id != ESP_EVENT_ANY_ID)) {
        return ESP_ERR_INVALID_ARG;
    }
    xSemaphoreTakeRecursive(loop->mutex, portMAX_DELAY);
    handler_node_t *node = find_plain(loop, base, id, handler);
    if (node != NULL) {
        remove_node(loop, node);
    }
    xSemaphoreGiveRecursive(loop->mutex);
    return ESP_OK;
}

esp_err_t esp_event_handler_instance_register(esp_event_base_t base, int32_t id, esp_event_handler_t handler,
                                              void *arg, esp_event_handler_instance_t *instance)
{
    const handler_node_t content = {
        .base = base, .id = id, .handler = handler, .arg = arg, .is_instance = true};
    return register_handler(&content, instance);
}

esp_err_t esp_event_handler_instance_unregister(esp_event_base_t base, int32_t id,
                                                esp_event_handler_instance_t instance)
{
    event_loop_t *loop = default_loop;
    if (loop == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    if (instance == NULL || (base == ESP_EVENT_ANY_BASE && id != ESP_EVENT_ANY_ID)) {
        return ESP_ERR_INVALID_ARG;
    }
    xSemaphoreTakeRecursive(loop->mutex, portMAX_DELAY);
    /* Found by address only, so a stale instance is never looked into. */
    handler_node_t *node = loop->handlers;
    while (node != NULL && node != instance) {
        node = node->next;
    }
    if (node != NULL && node->base == base && node->id == id) {
        remove_node(loop, node);
    }
    xSemaphoreGiveRecursive(loop->mutex);
    return ESP_OK;
}

esp_err_t esp_event_post(esp_event_base_t base, int32_t id, const void *data, size_t len, TickType_t wait)
{
    event_loop_t *loop = default_loop;
    if (loop == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    if (base == ESP_EVENT_ANY_BASE || id == ESP_EVENT_ANY_ID) {
        return ESP_ERR_INVALID_ARG;
    }
    posted_event_t event = {.base = base, .id = id};
    if (data != NULL && len > 0) {
        event.data = malloc(len);
        if (event.data == NULL) {
            return ESP_ERR_NO_MEM;
        }
        memcpy(event.data, data, len);
    }
    /* The loop task is the one that makes room: if it waited here, it would wait for itself. */
    bool on_loop_task = xTaskGetCurrentTaskHandle() == loop->task;
    if (xQueueSend(loop->queue, &event, on_loop_task ? 0 : wait) != pdTRUE) {
        free(event.data);
        return ESP_ERR_TIMEOUT;
    }
    return ESP_OK;
}
