/* ESP-IDF's deep sleep, which is a reset with a pause before it, and light sleep, which is a pause. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#include "hal/gpio_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Of the sources that end a sleep, time is the one that there is here: one that is enabled without any other, and without time,
 * sleeps for ever. What enables another source succeeds and says once in the log that it does not come.
 */

typedef enum {
    ESP_SLEEP_WAKEUP_UNDEFINED, /* the last boot was none from deep sleep, and there was no light sleep */
    ESP_SLEEP_WAKEUP_ALL,       /* for esp_sleep_disable_wakeup_source() only */
    ESP_SLEEP_WAKEUP_EXT0,
    ESP_SLEEP_WAKEUP_EXT1,
    ESP_SLEEP_WAKEUP_TIMER,
    ESP_SLEEP_WAKEUP_TOUCHPAD,
    ESP_SLEEP_WAKEUP_ULP,
    ESP_SLEEP_WAKEUP_GPIO,
    ESP_SLEEP_WAKEUP_UART,
    ESP_SLEEP_WAKEUP_UART1,
    ESP_SLEEP_WAKEUP_UART2,
    ESP_SLEEP_WAKEUP_WIFI,
    ESP_SLEEP_WAKEUP_COCPU,
    ESP_SLEEP_WAKEUP_COCPU_TRAP_TRIG,
    ESP_SLEEP_WAKEUP_BT,
    ESP_SLEEP_WAKEUP_VAD,
    ESP_SLEEP_WAKEUP_VBAT_UNDER_VOLT,
    ESP_SLEEP_WAKEUP_USB,
} esp_sleep_source_t;

typedef esp_sleep_source_t esp_sleep_wakeup_cause_t;

typedef enum {
    ESP_EXT1_WAKEUP_ANY_LOW = 0, /* on an ESP32 all of them: ESP_EXT1_WAKEUP_ALL_LOW */
    ESP_EXT1_WAKEUP_ANY_HIGH = 1,
    ESP_EXT1_WAKEUP_ALL_LOW = ESP_EXT1_WAKEUP_ANY_LOW,
} esp_sleep_ext1_wakeup_mode_t;

typedef enum {
    ESP_GPIO_WAKEUP_GPIO_LOW = 0,
    ESP_GPIO_WAKEUP_GPIO_HIGH = 1
} esp_deepsleep_gpio_wake_up_mode_t;

typedef enum {
    ESP_PD_DOMAIN_RTC_PERIPH,
    ESP_PD_DOMAIN_RTC_SLOW_MEM,
    ESP_PD_DOMAIN_RTC_FAST_MEM,
    ESP_PD_DOMAIN_XTAL,
    ESP_PD_DOMAIN_XTAL32K,
    ESP_PD_DOMAIN_RC32K,
    ESP_PD_DOMAIN_RC_FAST,
    ESP_PD_DOMAIN_CPU,
    ESP_PD_DOMAIN_VDDSDIO,
    ESP_PD_DOMAIN_MODEM,
    ESP_PD_DOMAIN_CNNT,
    ESP_PD_DOMAIN_TOP,
    ESP_PD_DOMAIN_MAX,
} esp_sleep_pd_domain_t;
#define ESP_PD_DOMAIN_RTC8M ESP_PD_DOMAIN_RC_FAST

typedef enum { ESP_SLEEP_MODE_LIGHT_SLEEP, ESP_SLEEP_MODE_DEEP_SLEEP } esp_sleep_mode_t;

typedef enum { ESP_PD_OPTION_OFF, ESP_PD_OPTION_ON, ESP_PD_OPTION_AUTO } esp_sleep_pd_option_t;

#define ESP_ERR_SLEEP_REJECT                   ESP_ERR_INVALID_STATE
#define ESP_ERR_SLEEP_TOO_SHORT_SLEEP_DURATION ESP_ERR_INVALID_ARG

/* ---- sleep ---- */

/**
 * Makes flash durable and ends the program; no shutdown handler is called, those of esp_deep_sleep_register_hook() are. When the
 * time of esp_sleep_enable_timer_wakeup() has passed the device boots, with ESP_RST_DEEPSLEEP; without one `otter run` ends.
 * RTC_DATA_ATTR and RTC_NOINIT_ATTR variables are as they were.
 */
