/* Buttons that a timer looks at. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "iot_button.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/lock.h>

#include "button_gpio.h"
#include "driver/gpio.h"
#include "esp_log.h"
#include "esp_timer.h"

#define LOOK_US       5000
#define LONG_PRESS_MS 1500
#define CLICK_MS      180

static const char TAG[] = "button";

typedef struct callback {
    struct callback *next;
    button_event_t event;
    uint32_t after_ms; /* of long presses */
    button_cb_t call;
    void *data;
} callback_t;

struct button_dev_t {
    gpio_num_t pin;
    uint8_t active_level;
    uint32_t long_ms, click_ms;
    esp_timer_handle_t timer;
    button_handle_t next;
    callback_t *callbacks;
    bool pressed;
    uint32_t clicks;
    int64_t since_us;            /* when it was pressed or let go */
    _Atomic uint32_t pressed_ms; /* how long, by now */
    _Atomic button_event_t last;
};

static _lock_t lock; /* guards all buttons and their list; held while callbacks run */
static button_handle_t buttons;

/** Those whose time lies between two looks, of events that have one. */
static void tell(button_handle_t button, button_event_t event, uint32_t before_ms, uint32_t now_ms)
{
    for (const callback_t *each = button->callbacks; each != NULL; each = each->next) {
        const uint32_t after_ms = each->after_ms != 0 ? each->after_ms : button->long_ms;
        const bool in_time = event != BUTTON_LONG_PRESS_START || (after_ms > before_ms && after_ms <= now_ms);
        const bool was_long = event != BUTTON_LONG_PRESS_UP || after_ms <= now_ms;
        if (each->event == event && in_time && was_long) {
            button->last = event;
            each->call(button, each->data);
        }
    }
}

static void on_change(button_handle_t button, bool pressed, int64_t now_us)
{
    button->pressed = pressed;
    if (pressed) {
        button->pressed_ms = 0;
        tell(button, BUTTON_PRESS_DOWN, 0, 0);
    } else {
        tell(button, BUTTON_PRESS_UP, 0, 0);
        tell(button, BUTTON_LONG_PRESS_UP, 0, button->pressed_ms);
        button->clicks = button->pressed_ms < button->long_ms ? button->clicks + 1 : 0;
    }
    button->since_us = now_us;
}

static void on_same(button_handle_t button, int64_t now_us)
{
    const uint32_t lasted_ms = (uint32_t)((now_us - button->since_us) / 1000);
    if (button->pressed) {
        const uint32_t before_ms = button->pressed_ms;
        button->pressed_ms = lasted_ms;
        tell(button, BUTTON_LONG_PRESS_START, before_ms, lasted_ms);
    } else if (button->clicks > 0 && lasted_ms >= button->click_ms) {
        const button_event_t event = button->clicks == 1 ? BUTTON_SINGLE_CLICK : BUTTON_DOUBLE_CLICK;
        const bool known = button->clicks <= 2;
        button->clicks = 0;
        if (known) {
            tell(button, event, 0, 0);
        }
    }
}

static void look(void *arg)
{
    _lock_acquire(&lock);
    button_handle_t button = buttons;
    while (button != NULL && button != arg) { /* one that was deleted meanwhile is not there */
        button = button->next;
    }
    const bool pressed = iot_button_get_key_level(button) == BUTTON_ACTIVE;
    if (button != NULL && pressed != button->pressed) {
        on_change(button, pressed, esp_timer_get_time());
    } else if (button != NULL) {
        on_same(button, esp_timer_get_time());
    }
    _lock_release(&lock);
}

static void leave_list(button_handle_t button)
{
    _lock_acquire(&lock);
    button_handle_t *at = &buttons;
    while (*at != NULL && *at != button) {
        at = &(*at)->next;
    }
    *at = *at != NULL ? button->next : NULL;
    _lock_release(&lock);
}

static void free_callbacks(button_handle_t button)
{
    while (button->callbacks != NULL) {
        callback_t *next = button->callbacks->next;
        free(button->callbacks);
        button->callbacks = next;
    }
}

static esp_err_t begin(button_handle_t button, bool pull)
{
    const gpio_config_t pin = {.pin_bit_mask = 1ULL << (unsigned)button->pin,
                               .mode = GPIO_MODE_INPUT,
                               .pull_up_en = pull && button->active_level == 0,
                               .pull_down_en = pull && button->active_level != 0};
    const esp_timer_create_args_t timer = {.callback = look, .arg = button, .name = TAG};
    esp_err_t err = gpio_config(&pin);
    err = err == ESP_OK ? esp_timer_create(&timer, &button->timer) : err;
    return err == ESP_OK ? esp_timer_start_periodic(button->timer, LOOK_US) : err;
}

