/* esp_timer on a timer service. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_timer.h"

#include <inttypes.h>
#include <stdlib.h>

#include "linux/timer_service.h"
#include "otter/system.h"

#define PERIOD_MIN_US 50 /* as on an ESP32 */

struct esp_timer {
    timer_entry_t entry;
    esp_timer_create_args_t args;
};

static timer_service_t service = TIMER_SERVICE("esp_timer", 22);

static struct esp_timer *timer_of(timer_entry_t *entry)
{
    return (struct esp_timer *)(void *)entry; /* its first member */
}

static void call(timer_entry_t *entry)
{
    const struct esp_timer *timer = timer_of(entry);
    timer->args.callback(timer->args.arg);
}

static void drop(timer_entry_t *entry)
{
    free(timer_of(entry));
}

int64_t esp_timer_get_time(void)
{
    return otter_now_us();
}

esp_err_t esp_timer_create(const esp_timer_create_args_t *create_args, esp_timer_handle_t *out_handle)
{
    if (create_args == NULL || out_handle == NULL || create_args->callback == NULL ||
        create_args->dispatch_method < ESP_TIMER_TASK || create_args->dispatch_method >= ESP_TIMER_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    struct esp_timer *timer = timer_service_start(&service) ? calloc(1, sizeof(*timer)) : NULL;
    if (timer == NULL) {
        return ESP_ERR_NO_MEM;
    }
    timer->args = *create_args;
    timer->entry.call = call;
    timer->entry.drop = drop;
    timer->entry.skips = create_args->skip_unhandled_events;
    kernel_lock();
    timer_service_add(&service, &timer->entry);
    kernel_unlock();
    *out_handle = timer;
    return ESP_OK;
}

static uint64_t period_of(uint64_t period_us)
{
    return period_us < PERIOD_MIN_US ? PERIOD_MIN_US : period_us;
}

static esp_err_t start(esp_timer_handle_t timer, uint64_t delay_us, uint64_t period_us)
{
    if (timer == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    kernel_lock();
    bool may = !timer->entry.active;
    if (may) {
        timer_service_set(&service, &timer->entry, delay_us, period_us);
    }
    kernel_unlock();
    return may ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_timer_start_once(esp_timer_handle_t timer, uint64_t timeout_us)
{
    return start(timer, timeout_us, 0);
}

esp_err_t esp_timer_start_periodic(esp_timer_handle_t timer, uint64_t period)
{
    return start(timer, period_of(period), period_of(period));
}

esp_err_t esp_timer_restart(esp_timer_handle_t timer, uint64_t timeout_us)
{
    if (timer == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    kernel_lock();
    bool runs = timer->entry.active;
    if (runs && timer->entry.period_us != 0) {
        timer_service_set(&service, &timer->entry, period_of(timeout_us), period_of(timeout_us));
    } else if (runs) {
        timer_service_set(&service, &timer->entry, timeout_us, 0);
    }
    kernel_unlock();
    return runs ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_timer_stop(esp_timer_handle_t timer)
{
    if (timer == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    kernel_lock();
    bool runs = timer->entry.active;
    if (runs) {
        timer_service_clear(&service, &timer->entry);
    }
    kernel_unlock();
    return runs ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_timer_delete(esp_timer_handle_t timer)
{
    if (timer == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    kernel_lock();
    bool runs = timer->entry.active;
    if (!runs) {
        timer_service_remove(&service, &timer->entry);
    }
    kernel_unlock();
    return runs ? ESP_ERR_INVALID_STATE : ESP_OK;
}

bool esp_timer_is_active(esp_timer_handle_t timer)
{
    kernel_lock();
    bool runs = timer != NULL && timer->entry.active;
    kernel_unlock();
    return runs;
}

esp_err_t esp_timer_get_period(esp_timer_handle_t timer, uint64_t *period)
{
    if (timer == NULL || period == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    kernel_lock();
    *period = timer->entry.period_us;
    kernel_unlock();
    return ESP_OK;
}

esp_err_t esp_timer_get_expiry_time(esp_timer_handle_t timer, uint64_t *expiry)
{
    if (timer == NULL || expiry == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    kernel_lock();
    bool periodic = timer->entry.period_us != 0;
    if (!periodic) {
        *expiry = (uint64_t)timer->entry.expires_us;
    }
    kernel_unlock();
    return periodic ? ESP_ERR_NOT_SUPPORTED : ESP_OK;
}

int64_t esp_timer_get_next_alarm(void)
{
    kernel_lock();
    const timer_entry_t *first = timer_service_first(&service);
    int64_t when = first != NULL ? first->expires_us : INT64_MAX;
    kernel_unlock();
    return when;
}

int64_t esp_timer_get_next_alarm_for_wake_up(void)
{
    int64_t when = INT64_MAX;
    kernel_lock();
    for (const timer_entry_t *entry = service.entries; entry != NULL; entry = entry->next) {
        if (entry->active && !entry->skips && entry->expires_us < when) {
            when = entry->expires_us;
        }
    }
    kernel_unlock();
    return when;
}

esp_err_t esp_timer_dump(FILE *stream)
{
    kernel_lock();
    for (timer_entry_t *entry = service.entries; entry != NULL; entry = entry->next) {
        if (entry->active) {
            const char *name = timer_of(entry)->args.name;
            fprintf(stream, "%-20s  %-10" PRIu64 "  %-12" PRId64 "\n", name != NULL ? name : "timer",
                    entry->period_us, entry->expires_us);
        }
    }
    kernel_unlock();
    return ESP_OK;
}

esp_err_t esp_timer_early_init(void)
{
    return ESP_OK;
}

esp_err_t esp_timer_init(void)
{
    return ESP_ERR_INVALID_STATE;
}
