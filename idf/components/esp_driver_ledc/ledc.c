/* The channels and timers of a PWM that drives nothing. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/ledc.h"

#include <pthread.h>

#include "esp_log.h"

static const char TAG[] = "ledc";

typedef struct {
    uint32_t duty, next_duty; /* the second one counts from an update on */
    int hpoint;
    ledc_cb_t fade_cb;
    void *fade_arg;
} channel_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all of this */
static channel_t channels[LEDC_SPEED_MODE_MAX][LEDC_CHANNEL_MAX];
static uint32_t frequencies[LEDC_SPEED_MODE_MAX][LEDC_TIMER_MAX];
static bool told, can_fade;

static bool is_timer(ledc_mode_t mode, ledc_timer_t timer)
{
    return (unsigned)mode < LEDC_SPEED_MODE_MAX && (unsigned)timer < LEDC_TIMER_MAX;
}

/** Locks. @return NULL: there is none, and nothing is locked */
static channel_t *enter(ledc_mode_t mode, ledc_channel_t channel)
{
    if ((unsigned)mode >= LEDC_SPEED_MODE_MAX || (unsigned)channel >= LEDC_CHANNEL_MAX) {
        return NULL;
    }
    (void)pthread_mutex_lock(&lock); /* it is a plain one: this cannot fail */
    return &channels[mode][channel];
}

static esp_err_t leave(void)
{
    (void)pthread_mutex_unlock(&lock);
    return ESP_OK;
}

/* ---- timers ---- */

esp_err_t ledc_timer_config(const ledc_timer_config_t *timer_conf)
{
    if (timer_conf == NULL || !is_timer(timer_conf->speed_mode, timer_conf->timer_num)) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!timer_conf->deconfigure &&
        (timer_conf->freq_hz == 0 || timer_conf->duty_resolution < LEDC_TIMER_1_BIT ||
         timer_conf->duty_resolution >= LEDC_TIMER_BIT_MAX)) {
        return ESP_ERR_INVALID_ARG;
    }
    (void)pthread_mutex_lock(&lock);
    frequencies[timer_conf->speed_mode][timer_conf->timer_num] =
        timer_conf->deconfigure ? 0 : timer_conf->freq_hz;
    bool first_time = !told;
    told = true;
    (void)leave();
    if (first_time) {
        ESP_LOGI(TAG, "a stand-in: no pin gets this PWM");
    }
    return ESP_OK;
}

uint32_t ledc_get_freq(ledc_mode_t speed_mode, ledc_timer_t timer_num)
{
    if (!is_timer(speed_mode, timer_num)) {
        return 0;
    }
    (void)pthread_mutex_lock(&lock);
    uint32_t frequency = frequencies[speed_mode][timer_num];
    (void)leave();
    return frequency;
}

