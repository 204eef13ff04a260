/* The pins, and what `otter run --gpio` has planned for them: the variable OTTER_GPIO, as "4=0@500,5=1@0" in ms. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/gpio.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>

#include "esp_log.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#define PLANNED_MAX 256
#define TASK_STACK  4096

static const char TAG[] = "gpio";

typedef struct {
    gpio_mode_t mode;
    bool pull_up, level, intr_enabled;
    gpio_int_type_t intr_type;
    gpio_isr_t handler;
    void *arg;
} pin_t;

typedef struct {
    unsigned pin, level;
    int64_t at_us; /* since the boot */
} change_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all that follows */
static pin_t pins[GPIO_PIN_COUNT];
static bool ready, installed;
static change_t planned[PLANNED_MAX]; /* by time */
static int planned_count;

static int by_time(const void *a, const void *b)
{
    const change_t *one = a, *other = b;
    return one->at_us < other->at_us ? -1 : one->at_us > other->at_us;
}

static void read_plan(const char *text)
{
    char *rest = strdup(text), *word = rest, *next;
    for (; word != NULL && planned_count < PLANNED_MAX; word = next) {
        next = strchr(word, ',');
        if (next != NULL) {
            *next++ = '\0';
        }
        change_t *change = &planned[planned_count];
        unsigned ms = 0;
        if (sscanf(word, "%u=%u@%u", &change->pin, &change->level, &ms) >= 2 &&
            change->pin < GPIO_PIN_COUNT) {
            change->at_us = (int64_t)ms * 1000;
            planned_count++;
        } else if (word[0] != '\0') {
            ESP_LOGE(TAG, "'%s' is no PIN=LEVEL@MS of --gpio", word);
        }
    }
    free(rest);
    qsort(planned, (size_t)planned_count, sizeof(planned[0]), by_time);
}

/** Locked from here on. */
static void enter(void)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&told)) {
        ESP_LOGI(TAG, "a stand-in without pins: levels are those of `otter run --gpio`");
    }
    pthread_mutex_lock(&lock);
    if (!ready) {
        const char *plan = getenv("OTTER_GPIO");
        ready = true;
        for (int i = 0; i < GPIO_PIN_COUNT; i++) {
            pins[i] = (pin_t){.mode = GPIO_MODE_INPUT, .pull_up = true};
        }
        if (plan != NULL) {
            read_plan(plan);
        }
    }
}

static esp_err_t leave(esp_err_t err)
{
    pthread_mutex_unlock(&lock);
    return err;
}

/** @return the pin, locked; NULL: there is none, and nothing is locked */
static pin_t *enter_pin(gpio_num_t gpio_num)
{
    if (!GPIO_IS_VALID_GPIO(gpio_num)) {
        return NULL;
    }
    enter();
    return &pins[gpio_num];
}

