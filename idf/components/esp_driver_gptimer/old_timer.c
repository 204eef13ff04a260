/* The timers of ESP-IDF 4, each one of driver/gptimer.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/timer.h"

#include <stddef.h>

#include "driver/gptimer.h"

#define DIVIDER_MIN 2
#define DIVIDER_MAX 65536

typedef struct {
    gptimer_handle_t timer; /* NULL: it is not initialized */
    uint32_t resolution_hz;
    uint64_t alarm;
    bool alarms, reload;
    timer_isr_t call;
    void *arg;
} old_timer_t;

static old_timer_t timers[TIMER_GROUP_MAX][TIMER_MAX];

/** @return the timer, if it is initialized; otherwise NULL, and *err says why */
static old_timer_t *find(timer_group_t group, timer_idx_t num, esp_err_t *err)
{
    *err = ESP_ERR_INVALID_ARG;
    if ((unsigned)group >= TIMER_GROUP_MAX || (unsigned)num >= TIMER_MAX) {
        return NULL;
    }
    *err = timers[group][num].timer != NULL ? ESP_OK : ESP_ERR_INVALID_STATE;
    return *err == ESP_OK ? &timers[group][num] : NULL;
}

static bool on_alarm(gptimer_handle_t timer, const gptimer_alarm_event_data_t *edata, void *user_ctx)
{
    (void)timer, (void)edata;
    const old_timer_t *of = user_ctx;
    return of->call != NULL && of->call(of->arg);
}

static esp_err_t set_alarm(old_timer_t *of)
{
    const gptimer_alarm_config_t config = {.alarm_count = of->alarm,
                                           .flags = {.auto_reload_on_alarm = of->reload}};
    return gptimer_set_alarm_action(of->timer, of->alarms && of->alarm > 0 ? &config : NULL);
}

esp_err_t timer_init(timer_group_t group_num, timer_idx_t timer_num, const timer_config_t *config)
{
    esp_err_t err;
    const old_timer_t *before = find(group_num, timer_num, &err);
    if (err == ESP_ERR_INVALID_ARG || config == NULL || config->divider < DIVIDER_MIN ||
        config->divider > DIVIDER_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    if (before != NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    old_timer_t *of = &timers[group_num][timer_num];
    *of = (old_timer_t){.resolution_hz = TIMER_BASE_CLK / config->divider,
                        .alarms = config->alarm_en == TIMER_ALARM_EN,
                        .reload = config->auto_reload == TIMER_AUTORELOAD_EN};
    const gptimer_config_t made = {.resolution_hz = of->resolution_hz,
                                   .direction = config->counter_dir == TIMER_COUNT_DOWN ? GPTIMER_COUNT_DOWN
                                                                                        : GPTIMER_COUNT_UP};
    err = gptimer_new_timer(&made, &of->timer);
    const gptimer_event_callbacks_t callbacks = {.on_alarm = on_alarm};
    err = err == ESP_OK ? gptimer_register_event_callbacks(of->timer, &callbacks, of) : err;
    err = err == ESP_OK ? gptimer_enable(of->timer) : err;
    return err == ESP_OK && config->counter_en == TIMER_START ? timer_start(group_num, timer_num) : err;
}

esp_err_t timer_deinit(timer_group_t group_num, timer_idx_t timer_num)
{
    esp_err_t err;
    old_timer_t *of = find(group_num, timer_num, &err);
    if (of == NULL) {
        return err;
    }
    (void)gptimer_stop(of->timer); /* it may not run */
    (void)gptimer_disable(of->timer);
    err = gptimer_del_timer(of->timer);
    *of = (old_timer_t){0};
    return err;
}

esp_err_t timer_start(timer_group_t group_num, timer_idx_t timer_num)
{
    esp_err_t err;
    const old_timer_t *of = find(group_num, timer_num, &err);
    return of != NULL ? gptimer_start(of->timer) : err;
}

esp_err_t timer_pause(timer_group_t group_num, timer_idx_t timer_num)
{
    esp_err_t err;
    const old_timer_t *of = find(group_num, timer_num, &err);
    if (of != NULL) {
        (void)gptimer_stop(of->timer); /* one that does not run is paused */
    }
    return err;
}

esp_err_t timer_set_counter_value(timer_group_t group_num, timer_idx_t timer_num, uint64_t load_val)
{
    esp_err_t err;
    const old_timer_t *of = find(group_num, timer_num, &err);
    return of != NULL ? gptimer_set_raw_count(of->timer, load_val) : err;
}

esp_err_t timer_get_counter_value(timer_group_t group_num, timer_idx_t timer_num, uint64_t *timer_val)
{
    esp_err_t err;
    const old_timer_t *of = find(group_num, timer_num, &err);
    return of != NULL ? gptimer_get_raw_count(of->timer, timer_val) : err;
}

esp_err_t timer_get_counter_time_sec(timer_group_t group_num, timer_idx_t timer_num, double *time)
{
    uint64_t count = 0;
    esp_err_t err =
        time != NULL ? timer_get_counter_value(group_num, timer_num, &count) : ESP_ERR_INVALID_ARG;
    if (err == ESP_OK) {
        *time = (double)count / timers[group_num][timer_num].resolution_hz;
    }
    return err;
}

esp_err_t timer_set_alarm_value(timer_group_t group_num, timer_idx_t timer_num, uint64_t alarm_value)
{
    esp_err_t err;
    old_timer_t *of = find(group_num, timer_num, &err);
    if (of == NULL) {
        return err;
    }
    of->alarm = alarm_value;
    return set_alarm(of);
}

esp_err_t timer_set_alarm(timer_group_t group_num, timer_idx_t timer_num, timer_alarm_t alarm_en)
{
    esp_err_t err;
    old_timer_t *of = find(group_num, timer_num, &err);
    if (of == NULL) {
        return err;
    }
    of->alarms = alarm_en == TIMER_ALARM_EN;
    return set_alarm(of);
}

esp_err_t timer_set_auto_reload(timer_group_t group_num, timer_idx_t timer_num, timer_autoreload_t reload)
{
    esp_err_t err;
    old_timer_t *of = find(group_num, timer_num, &err);
    if (of == NULL) {
        return err;
    }
    of->reload = reload == TIMER_AUTORELOAD_EN;
    return set_alarm(of);
}

esp_err_t timer_isr_callback_add(timer_group_t group_num, timer_idx_t timer_num, timer_isr_t isr_handler,
                                 void *arg, int intr_alloc_flags)
{
    (void)intr_alloc_flags;
    esp_err_t err;
    old_timer_t *of = find(group_num, timer_num, &err);
    if (of != NULL) {
        of->arg = arg;
        of->call = isr_handler;
    }
    return isr_handler != NULL ? err : ESP_ERR_INVALID_ARG;
}

esp_err_t timer_isr_callback_remove(timer_group_t group_num, timer_idx_t timer_num)
{
    esp_err_t err;
    old_timer_t *of = find(group_num, timer_num, &err);
    if (of != NULL) {
        of->call = NULL;
    }
    return err;
}

esp_err_t timer_enable_intr(timer_group_t group_num, timer_idx_t timer_num)
{
    esp_err_t err;
    (void)find(group_num, timer_num, &err);
    return err;
}

esp_err_t timer_disable_intr(timer_group_t group_num, timer_idx_t timer_num)
{
    return timer_set_alarm(group_num, timer_num, TIMER_ALARM_DIS);
}