esp_err_t ledc_set_freq(ledc_mode_t speed_mode, ledc_timer_t timer_num, uint32_t freq_hz)
{
    if (!is_timer(speed_mode, timer_num) || freq_hz == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    (void)pthread_mutex_lock(&lock);
    frequencies[speed_mode][timer_num] = freq_hz;
    return leave();
}

esp_err_t ledc_timer_rst(ledc_mode_t speed_mode, ledc_timer_t timer_sel)
{
    return is_timer(speed_mode, timer_sel) ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t ledc_timer_pause(ledc_mode_t speed_mode, ledc_timer_t timer_sel)
{
    return ledc_timer_rst(speed_mode, timer_sel);
}

esp_err_t ledc_timer_resume(ledc_mode_t speed_mode, ledc_timer_t timer_sel)
{
    return ledc_timer_rst(speed_mode, timer_sel);
}

esp_err_t ledc_bind_channel_timer(ledc_mode_t speed_mode, ledc_channel_t channel, ledc_timer_t timer_sel)
{
    return (unsigned)channel < LEDC_CHANNEL_MAX ? ledc_timer_rst(speed_mode, timer_sel) : ESP_ERR_INVALID_ARG;
}

/* ---- channels ---- */

esp_err_t ledc_channel_config(const ledc_channel_config_t *ledc_conf)
{
    if (ledc_conf == NULL || !is_timer(ledc_conf->speed_mode, ledc_conf->timer_sel)) {
        return ESP_ERR_INVALID_ARG;
    }
    return ledc_set_duty_and_update(ledc_conf->speed_mode, ledc_conf->channel, ledc_conf->duty,
                                    (uint32_t)ledc_conf->hpoint);
}

esp_err_t ledc_set_duty(ledc_mode_t speed_mode, ledc_channel_t channel, uint32_t duty)
{
    channel_t *found = enter(speed_mode, channel);
    if (found == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    found->next_duty = duty;
    return leave();
}

esp_err_t ledc_set_duty_with_hpoint(ledc_mode_t speed_mode, ledc_channel_t channel, uint32_t duty,
                                    uint32_t hpoint)
{
    channel_t *found = enter(speed_mode, channel);
    if (found == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    found->next_duty = duty;
    found->hpoint = (int)hpoint;
    return leave();
}

esp_err_t ledc_update_duty(ledc_mode_t speed_mode, ledc_channel_t channel)
{
    channel_t *found = enter(speed_mode, channel);
    if (found == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    found->duty = found->next_duty;
    return leave();
}

esp_err_t ledc_set_duty_and_update(ledc_mode_t speed_mode, ledc_channel_t channel, uint32_t duty,
                                   uint32_t hpoint)
{
    esp_err_t err = ledc_set_duty_with_hpoint(speed_mode, channel, duty, hpoint);
    return err == ESP_OK ? ledc_update_duty(speed_mode, channel) : err;
}

uint32_t ledc_get_duty(ledc_mode_t speed_mode, ledc_channel_t channel)
{
    const channel_t *found = enter(speed_mode, channel);
    if (found == NULL) {
        return LEDC_ERR_DUTY;
    }
    uint32_t duty = found->duty;
    (void)leave();
    return duty;
}

int ledc_get_hpoint(ledc_mode_t speed_mode, ledc_channel_t channel)
{
    const channel_t *found = enter(speed_mode, channel);
    if (found == NULL) {
        return LEDC_ERR_VAL;
    }
    int hpoint = found->hpoint;
    (void)leave();
    return hpoint;
}

esp_err_t ledc_stop(ledc_mode_t speed_mode, ledc_channel_t channel, uint32_t idle_level)
{
    (void)idle_level;
    return enter(speed_mode, channel) != NULL ? leave() : ESP_ERR_INVALID_ARG;
}

esp_err_t ledc_set_pin(int gpio_num, ledc_mode_t speed_mode, ledc_channel_t channel)
{
    return GPIO_IS_VALID_OUTPUT_GPIO(gpio_num) ? ledc_stop(speed_mode, channel, 0) : ESP_ERR_INVALID_ARG;
}

/* ---- fades ---- */

static void set_can_fade(bool can)
{
    (void)pthread_mutex_lock(&lock);
    can_fade = can;
    (void)leave();
}

esp_err_t ledc_fade_func_install(int intr_alloc_flags)
{
    (void)intr_alloc_flags;
    set_can_fade(true);
    return ESP_OK;
}

void ledc_fade_func_uninstall(void)
{
    set_can_fade(false);
}

esp_err_t ledc_set_fade_with_time(ledc_mode_t speed_mode, ledc_channel_t channel, uint32_t target_duty,
                                  int desired_fade_time_ms)
{
    (void)desired_fade_time_ms;
    channel_t *found = enter(speed_mode, channel);
    if (found == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    found->next_duty = can_fade ? target_duty : found->next_duty;
    esp_err_t err = can_fade ? ESP_OK : ESP_ERR_INVALID_STATE;
    (void)leave();
    return err;
}

esp_err_t ledc_set_fade_with_step(ledc_mode_t speed_mode, ledc_channel_t channel, uint32_t target_duty,
                                  uint32_t scale, uint32_t cycle_num)
{
    (void)scale, (void)cycle_num;
    return ledc_set_fade_with_time(speed_mode, channel, target_duty, 0);
}

esp_err_t ledc_fade_start(ledc_mode_t speed_mode, ledc_channel_t channel, ledc_fade_mode_t fade_mode)
{
    channel_t *found = (unsigned)fade_mode < LEDC_FADE_MAX ? enter(speed_mode, channel) : NULL;
    if (found == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!can_fade) {
        (void)leave();
        return ESP_ERR_INVALID_STATE;
    }
    found->duty = found->next_duty;
    const channel_t now = *found;
    (void)leave();
    if (now.fade_cb != NULL) {
        const ledc_cb_param_t param = {LEDC_FADE_END_EVT, speed_mode, channel, now.duty};
        (void)now.fade_cb(&param, now.fade_arg);
    }
    return ESP_OK;
}

esp_err_t ledc_fade_stop(ledc_mode_t speed_mode, ledc_channel_t channel)
{
    return ledc_stop(speed_mode, channel, 0);
}

esp_err_t ledc_set_fade_time_and_start(ledc_mode_t speed_mode, ledc_channel_t channel, uint32_t target_duty,
                                       uint32_t desired_fade_time_ms, ledc_fade_mode_t fade_mode)
{
    esp_err_t err = ledc_set_fade_with_time(speed_mode, channel, target_duty, (int)desired_fade_time_ms);
    return err == ESP_OK ? ledc_fade_start(speed_mode, channel, fade_mode) : err;
}

esp_err_t ledc_cb_register(ledc_mode_t speed_mode, ledc_channel_t channel, ledc_cbs_t *cbs, void *user_arg)
{
    channel_t *found = cbs != NULL ? enter(speed_mode, channel) : NULL;
    if (found == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    found->fade_cb = cbs->fade_cb;
    found->fade_arg = user_arg;
    return leave();
}
