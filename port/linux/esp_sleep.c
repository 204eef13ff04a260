/* Deep sleep: the program says how long, and ends; `otter run` waits, and boots. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_sleep.h"

#include <stdatomic.h>
#include <stddef.h>

#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "linux/deep_sleep.h"
#include "otter/device.h"
#include "otter/system.h"

#define HOOKS_MAX 3
#define PART_MS   1000000u /* of a wait, whose ticks are 32 bits */

static const char TAG[] = "sleep";

/* What is set by few and read by whoever sleeps. */
static otter_run_pause_t *pause_of_runner; /* NULL: no runner */
static _Atomic uint64_t timer_us = OTTER_RUN_PAUSE_FOR_EVER;
static atomic_uint enabled; /* 1 << source, but for time */
static atomic_int cause = ESP_SLEEP_WAKEUP_UNDEFINED;
static atomic_flag told = ATOMIC_FLAG_INIT;
static _Atomic(esp_deep_sleep_wake_stub_fn_t) wake_stub;
static esp_deep_sleep_cb_t hooks[HOOKS_MAX]; /* with OTTER_LOCK_SYSTEM */

void deep_sleep_begin(otter_run_pause_t *pause, bool woken)
{
    pause_of_runner = pause;
    atomic_store(&cause, woken ? ESP_SLEEP_WAKEUP_TIMER : ESP_SLEEP_WAKEUP_UNDEFINED);
}

/* ---- sleep ---- */

void esp_deep_sleep_start(void)
{
    esp_deep_sleep_cb_t calls[HOOKS_MAX];
    otter_lock(OTTER_LOCK_SYSTEM);
    for (int i = 0; i < HOOKS_MAX; i++) {
        calls[i] = hooks[i];
    }
    otter_unlock(OTTER_LOCK_SYSTEM);
    for (int i = 0; i < HOOKS_MAX; i++) {
        if (calls[i] != NULL) {
            calls[i]();
        }
    }
    otter_device_t *device = otter_device_current();
    if (device != NULL && otter_flash_sync(device->flash) != ESP_OK) {
        ESP_LOGE(TAG, "flash could not be synced before deep sleep");
    }
    if (pause_of_runner != NULL) {
        pause_of_runner->us = atomic_load(&timer_us);
    }
    run_protocol_end(OTTER_RUN_SAYS_ASLEEP);
}

esp_err_t esp_deep_sleep_try_to_start(void)
{
    esp_deep_sleep_start();
}

void esp_deep_sleep(uint64_t time_in_us)
{
    (void)esp_sleep_enable_timer_wakeup(time_in_us); /* what it refuses sleeps for ever, which is as long */
    esp_deep_sleep_start();
}

esp_err_t esp_deep_sleep_try(uint64_t time_in_us)
{
    esp_deep_sleep(time_in_us);
}

esp_err_t esp_light_sleep_start(void)
{
    const uint64_t us = atomic_load(&timer_us);
    if (us == OTTER_RUN_PAUSE_FOR_EVER) {
        ESP_LOGW(TAG, "light sleep with no time set: nothing ends it here");
        for (;;) {
            vTaskDelay(portMAX_DELAY);
        }
    }
    uint64_t left_ms = (us + 999) / 1000;
    for (; left_ms > PART_MS; left_ms -= PART_MS) {
        vTaskDelay(pdMS_TO_TICKS(PART_MS));
    }
    vTaskDelay((TickType_t)((left_ms * configTICK_RATE_HZ + 999) / 1000));
    atomic_store(&cause, ESP_SLEEP_WAKEUP_TIMER);
    return ESP_OK;
}

esp_err_t esp_deep_sleep_register_hook(esp_deep_sleep_cb_t new_dslp_cb)
{
    esp_err_t err = ESP_ERR_NO_MEM;
    otter_lock(OTTER_LOCK_SYSTEM);
    for (int i = 0; i < HOOKS_MAX && err != ESP_OK; i++) {
        if (hooks[i] == NULL || hooks[i] == new_dslp_cb) {
            hooks[i] = new_dslp_cb;
            err = ESP_OK;
        }
    }
    otter_unlock(OTTER_LOCK_SYSTEM);
    return err;
}

void esp_deep_sleep_deregister_hook(esp_deep_sleep_cb_t old_dslp_cb)
{
    otter_lock(OTTER_LOCK_SYSTEM);
    for (int i = 0; i < HOOKS_MAX; i++) {
        if (hooks[i] == old_dslp_cb) {
            hooks[i] = NULL;
        }
    }
    otter_unlock(OTTER_LOCK_SYSTEM);
}

/* ---- what ends it ---- */