esp_err_t iot_button_new_gpio_device(const button_config_t *button_config,
                                     const button_gpio_config_t *gpio_config, button_handle_t *ret_button)
{
    if (button_config == NULL || gpio_config == NULL || ret_button == NULL ||
        !GPIO_IS_VALID_GPIO(gpio_config->gpio_num)) {
        return ESP_ERR_INVALID_ARG;
    }
    button_handle_t button = calloc(1, sizeof(*button));
    if (button == NULL) {
        return ESP_ERR_NO_MEM;
    }
    button->pin = (gpio_num_t)gpio_config->gpio_num;
    button->active_level = gpio_config->active_level;
    button->long_ms = button_config->long_press_time != 0 ? button_config->long_press_time : LONG_PRESS_MS;
    button->click_ms = button_config->short_press_time != 0 ? button_config->short_press_time : CLICK_MS;
    button->last = BUTTON_NONE_PRESS;
    _lock_acquire(&lock);
    button->next = buttons;
    buttons = button;
    _lock_release(&lock);
    esp_err_t err = begin(button, !gpio_config->disable_pull);
    if (err != ESP_OK) {
        (void)iot_button_delete(button);
        return err;
    }
    *ret_button = button;
    return ESP_OK;
}

esp_err_t iot_button_delete(button_handle_t btn_handle)
{
    if (btn_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (btn_handle->timer != NULL) {
        (void)esp_timer_stop(btn_handle->timer); /* it may not have been started */
        (void)esp_timer_delete(btn_handle->timer);
    }
    leave_list(btn_handle);
    free_callbacks(btn_handle);
    free(btn_handle);
    return ESP_OK;
}

esp_err_t iot_button_register_cb(button_handle_t btn_handle, button_event_t event,
                                 button_event_args_t *event_args, button_cb_t cb, void *usr_data)
{
    const bool has_time = event == BUTTON_LONG_PRESS_START || event == BUTTON_LONG_PRESS_UP;
    if (btn_handle == NULL || cb == NULL || (unsigned)event >= BUTTON_EVENT_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    callback_t *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return ESP_ERR_NO_MEM;
    }
    made->event = event;
    made->call = cb;
    made->data = usr_data;
    made->after_ms = has_time && event_args != NULL ? event_args->long_press.press_time : 0;
    _lock_acquire(&lock);
    made->next = btn_handle->callbacks;
    btn_handle->callbacks = made;
    _lock_release(&lock);
    return ESP_OK;
}

esp_err_t iot_button_unregister_cb(button_handle_t btn_handle, button_event_t event,
                                   button_event_args_t *event_args)
{
    (void)event_args;
    if (btn_handle == NULL || (unsigned)event >= BUTTON_EVENT_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = ESP_ERR_INVALID_STATE;
    _lock_acquire(&lock);
    for (callback_t **at = &btn_handle->callbacks; *at != NULL;) {
        callback_t *each = *at;
        if (each->event != event) {
            at = &each->next;
            continue;
        }
        *at = each->next;
        free(each);
        err = ESP_OK;
    }
    _lock_release(&lock);
    return err;
}

size_t iot_button_count_cb(button_handle_t btn_handle)
{
    size_t count = 0;
    if (btn_handle == NULL) {
        return 0;
    }
    _lock_acquire(&lock);
    for (const callback_t *each = btn_handle->callbacks; each != NULL; each = each->next) {
        count++;
    }
    _lock_release(&lock);
    return count;
}

button_event_t iot_button_get_event(button_handle_t btn_handle)
{
    return btn_handle != NULL ? btn_handle->last : BUTTON_NONE_PRESS;
}

uint32_t iot_button_get_pressed_time(button_handle_t btn_handle)
{
    return btn_handle != NULL ? btn_handle->pressed_ms : 0;
}

uint8_t iot_button_get_key_level(button_handle_t btn_handle)
{
    if (btn_handle == NULL) {
        return BUTTON_INACTIVE;
    }
    const bool high = gpio_get_level(btn_handle->pin) != 0;
    return high == (btn_handle->active_level != 0) ? BUTTON_ACTIVE : BUTTON_INACTIVE;
}
