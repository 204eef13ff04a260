/* ESP-IDF's time since start in microseconds, and timers of that resolution, called one after the other by one task. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sdkconfig.h"
#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct esp_timer *esp_timer_handle_t;
typedef void (*esp_timer_cb_t)(void *arg);

typedef enum {
    ESP_TIMER_TASK,
    ESP_TIMER_ISR, /* as ESP_TIMER_TASK: there are no interrupts */
    ESP_TIMER_MAX,
} esp_timer_dispatch_t;

typedef struct {
    esp_timer_cb_t callback;
    void *arg;
    esp_timer_dispatch_t dispatch_method;
    const char *name;           /* for esp_timer_dump(); not copied; may be NULL */
    bool skip_unhandled_events; /* a periodic one that is late does not make up for what it missed */
} esp_timer_create_args_t;

/** Microseconds since start. */
int64_t esp_timer_get_time(void);

/** @return ESP_OK, ESP_ERR_INVALID_ARG (NULL; no callback; no such dispatch method), ESP_ERR_NO_MEM */
esp_err_t esp_timer_create(const esp_timer_create_args_t *create_args, esp_timer_handle_t *out_handle);

/**
 * Once, or every `period` (at least 50) microseconds.
 * @return ESP_OK, ESP_ERR_INVALID_ARG (NULL), ESP_ERR_INVALID_STATE (it runs already)
 */
esp_err_t esp_timer_start_once(esp_timer_handle_t timer, uint64_t timeout_us);
esp_err_t esp_timer_start_periodic(esp_timer_handle_t timer, uint64_t period);

/**
 * Anew from now; of a periodic one this is the new period.
 * @return ESP_OK, ESP_ERR_INVALID_ARG, ESP_ERR_INVALID_STATE (it does not run)
 */
esp_err_t esp_timer_restart(esp_timer_handle_t timer, uint64_t timeout_us);

/** A call that has begun is not waited for. @return ESP_OK, ESP_ERR_INVALID_ARG, ESP_ERR_INVALID_STATE (does not run) */
esp_err_t esp_timer_stop(esp_timer_handle_t timer);

/** One that does not run; its callback may. @return ESP_OK, ESP_ERR_INVALID_ARG, ESP_ERR_INVALID_STATE (runs) */
esp_err_t esp_timer_delete(esp_timer_handle_t timer);

bool esp_timer_is_active(esp_timer_handle_t timer);

/** @param period  microseconds, 0: runs once. @return ESP_OK, ESP_ERR_INVALID_ARG */
esp_err_t esp_timer_get_period(esp_timer_handle_t timer, uint64_t *period);

/** @param expiry  as esp_timer_get_time(). @return ESP_OK, ESP_ERR_INVALID_ARG, ESP_ERR_NOT_SUPPORTED (periodic) */
esp_err_t esp_timer_get_expiry_time(esp_timer_handle_t timer, uint64_t *expiry);

/** When the next one is due, of those that do not skip in the second form; INT64_MAX: none runs. */
int64_t esp_timer_get_next_alarm(void);
int64_t esp_timer_get_next_alarm_for_wake_up(void);

/** A line for each timer that runs: name, period, when it is due. @return ESP_OK */
esp_err_t esp_timer_dump(FILE *stream);

/** For start-up code: ESP_OK; ESP_ERR_INVALID_STATE, as it is done already. */
esp_err_t esp_timer_early_init(void);
esp_err_t esp_timer_init(void);

#ifdef __cplusplus
}
#endif
