/* The task watchdog: `otter run` resets a device on which a task uses the processor all the time and never blocks. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Every task is watched from its start, in place of ESP-IDF's idle tasks: one that blocks, in whatever call (a queue, a
 * delay, accept, a read from the console), lets others run and is never timed. One that uses the processor for the whole
 * time limit without blocking is, unless it calls esp_task_wdt_reset(); the library's own long operations do so too. A task
 * that subscribes with esp_task_wdt_add() is held to more, as in ESP-IDF: only its esp_task_wdt_reset() counts, also while it
 * waits. The time limit is that of `otter run --watchdog`.
 */
typedef struct {
    uint32_t timeout_ms;     /* accepted; the runner's limit holds */
    uint32_t idle_core_mask; /* accepted: idle tasks do not exist here */
    bool trigger_panic;      /* accepted: a time-out is always a reset */
} esp_task_wdt_config_t;

/** ESP_OK; also in the form of ESP-IDF 4, esp_task_wdt_init(seconds, panic). */
esp_err_t esp_task_wdt_init(const esp_task_wdt_config_t *config);
esp_err_t otter_task_wdt_init_v4(uint32_t timeout_s, bool panic);
#define esp_task_wdt_init(...)                                                                               \
    OTTER_WDT_INIT_(__VA_ARGS__, otter_task_wdt_init_v4, esp_task_wdt_init, 0)(__VA_ARGS__)
#define OTTER_WDT_INIT_(first, second, form, ...) form
esp_err_t esp_task_wdt_reconfigure(const esp_task_wdt_config_t *config);
esp_err_t esp_task_wdt_deinit(void);

/** NULL: the calling task. @return ESP_OK, ESP_ERR_INVALID_ARG (already subscribed; no such task) */
esp_err_t esp_task_wdt_add(TaskHandle_t task);

/** @return ESP_OK, ESP_ERR_INVALID_ARG (no such task), ESP_ERR_NOT_FOUND (not subscribed) */
esp_err_t esp_task_wdt_delete(TaskHandle_t task);

/** Sign of life of the calling task, subscribed or not. @return ESP_OK, ESP_ERR_NOT_FOUND (not subscribed) */
esp_err_t esp_task_wdt_reset(void);

/** @return ESP_OK (subscribed), ESP_ERR_NOT_FOUND */
esp_err_t esp_task_wdt_status(TaskHandle_t task);

/** What a program names, and resets like a task of its own that has subscribed. */
typedef struct esp_task_wdt_user_handle_s *esp_task_wdt_user_handle_t;

/** @param user_name  not copied. @return ESP_OK, ESP_ERR_INVALID_ARG (NULL), ESP_ERR_NO_MEM */
esp_err_t esp_task_wdt_add_user(const char *user_name, esp_task_wdt_user_handle_t *user_handle_ret);

/** @return ESP_OK, ESP_ERR_INVALID_ARG (NULL), ESP_ERR_NOT_FOUND */
esp_err_t esp_task_wdt_reset_user(esp_task_wdt_user_handle_t user_handle);
esp_err_t esp_task_wdt_delete_user(esp_task_wdt_user_handle_t user_handle);

#ifdef __cplusplus
}
#endif
