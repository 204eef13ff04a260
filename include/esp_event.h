/* ESP-IDF's event loops: events are posted with a copy of their data and handled on one task, of the default loop sys_evt. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "esp_err.h"
#include "esp_event_base.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/semphr.h"
#include "freertos/task.h"

#ifdef __cplusplus
extern "C" {
#endif

/** @return ESP_OK, ESP_ERR_INVALID_STATE (exists already), ESP_ERR_NO_MEM */
esp_err_t esp_event_loop_create_default(void);

/**
 * Waits for the handler in progress, drops what is queued.
 * @return ESP_OK, ESP_ERR_INVALID_STATE (there is no loop), ESP_FAIL (called by a handler, which cannot end its own task)
 */
esp_err_t esp_event_loop_delete_default(void);

/** A loop of a program's own. */
typedef struct {
    int32_t queue_size;    /* events that wait at most */
    const char *task_name; /* NULL: no task; esp_event_loop_run() handles events */
    UBaseType_t task_priority;
    uint32_t task_stack_size; /* bytes */
    BaseType_t task_core_id;
} esp_event_loop_args_t;

/** @return ESP_OK, ESP_ERR_INVALID_ARG (NULL), ESP_ERR_NO_MEM (also: queue_size is not above 0), ESP_FAIL (no task) */
esp_err_t esp_event_loop_create(const esp_event_loop_args_t *args, esp_event_loop_handle_t *out);

/**
 * Waits for the handler in progress, drops what is queued. Nobody may use the loop meanwhile or afterwards.
 * @return ESP_OK, ESP_ERR_INVALID_ARG (NULL), ESP_FAIL (called by one of its handlers)
 */
esp_err_t esp_event_loop_delete(esp_event_loop_handle_t handle);

/**
 * Handle events of a loop without a task for `ticks` ticks: until then (portMAX_DELAY: always) one that comes is waited for,
 * but nothing longer than that; 0 handles at most the first one that is there.
 * @return ESP_OK, ESP_ERR_INVALID_ARG (NULL)
 */
esp_err_t esp_event_loop_run(esp_event_loop_handle_t handle, TickType_t ticks);

/**
 * Call `handler` for events of `base` (or ANY_BASE) with `id` (or ANY_ID), on the loop's task; several handlers of one
 * event in the order of their registration. Registering the same handler for the same events again only changes `arg`.
 * @return ESP_OK, ESP_ERR_INVALID_STATE (no loop), ESP_ERR_INVALID_ARG (ANY_BASE with one id; handler NULL), ESP_ERR_NO_MEM
 */
esp_err_t esp_event_handler_register(esp_event_base_t base, int32_t id, esp_event_handler_t handler,
                                     void *arg);

/** The arguments as registered; one that is not registered is ESP_OK. May be called by the handler itself. */
esp_err_t esp_event_handler_unregister(esp_event_base_t base, int32_t id, esp_event_handler_t handler);

/** The same with one registration for each call, told apart by *instance (may be NULL). */
esp_err_t esp_event_handler_instance_register(esp_event_base_t base, int32_t id, esp_event_handler_t handler,
                                              void *arg, esp_event_handler_instance_t *instance);
esp_err_t esp_event_handler_instance_unregister(esp_event_base_t base, int32_t id,
                                                esp_event_handler_instance_t instance);

/**
 * Queue an event with a copy of `data` (NULL or len 0: the handler gets NULL). Waits at most `wait` ticks for room;
 * never on the loop's own task.
 * @return ESP_OK, ESP_ERR_INVALID_STATE (no loop), ESP_ERR_INVALID_ARG (ANY_BASE or ANY_ID), ESP_ERR_NO_MEM,
 *         ESP_ERR_TIMEOUT (the queue is full)
 */
esp_err_t esp_event_post(esp_event_base_t base, int32_t id, const void *data, size_t len, TickType_t wait);

/** The same for any loop; another code is ESP_ERR_INVALID_ARG where `loop` is NULL. */
esp_err_t esp_event_handler_register_with(esp_event_loop_handle_t loop, esp_event_base_t base, int32_t id,
                                          esp_event_handler_t handler, void *arg);
esp_err_t esp_event_handler_unregister_with(esp_event_loop_handle_t loop, esp_event_base_t base, int32_t id,
                                            esp_event_handler_t handler);
esp_err_t esp_event_handler_instance_register_with(esp_event_loop_handle_t loop, esp_event_base_t base,
                                                   int32_t id, esp_event_handler_t handler, void *arg,
                                                   esp_event_handler_instance_t *instance);
esp_err_t esp_event_handler_instance_unregister_with(esp_event_loop_handle_t loop, esp_event_base_t base,
                                                     int32_t id, esp_event_handler_instance_t instance);
esp_err_t esp_event_post_to(esp_event_loop_handle_t loop, esp_event_base_t base, int32_t id, const void *data,
                            size_t len, TickType_t wait);

/** Never waits; `len` is at most 4, else ESP_ERR_INVALID_ARG; a full queue is ESP_FAIL. `woken` stays as it is. */
esp_err_t esp_event_isr_post(esp_event_base_t base, int32_t id, const void *data, size_t len,
                             BaseType_t *woken);
esp_err_t esp_event_isr_post_to(esp_event_loop_handle_t loop, esp_event_base_t base, int32_t id,
                                const void *data, size_t len, BaseType_t *woken);

/** ESP_OK; writes nothing, as without CONFIG_ESP_EVENT_LOOP_PROFILING. */
esp_err_t esp_event_dump(FILE *file);

#ifdef __cplusplus
}
#endif