void esp_deep_sleep_start(void) __attribute__((noreturn));
/** The same, and it is never rejected here, so that it does not return. */
esp_err_t esp_deep_sleep_try_to_start(void);
/** Enables the time, then sleeps. @param time_in_us  microseconds */
void esp_deep_sleep(uint64_t time_in_us) __attribute__((noreturn));
esp_err_t esp_deep_sleep_try(uint64_t time_in_us);

/**
 * Waits until the time that was enabled has passed, for ever without one. Other tasks go on. @return ESP_OK
 */
esp_err_t esp_light_sleep_start(void);

typedef void (*esp_deep_sleep_cb_t)(void);
/** At most 3 functions, called in this order before deep sleep. @return ESP_OK, ESP_ERR_NO_MEM (3 are) */
esp_err_t esp_deep_sleep_register_hook(esp_deep_sleep_cb_t new_dslp_cb);
void esp_deep_sleep_deregister_hook(esp_deep_sleep_cb_t old_dslp_cb);

/* ---- what ends it ---- */

/** @param time_in_us  microseconds. @return ESP_OK, ESP_ERR_INVALID_ARG (above INT64_MAX) */
esp_err_t esp_sleep_enable_timer_wakeup(uint64_t time_in_us);

/** @return ESP_OK, ESP_ERR_INVALID_STATE: it was not enabled */
esp_err_t esp_sleep_disable_wakeup_source(esp_sleep_source_t source);

/** Of the deep sleep before this boot, or the last light sleep. */
esp_sleep_wakeup_cause_t esp_sleep_get_wakeup_cause(void);
/** The same as bits, 1 << cause. */
uint32_t esp_sleep_get_wakeup_causes(void);

/* Other sources. @return ESP_OK, ESP_ERR_INVALID_ARG: no such pin, or none */
esp_err_t esp_sleep_enable_ext0_wakeup(gpio_num_t gpio_num, int level);
esp_err_t esp_sleep_enable_ext1_wakeup(uint64_t io_mask, esp_sleep_ext1_wakeup_mode_t level_mode);
esp_err_t esp_sleep_enable_ext1_wakeup_io(uint64_t io_mask, esp_sleep_ext1_wakeup_mode_t level_mode);
/** Each pin has a level of its own here. */
esp_err_t esp_sleep_enable_ext1_wakeup_with_level_mask(uint64_t io_mask, uint64_t level_mask);
esp_err_t esp_sleep_disable_ext1_wakeup_io(uint64_t io_mask);
esp_err_t esp_deep_sleep_enable_gpio_wakeup(uint64_t gpio_pin_mask, esp_deepsleep_gpio_wake_up_mode_t mode);
esp_err_t esp_sleep_enable_gpio_wakeup(void);
esp_err_t esp_sleep_enable_touchpad_wakeup(void);
esp_err_t esp_sleep_enable_ulp_wakeup(void);
esp_err_t esp_sleep_enable_uart_wakeup(int uart_num);
esp_err_t esp_sleep_enable_wifi_wakeup(void);
esp_err_t esp_sleep_disable_wifi_wakeup(void);
esp_err_t esp_sleep_enable_bt_wakeup(void);
esp_err_t esp_sleep_disable_bt_wakeup(void);
/** True of each pin. */
bool esp_sleep_is_valid_wakeup_gpio(gpio_num_t gpio_num);
/** 0: no pin has woken it. */
uint64_t esp_sleep_get_ext1_wakeup_status(void);
uint64_t esp_sleep_get_gpio_wakeup_status(void);

/* ---- what only a chip could do: accepted ---- */

/** @return ESP_OK, ESP_ERR_INVALID_ARG (no such domain or option) */
esp_err_t esp_sleep_pd_config(esp_sleep_pd_domain_t domain, esp_sleep_pd_option_t option);
void esp_sleep_config_gpio_isolate(void);
void esp_sleep_enable_gpio_switch(bool enable);
void esp_deep_sleep_disable_rom_logging(void);
typedef void (*esp_deep_sleep_wake_stub_fn_t)(void);
/** It is kept for esp_get_deep_sleep_wake_stub(), and not called. */
void esp_set_deep_sleep_wake_stub(esp_deep_sleep_wake_stub_fn_t new_stub);
esp_deep_sleep_wake_stub_fn_t esp_get_deep_sleep_wake_stub(void);
void esp_set_deep_sleep_wake_stub_default_entry(void);
void esp_default_wake_deep_sleep(void);

#ifdef __cplusplus
}
#endif
