/* A counter by the clock, and the esp_timer that gives its alarm. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/gptimer.h"

#include <pthread.h>
#include <stdlib.h>

#include "esp_timer.h"

#define US_PER_S 1000000u

struct gptimer_t {
    pthread_mutex_t lock; /* guards all below */
    uint32_t resolution_hz;
    bool up, enabled, running, has_alarm;
    uint64_t count;   /* at `since`, or now where it stands still */
    int64_t since_us; /* of esp_timer_get_time() */
    gptimer_alarm_config_t alarm;
    gptimer_alarm_cb_t on_alarm;
    void *user_data;
    esp_timer_handle_t timer;
};

static void enter(gptimer_handle_t timer)
{
    (void)pthread_mutex_lock(&timer->lock); /* it is a plain one: this cannot fail */
}

static esp_err_t leave(gptimer_handle_t timer, bool ok)
{
    (void)pthread_mutex_unlock(&timer->lock);
    return ok ? ESP_OK : ESP_ERR_INVALID_STATE;
}

/** With the lock held. */
static uint64_t count_now(const struct gptimer_t *timer)
{
    if (!timer->running) {
        return timer->count;
    }
    const uint64_t passed_us = (uint64_t)(esp_timer_get_time() - timer->since_us);
    const uint64_t steps =
        passed_us / US_PER_S * timer->resolution_hz + passed_us % US_PER_S * timer->resolution_hz / US_PER_S;
    return timer->up ? timer->count + steps : timer->count - steps;
}

/** With the lock held: counts on from here. */
static void set_count(gptimer_handle_t timer, uint64_t count)
{
    timer->count = count;
    timer->since_us = esp_timer_get_time();
}

/** With the lock held: orders the alarm of a counter that runs. */
static void arm(gptimer_handle_t timer)
{
    (void)esp_timer_stop(timer->timer); /* it may not run */
    if (!timer->running || !timer->has_alarm) {
        return;
    }
    const uint64_t now = count_now(timer), at = timer->alarm.alarm_count;
    const uint64_t steps = timer->up ? at - now : now - at;
    if (steps > INT64_MAX) {
        return; /* it has passed: a counter of 64 bits comes by again in an age */
    }
    const uint64_t whole = steps / timer->resolution_hz, rest = steps % timer->resolution_hz;
    const uint64_t us =
        whole * US_PER_S + (rest * US_PER_S + timer->resolution_hz - 1) / timer->resolution_hz;
    (void)esp_timer_start_once(timer->timer, us); /* it is stopped */
}

static void on_time(void *arg)
{
    gptimer_handle_t timer = arg;
    enter(timer);
    if (!timer->running || !timer->has_alarm) {
        (void)leave(timer, true);
        return;
    }
    const gptimer_alarm_event_data_t data = {.count_value = count_now(timer),
                                             .alarm_value = timer->alarm.alarm_count};
    if (timer->alarm.flags.auto_reload_on_alarm) {
        set_count(timer, timer->alarm.reload_count);
        arm(timer);
    } else {
        timer->has_alarm = false; /* as the hardware, until another is set */
    }
    gptimer_alarm_cb_t function = timer->on_alarm;
    void *user_data = timer->user_data;
    (void)leave(timer, true);
    if (function != NULL) {
        (void)function(timer, &data, user_data);
    }
}

esp_err_t gptimer_new_timer(const gptimer_config_t *config, gptimer_handle_t *ret_timer)
{
    if (config == NULL || ret_timer == NULL || config->resolution_hz == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    gptimer_handle_t timer = calloc(1, sizeof(*timer));
    if (timer == NULL) {
        return ESP_ERR_NO_MEM;
    }
    timer->resolution_hz = config->resolution_hz;
    timer->up = config->direction == GPTIMER_COUNT_UP;
    const esp_timer_create_args_t args = {.callback = on_time, .arg = timer, .name = "gptimer"};
    if (esp_timer_create(&args, &timer->timer) != ESP_OK) {
        free(timer);
        return ESP_ERR_NO_MEM;
    }
    (void)pthread_mutex_init(&timer->lock, NULL); /* it cannot fail on Linux */
    *ret_timer = timer;
    return ESP_OK;
}

esp_err_t gptimer_del_timer(gptimer_handle_t timer)
{
    if (timer == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    enter(timer);
    bool unused = !timer->enabled;
    if (leave(timer, unused) != ESP_OK) {
        return ESP_ERR_INVALID_STATE;
    }
    (void)esp_timer_stop(timer->timer);
    (void)esp_timer_delete(timer->timer);
    (void)pthread_mutex_destroy(&timer->lock);
    free(timer);
    return ESP_OK;
}

esp_err_t gptimer_set_raw_count(gptimer_handle_t timer, uint64_t value)
{
    if (timer == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    enter(timer);
    set_count(timer, value);
    arm(timer);
    return leave(timer, true);
}

esp_err_t gptimer_get_raw_count(gptimer_handle_t timer, uint64_t *value)
{
    if (timer == NULL || value == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    enter(timer);
    *value = count_now(timer);
    return leave(timer, true);
}

esp_err_t gptimer_get_resolution(gptimer_handle_t timer, uint32_t *out_resolution)
{
    if (timer == NULL || out_resolution == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *out_resolution = timer->resolution_hz;
    return ESP_OK;
}

esp_err_t gptimer_register_event_callbacks(gptimer_handle_t timer, const gptimer_event_callbacks_t *cbs,
                                           void *user_data)
{
    if (timer == NULL || cbs == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    enter(timer);
    bool ok = !timer->enabled;
    if (ok) {
        timer->on_alarm = cbs->on_alarm;
        timer->user_data = user_data;
    }
    return leave(timer, ok);
}

esp_err_t gptimer_set_alarm_action(gptimer_handle_t timer, const gptimer_alarm_config_t *config)
{
    if (timer == NULL || (config != NULL && config->flags.auto_reload_on_alarm &&
                          config->alarm_count == config->reload_count)) {
        return ESP_ERR_INVALID_ARG;
    }
    enter(timer);
    timer->has_alarm = config != NULL;
    timer->alarm = config != NULL ? *config : (gptimer_alarm_config_t){0};
    arm(timer);
    return leave(timer, true);
}

esp_err_t gptimer_enable(gptimer_handle_t timer)
{
    if (timer == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    enter(timer);
    bool ok = !timer->enabled;
    timer->enabled = true;
    return leave(timer, ok);
}

esp_err_t gptimer_disable(gptimer_handle_t timer)
{
    if (timer == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    enter(timer);
    bool ok = timer->enabled && !timer->running;
    timer->enabled = timer->enabled && !ok;
    return leave(timer, ok);
}

esp_err_t gptimer_start(gptimer_handle_t timer)
{
    if (timer == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    enter(timer);
    bool ok = timer->enabled && !timer->running;
    if (ok) {
        timer->running = true;
        set_count(timer, timer->count);
        arm(timer);
    }
    return leave(timer, ok);
}

esp_err_t gptimer_stop(gptimer_handle_t timer)
{
    if (timer == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    enter(timer);
    bool ok = timer->running;
    if (ok) {
        timer->count = count_now(timer);
        timer->running = false;
        arm(timer);
    }
    return leave(timer, ok);
}
