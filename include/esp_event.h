/* ESP-IDF's default event loop: events are posted with a copy of their data and handled on one task, sys_evt. */
#pragma once

#include <stddef.h>
#include <stdint.h>

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

#ifdef __cplusplus
}
#endif