esp_err_t gpio_config(const gpio_config_t *config)
{
    if (config == NULL || config->pin_bit_mask == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    enter();
    for (int i = 0; i < GPIO_PIN_COUNT; i++) {
        if ((config->pin_bit_mask >> i & 1) != 0) {
            pins[i].mode = config->mode;
            pins[i].pull_up = config->pull_up_en == GPIO_PULLUP_ENABLE;
            pins[i].intr_type = config->intr_type;
            pins[i].intr_enabled = config->intr_type != GPIO_INTR_DISABLE;
        }
    }
    return leave(ESP_OK);
}

esp_err_t gpio_reset_pin(gpio_num_t gpio_num)
{
    const gpio_config_t config = {.pin_bit_mask = GPIO_IS_VALID_GPIO(gpio_num) ? 1ULL << gpio_num : 0,
                                  .mode = GPIO_MODE_INPUT,
                                  .pull_up_en = GPIO_PULLUP_ENABLE};
    return gpio_config(&config);
}

esp_err_t gpio_set_direction(gpio_num_t gpio_num, gpio_mode_t mode)
{
    pin_t *pin = enter_pin(gpio_num);
    if (pin == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    pin->mode = mode;
    return leave(ESP_OK);
}

static esp_err_t set_pull_up(gpio_num_t gpio_num, bool pull_up)
{
    pin_t *pin = enter_pin(gpio_num);
    if (pin == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    pin->pull_up = pull_up;
    return leave(ESP_OK);
}

esp_err_t gpio_set_pull_mode(gpio_num_t gpio_num, gpio_pull_mode_t pull)
{
    return set_pull_up(gpio_num, pull == GPIO_PULLUP_ONLY || pull == GPIO_PULLUP_PULLDOWN);
}

esp_err_t gpio_pullup_en(gpio_num_t gpio_num)
{
    return set_pull_up(gpio_num, true);
}

esp_err_t gpio_pullup_dis(gpio_num_t gpio_num)
{
    return set_pull_up(gpio_num, false);
}

/* A pull-down resistor changes nothing: a pin without a pull-up is 0 in any case. */
esp_err_t gpio_pulldown_en(gpio_num_t gpio_num)
{
    return GPIO_IS_VALID_GPIO(gpio_num) ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t gpio_pulldown_dis(gpio_num_t gpio_num)
{
    return gpio_pulldown_en(gpio_num);
}

esp_err_t gpio_set_level(gpio_num_t gpio_num, uint32_t level)
{
    pin_t *pin = enter_pin(gpio_num);
    if (pin == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    pin->level = level != 0;
    return leave(ESP_OK);
}

/** What a pin is at a time from outside. */
static int level_at(unsigned number, int64_t us)
{
    int level = pins[number].pull_up;
    for (int i = 0; i < planned_count && planned[i].at_us <= us; i++) {
        level = planned[i].pin == number ? planned[i].level != 0 : level;
    }
    return level;
}

int gpio_get_level(gpio_num_t gpio_num)
{
    pin_t *pin = enter_pin(gpio_num);
    if (pin == NULL) {
        return 0;
    }
    int level = (pin->mode & GPIO_MODE_OUTPUT) != 0  ? pin->level
                : (pin->mode & GPIO_MODE_INPUT) != 0 ? level_at((unsigned)gpio_num, esp_timer_get_time())
                                                     : 0;
    (void)leave(ESP_OK);
    return level;
}

/* ---- interrupts ---- */

static bool is_wanted(gpio_int_type_t type, int before, int now)
{
    return type == GPIO_INTR_ANYEDGE                                   ? before != now
           : type == GPIO_INTR_POSEDGE || type == GPIO_INTR_HIGH_LEVEL ? now > before
           : type == GPIO_INTR_NEGEDGE || type == GPIO_INTR_LOW_LEVEL  ? now < before
                                                                       : false;
}

/** The task that calls the handlers: it waits for one planned change after the other. */
static void follow_plan(void *arg)
{
    (void)arg;
    for (int i = 0; i < planned_count; i++) {
        const change_t change = planned[i];
        int64_t left_us = change.at_us - esp_timer_get_time();
        if (left_us > 0) {
            vTaskDelay((TickType_t)(left_us / 1000 / portTICK_PERIOD_MS) + 1);
        }
        enter();
        pin_t pin = pins[change.pin];
        int before = level_at(change.pin, change.at_us - 1);
        (void)leave(ESP_OK);
        if (pin.handler != NULL && pin.intr_enabled && is_wanted(pin.intr_type, before, change.level != 0)) {
            pin.handler(pin.arg);
        }
    }
    vTaskDelete(NULL);
}

esp_err_t gpio_install_isr_service(int intr_alloc_flags)
{
    (void)intr_alloc_flags;
    enter();
    if (installed) {
        return leave(ESP_ERR_INVALID_STATE);
    }
    installed = true;
    bool follow = planned_count > 0;
    (void)leave(ESP_OK);
    return !follow || xTaskCreate(follow_plan, "gpio_isr", TASK_STACK, NULL, configMAX_PRIORITIES - 1,
                                  NULL) == pdPASS
               ? ESP_OK
               : ESP_ERR_NO_MEM;
}

void gpio_uninstall_isr_service(void)
{
    enter();
    for (int i = 0; i < GPIO_PIN_COUNT; i++) {
        pins[i].handler = NULL;
    }
    installed = false;
    (void)leave(ESP_OK);
}

static esp_err_t set_handler(gpio_num_t gpio_num, gpio_isr_t handler, void *arg)
{
    pin_t *pin = enter_pin(gpio_num);
    if (pin == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!installed) {
        return leave(ESP_ERR_INVALID_STATE);
    }
    pin->handler = handler;
    pin->arg = arg;
    return leave(ESP_OK);
}

esp_err_t gpio_isr_handler_add(gpio_num_t gpio_num, gpio_isr_t isr_handler, void *args)
{
    return set_handler(gpio_num, isr_handler, args);
}

esp_err_t gpio_isr_handler_remove(gpio_num_t gpio_num)
{
    return set_handler(gpio_num, NULL, NULL);
}

esp_err_t gpio_set_intr_type(gpio_num_t gpio_num, gpio_int_type_t intr_type)
{
    pin_t *pin = intr_type < GPIO_INTR_MAX ? enter_pin(gpio_num) : NULL;
    if (pin == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    pin->intr_type = intr_type;
    return leave(ESP_OK);
}

static esp_err_t enable(gpio_num_t gpio_num, bool enabled)
{
    pin_t *pin = enter_pin(gpio_num);
    if (pin == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    pin->intr_enabled = enabled;
    return leave(ESP_OK);
}

esp_err_t gpio_intr_enable(gpio_num_t gpio_num)
{
    return enable(gpio_num, true);
}

esp_err_t gpio_intr_disable(gpio_num_t gpio_num)
{
    return enable(gpio_num, false);
}

esp_err_t gpio_isr_register(gpio_isr_t fn, void *arg, int intr_alloc_flags, gpio_isr_handle_t *handle)
{
    (void)fn, (void)arg, (void)intr_alloc_flags, (void)handle;
    return ESP_ERR_NOT_SUPPORTED;
}

esp_err_t gpio_input_enable(gpio_num_t gpio_num)
{
    pin_t *pin = enter_pin(gpio_num);
    if (pin == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    pin->mode = (gpio_mode_t)(pin->mode | GPIO_MODE_INPUT);
    return leave(ESP_OK);
}

/* ---- what only a pin could do ---- */

static esp_err_t accept(gpio_num_t gpio_num)
{
    return GPIO_IS_VALID_GPIO(gpio_num) ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t gpio_set_drive_capability(gpio_num_t gpio_num, gpio_drive_cap_t strength)
{
    return (unsigned)strength < GPIO_DRIVE_CAP_MAX ? accept(gpio_num) : ESP_ERR_INVALID_ARG;
}

esp_err_t gpio_get_drive_capability(gpio_num_t gpio_num, gpio_drive_cap_t *strength)
{
    if (strength == NULL || accept(gpio_num) != ESP_OK) {
        return ESP_ERR_INVALID_ARG;
    }
    *strength = GPIO_DRIVE_CAP_DEFAULT;
    return ESP_OK;
}

esp_err_t gpio_hold_en(gpio_num_t gpio_num)
{
    return accept(gpio_num);
}

esp_err_t gpio_hold_dis(gpio_num_t gpio_num)
{
    return accept(gpio_num);
}

esp_err_t gpio_force_hold_all(void)
{
    return ESP_OK;
}

esp_err_t gpio_force_unhold_all(void)
{
    return ESP_OK;
}

void gpio_deep_sleep_hold_en(void)
{
}

void gpio_deep_sleep_hold_dis(void)
{
}

/** A level wakes, an edge does not. */
static esp_err_t wake(gpio_num_t gpio_num, gpio_int_type_t intr_type)
{
    static bool told;
    bool is_level = intr_type == GPIO_INTR_LOW_LEVEL || intr_type == GPIO_INTR_HIGH_LEVEL;
    if (!is_level || enter_pin(gpio_num) == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!told) {
        told = true;
        ESP_LOGI(TAG, "a stand-in: no pin ends a sleep");
    }
    return leave(ESP_OK);
}

esp_err_t gpio_wakeup_enable(gpio_num_t gpio_num, gpio_int_type_t intr_type)
{
    return wake(gpio_num, intr_type);
}

esp_err_t gpio_wakeup_disable(gpio_num_t gpio_num)
{
    return accept(gpio_num);
}

esp_err_t gpio_deep_sleep_wakeup_enable(gpio_num_t gpio_num, gpio_int_type_t intr_type)
{
    return wake(gpio_num, intr_type);
}

esp_err_t gpio_deep_sleep_wakeup_disable(gpio_num_t gpio_num)
{
    return accept(gpio_num);
}

esp_err_t gpio_sleep_sel_en(gpio_num_t gpio_num)
{
    return accept(gpio_num);
}

esp_err_t gpio_sleep_sel_dis(gpio_num_t gpio_num)
{
    return accept(gpio_num);
}

esp_err_t gpio_sleep_set_direction(gpio_num_t gpio_num, gpio_mode_t mode)
{
    (void)mode;
    return accept(gpio_num);
}

esp_err_t gpio_sleep_set_pull_mode(gpio_num_t gpio_num, gpio_pull_mode_t pull)
{
    (void)pull;
    return accept(gpio_num);
}
