/* Hardware timers by the names of ESP-IDF 4, on those of driver/gptimer.h: two groups of two, which count at 80 MHz / divider. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TIMER_BASE_CLK 80000000 /* Hz */

typedef enum { TIMER_GROUP_0, TIMER_GROUP_1, TIMER_GROUP_MAX } timer_group_t;
typedef enum { TIMER_0, TIMER_1, TIMER_MAX } timer_idx_t;
typedef enum { TIMER_COUNT_DOWN, TIMER_COUNT_UP, TIMER_COUNT_MAX } timer_count_dir_t;
typedef enum { TIMER_PAUSE, TIMER_START } timer_start_t;
typedef enum { TIMER_ALARM_DIS, TIMER_ALARM_EN, TIMER_ALARM_MAX } timer_alarm_t;
typedef enum { TIMER_INTR_LEVEL, TIMER_INTR_MAX } timer_intr_mode_t;
typedef enum { TIMER_AUTORELOAD_DIS, TIMER_AUTORELOAD_EN, TIMER_AUTORELOAD_MAX } timer_autoreload_t;
typedef enum { TIMER_SRC_CLK_APB, TIMER_SRC_CLK_XTAL } timer_src_clk_t;

/** What it returns has no effect here. */
typedef bool (*timer_isr_t)(void *);

typedef struct {
    timer_alarm_t alarm_en;
    timer_start_t counter_en;
    timer_intr_mode_t intr_type;
    timer_count_dir_t counter_dir;
    timer_autoreload_t auto_reload;
    timer_src_clk_t clk_src;
    uint32_t divider; /* 2 to 65536 */
} timer_config_t;

/* Codes: ESP_ERR_INVALID_ARG (no such timer, NULL), ESP_ERR_INVALID_STATE (it is not initialized, or is already). One task at a
   time calls these of a timer. */

/** @return also ESP_ERR_NO_MEM */
esp_err_t timer_init(timer_group_t group_num, timer_idx_t timer_num, const timer_config_t *config);
esp_err_t timer_deinit(timer_group_t group_num, timer_idx_t timer_num);
esp_err_t timer_start(timer_group_t group_num, timer_idx_t timer_num);
esp_err_t timer_pause(timer_group_t group_num, timer_idx_t timer_num);
esp_err_t timer_set_counter_value(timer_group_t group_num, timer_idx_t timer_num, uint64_t load_val);
esp_err_t timer_get_counter_value(timer_group_t group_num, timer_idx_t timer_num, uint64_t *timer_val);
esp_err_t timer_get_counter_time_sec(timer_group_t group_num, timer_idx_t timer_num, double *time);
/* With auto_reload it begins again at 0. */
esp_err_t timer_set_alarm_value(timer_group_t group_num, timer_idx_t timer_num, uint64_t alarm_value);
esp_err_t timer_set_alarm(timer_group_t group_num, timer_idx_t timer_num, timer_alarm_t alarm_en);
esp_err_t timer_set_auto_reload(timer_group_t group_num, timer_idx_t timer_num, timer_autoreload_t reload);
/** It comes with alarms, in a task. Before timer_start(). @param intr_alloc_flags  of no use here */
esp_err_t timer_isr_callback_add(timer_group_t group_num, timer_idx_t timer_num, timer_isr_t isr_handler,
                                 void *arg, int intr_alloc_flags);
esp_err_t timer_isr_callback_remove(timer_group_t group_num, timer_idx_t timer_num);
/* Alarms come as soon as they are set. */
esp_err_t timer_enable_intr(timer_group_t group_num, timer_idx_t timer_num);
esp_err_t timer_disable_intr(timer_group_t group_num, timer_idx_t timer_num);

#ifdef __cplusplus
}
#endif
