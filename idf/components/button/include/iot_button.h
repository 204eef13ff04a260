/* The registry's buttons, version 4: presses, clicks and long presses of a pin, looked at every 5 ms by the timer's task. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "button_types.h"
#include "esp_err.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*button_cb_t)(void *button_handle, void *usr_data);

/* What comes: PRESS_DOWN, PRESS_UP, SINGLE_CLICK, DOUBLE_CLICK, LONG_PRESS_START, LONG_PRESS_UP. The others never do. */
typedef enum {
    BUTTON_PRESS_DOWN = 0,
    BUTTON_PRESS_UP,
    BUTTON_PRESS_REPEAT,
    BUTTON_PRESS_REPEAT_DONE,
    BUTTON_SINGLE_CLICK,
    BUTTON_DOUBLE_CLICK,
    BUTTON_MULTIPLE_CLICK,
    BUTTON_LONG_PRESS_START,
    BUTTON_LONG_PRESS_HOLD,
    BUTTON_LONG_PRESS_UP,
    BUTTON_PRESS_END,
    BUTTON_EVENT_MAX,
    BUTTON_NONE_PRESS,
} button_event_t;

typedef union {
    struct long_press_t {
        uint16_t press_time; /* ms */
    } long_press;
    struct multiple_clicks_t {
        uint16_t clicks;
    } multiple_clicks;
} button_event_args_t;

/* Codes: ESP_ERR_INVALID_ARG with NULL or no such event. Any task may call these, but not one of the callbacks. */

esp_err_t iot_button_delete(button_handle_t btn_handle);
/** @param event_args  of long presses: after which time, instead of the button's; else NULL. @return also ESP_ERR_NO_MEM */
esp_err_t iot_button_register_cb(button_handle_t btn_handle, button_event_t event,
                                 button_event_args_t *event_args, button_cb_t cb, void *usr_data);
/** All of that event. @return also ESP_ERR_INVALID_STATE: there is none */
esp_err_t iot_button_unregister_cb(button_handle_t btn_handle, button_event_t event,
                                   button_event_args_t *event_args);
size_t iot_button_count_cb(button_handle_t btn_handle);
/** The last one; BUTTON_NONE_PRESS: none yet. */
button_event_t iot_button_get_event(button_handle_t btn_handle);
/** Of the press that lasts, or of the last one, in ms. */
uint32_t iot_button_get_pressed_time(button_handle_t btn_handle);
/** BUTTON_ACTIVE: it is pressed. */
uint8_t iot_button_get_key_level(button_handle_t btn_handle);

#ifdef __cplusplus
}
#endif