esp_err_t esp_sleep_enable_timer_wakeup(uint64_t time_in_us)
{
    if (time_in_us > INT64_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    atomic_store(&timer_us, time_in_us);
    return ESP_OK;
}

esp_err_t esp_sleep_disable_wakeup_source(esp_sleep_source_t source)
{
    if (source == ESP_SLEEP_WAKEUP_ALL) {
        atomic_store(&timer_us, OTTER_RUN_PAUSE_FOR_EVER);
        atomic_store(&enabled, 0);
        return ESP_OK;
    }
    if ((unsigned)source > ESP_SLEEP_WAKEUP_USB) {
        return ESP_ERR_INVALID_ARG;
    }
    const unsigned bit = 1u << source;
    bool was = source == ESP_SLEEP_WAKEUP_TIMER
                   ? atomic_exchange(&timer_us, OTTER_RUN_PAUSE_FOR_EVER) != OTTER_RUN_PAUSE_FOR_EVER
                   : (atomic_fetch_and(&enabled, ~bit) & bit) != 0;
    return was ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_sleep_wakeup_cause_t esp_sleep_get_wakeup_cause(void)
{
    return (esp_sleep_wakeup_cause_t)atomic_load(&cause);
}

uint32_t esp_sleep_get_wakeup_causes(void)
{
    return 1u << esp_sleep_get_wakeup_cause();
}

static esp_err_t enable_source(esp_sleep_source_t source, bool ok)
{
    if (!ok) {
        return ESP_ERR_INVALID_ARG;
    }
    atomic_fetch_or(&enabled, 1u << source);
    if (!atomic_flag_test_and_set(&told)) {
        ESP_LOGI(TAG, "a stand-in: only time ends a sleep, pins and radios do not");
    }
    return ESP_OK;
}

esp_err_t esp_sleep_enable_ext0_wakeup(gpio_num_t gpio_num, int level)
{
    return enable_source(ESP_SLEEP_WAKEUP_EXT0,
                         esp_sleep_is_valid_wakeup_gpio(gpio_num) && (level == 0 || level == 1));
}

esp_err_t esp_sleep_enable_ext1_wakeup(uint64_t io_mask, esp_sleep_ext1_wakeup_mode_t level_mode)
{
    return enable_source(ESP_SLEEP_WAKEUP_EXT1,
                         io_mask != 0 && (unsigned)level_mode <= ESP_EXT1_WAKEUP_ANY_HIGH);
}

esp_err_t esp_sleep_enable_ext1_wakeup_io(uint64_t io_mask, esp_sleep_ext1_wakeup_mode_t level_mode)
{
    return esp_sleep_enable_ext1_wakeup(io_mask, level_mode);
}

esp_err_t esp_sleep_enable_ext1_wakeup_with_level_mask(uint64_t io_mask, uint64_t level_mask)
{
    (void)level_mask;
    return enable_source(ESP_SLEEP_WAKEUP_EXT1, io_mask != 0);
}

esp_err_t esp_sleep_disable_ext1_wakeup_io(uint64_t io_mask)
{
    (void)io_mask;
    atomic_fetch_and(&enabled, ~(1u << ESP_SLEEP_WAKEUP_EXT1));
    return ESP_OK;
}

esp_err_t esp_deep_sleep_enable_gpio_wakeup(uint64_t gpio_pin_mask, esp_deepsleep_gpio_wake_up_mode_t mode)
{
    return enable_source(ESP_SLEEP_WAKEUP_GPIO,
                         gpio_pin_mask != 0 && (unsigned)mode <= ESP_GPIO_WAKEUP_GPIO_HIGH);
}

esp_err_t esp_sleep_enable_gpio_wakeup(void)
{
    return enable_source(ESP_SLEEP_WAKEUP_GPIO, true);
}

esp_err_t esp_sleep_enable_touchpad_wakeup(void)
{
    return enable_source(ESP_SLEEP_WAKEUP_TOUCHPAD, true);
}

esp_err_t esp_sleep_enable_ulp_wakeup(void)
{
    return enable_source(ESP_SLEEP_WAKEUP_ULP, true);
}

esp_err_t esp_sleep_enable_uart_wakeup(int uart_num)
{
    return enable_source(ESP_SLEEP_WAKEUP_UART, uart_num >= 0 && uart_num <= 2);
}

esp_err_t esp_sleep_enable_wifi_wakeup(void)
{
    return enable_source(ESP_SLEEP_WAKEUP_WIFI, true);
}

esp_err_t esp_sleep_disable_wifi_wakeup(void)
{
    atomic_fetch_and(&enabled, ~(1u << ESP_SLEEP_WAKEUP_WIFI));
    return ESP_OK;
}

esp_err_t esp_sleep_enable_bt_wakeup(void)
{
    return enable_source(ESP_SLEEP_WAKEUP_BT, true);
}

esp_err_t esp_sleep_disable_bt_wakeup(void)
{
    atomic_fetch_and(&enabled, ~(1u << ESP_SLEEP_WAKEUP_BT));
    return ESP_OK;
}

bool esp_sleep_is_valid_wakeup_gpio(gpio_num_t gpio_num)
{
    return gpio_num >= 0 && gpio_num < GPIO_NUM_MAX;
}

uint64_t esp_sleep_get_ext1_wakeup_status(void)
{
    return 0;
}

uint64_t esp_sleep_get_gpio_wakeup_status(void)
{
    return 0;
}

/* ---- what only a chip could do ---- */

esp_err_t esp_sleep_pd_config(esp_sleep_pd_domain_t domain, esp_sleep_pd_option_t option)
{
    return (unsigned)domain < ESP_PD_DOMAIN_MAX && (unsigned)option <= ESP_PD_OPTION_AUTO
               ? ESP_OK
               : ESP_ERR_INVALID_ARG;
}

void esp_sleep_config_gpio_isolate(void)
{
}

void esp_sleep_enable_gpio_switch(bool enable)
{
    (void)enable;
}

void esp_deep_sleep_disable_rom_logging(void)
{
}

void esp_set_deep_sleep_wake_stub(esp_deep_sleep_wake_stub_fn_t new_stub)
{
    atomic_store(&wake_stub, new_stub);
}

esp_deep_sleep_wake_stub_fn_t esp_get_deep_sleep_wake_stub(void)
{
    return atomic_load(&wake_stub);
}

void esp_set_deep_sleep_wake_stub_default_entry(void)
{
    esp_set_deep_sleep_wake_stub(NULL);
}

void esp_default_wake_deep_sleep(void)
{
}
