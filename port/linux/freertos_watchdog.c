/* The task watchdog: which tasks, and users that a program names, have shown life. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "esp_task_wdt.h"
#include "linux/freertos_kernel.h"
#include "linux/steady_clock.h"
#include "linux/thread_state.h"

/** A part of a program that has to call esp_task_wdt_reset_user(). The list belongs to the kernel lock. */
struct esp_task_wdt_user_handle_s {
    struct esp_task_wdt_user_handle_s *next;
    const char *name; /* not copied, as in ESP-IDF */
    bool signed_life;
    int64_t fed_us; /* as of a task */
};

static esp_task_wdt_user_handle_t users;

/** A task as the watchdog sees it. */
typedef struct {
    int id;
    thread_state_t state;
    bool known; /* `state` is */
} look_t;

/** All tasks, looked at without the lock: else they would have to wait for this. @return malloc'ed */
static look_t *look_at_tasks(size_t *count)
{
    kernel_lock();
    *count = 0;
    for (TaskHandle_t t = kernel_first_task(); t != NULL; t = t->next) {
        (*count)++;
    }
    look_t *looks = calloc(*count + 1, sizeof(*looks));
    size_t i = 0;
    for (TaskHandle_t t = kernel_first_task(); looks != NULL && t != NULL; t = t->next) {
        looks[i++].id = atomic_load(&t->id);
    }
    kernel_unlock();
    for (i = 0; looks != NULL && i < *count; i++) {
        looks[i].known = looks[i].id != 0 && thread_state_read((pid_t)looks[i].id, &looks[i].state);
    }
    return looks;
}

/** True if the task has shown life, or nothing is known of it. */
static bool shows_life(TaskHandle_t task, const look_t *looks, size_t count)
{
    const look_t *look = looks;
    while (look < looks + count && look->id != atomic_load(&task->id)) {
        look++;
    }
    bool known = look < looks + count && look->known; /* not if it has only just begun, for example */
    if (!task->subscribed && (!known || thread_state_blocked(&task->looked, &look->state))) {
        atomic_store(&task->signed_life, true); /* until all live at once */
    }
    if (known) {
        task->looked = look->state;
    }
    return atomic_load(&task->signed_life);
}

/** With the lock held: from now on, all must show life again. */
static void forget_signs(void)
{
    for (TaskHandle_t t = kernel_first_task(); t != NULL; t = t->next) {
        atomic_store(&t->signed_life, false);
    }
    for (esp_task_wdt_user_handle_t user = users; user != NULL; user = user->next) {
        user->signed_life = false;
    }
}

bool kernel_all_alive(kernel_silent_t *silent)
{
    TaskHandle_t first = NULL;
    size_t count;
    look_t *looks = look_at_tasks(&count);
    kernel_lock();
    for (TaskHandle_t t = kernel_first_task(); looks != NULL && t != NULL; t = t->next) {
        first = !shows_life(t, looks, count) && first == NULL ? t : first;
    }
    const struct esp_task_wdt_user_handle_s *user = users;
    while (user != NULL && user->signed_life) {
        user = user->next;
    }
    bool alive = first == NULL && user == NULL;
    if (alive) {
        forget_signs();
    } else if (silent != NULL) {
        snprintf(silent->name, sizeof(silent->name), "%s", first != NULL ? first->name : user->name);
        silent->subscribed = first == NULL || first->subscribed;
    }
    kernel_unlock();
    free(looks);
    return alive;
}

int64_t kernel_first_to_feed(kernel_silent_t *silent)
{
    int64_t first = INT64_MAX;
    const char *name = "";
    for (TaskHandle_t t = kernel_first_task(); t != NULL; t = t->next) {
        if (t->subscribed && atomic_load(&t->fed_us) < first) {
            first = atomic_load(&t->fed_us);
            name = t->name;
        }
    }
    for (const struct esp_task_wdt_user_handle_s *user = users; user != NULL; user = user->next) {
        if (user->fed_us < first) {
            first = user->fed_us;
            name = user->name;
        }
    }
    snprintf(silent->name, sizeof(silent->name), "%s", name);
    silent->subscribed = true;
    return first;
}

void kernel_alive(void)
{
    TaskHandle_t task = kernel_current();
    if (task != NULL && !task->subscribed) {
        atomic_store(&task->signed_life, true);
    }
}

esp_err_t(esp_task_wdt_init)(const esp_task_wdt_config_t *config)
{
    (void)config;
    return ESP_OK;
}

esp_err_t otter_task_wdt_init_v4(uint32_t timeout_s, bool panic)
{
    (void)timeout_s, (void)panic;
    return ESP_OK;
}

esp_err_t esp_task_wdt_reconfigure(const esp_task_wdt_config_t *config)
{
    return (esp_task_wdt_init)(config);
}

esp_err_t esp_task_wdt_deinit(void)
{
    return ESP_OK;
}

/** With the lock held. NULL: the calling task. @return NULL: no task, nor the idle one, which is one in name only */
static TaskHandle_t find(TaskHandle_t task)
{
    task = task != NULL ? task : kernel_current();
    return kernel_is_task(task) || task == xTaskGetIdleTaskHandle() ? task : NULL;
}

/** Changes the subscription of a task. @return `unchanged` if it was so already */
static esp_err_t subscribe(TaskHandle_t task, bool subscribed, esp_err_t unchanged)
{
    kernel_lock();
    task = find(task);
    esp_err_t err = ESP_ERR_INVALID_ARG;
    if (task != NULL) {
        err = task->subscribed == subscribed ? unchanged : ESP_OK;
        task->subscribed = subscribed;
        atomic_store(&task->fed_us, steady_clock_us());
        atomic_store(&task->signed_life, true);
    }
    kernel_unlock();
    return err;
}

esp_err_t esp_task_wdt_add(TaskHandle_t task)
{
    return subscribe(task, true, ESP_ERR_INVALID_ARG);
}

esp_err_t esp_task_wdt_delete(TaskHandle_t task)
{
    return subscribe(task, false, ESP_ERR_NOT_FOUND);
}

esp_err_t esp_task_wdt_reset(void)
{
    esp_err_t err = esp_task_wdt_status(NULL);
    TaskHandle_t task = kernel_current();
    if (task != NULL) {
        atomic_store(&task->fed_us, steady_clock_us());
        atomic_store(&task->signed_life, true);
    }
    return err;
}

esp_err_t esp_task_wdt_status(TaskHandle_t task)
{
    kernel_lock();
    task = find(task);
    bool subscribed = task != NULL && task->subscribed;
    kernel_unlock();
    return subscribed ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t esp_task_wdt_add_user(const char *user_name, esp_task_wdt_user_handle_t *user_handle_ret)
{
    if (user_name == NULL || user_handle_ret == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_task_wdt_user_handle_t user = calloc(1, sizeof(*user));
    if (user == NULL) {
        return ESP_ERR_NO_MEM;
    }
    user->name = user_name;
    user->signed_life = true;
    user->fed_us = steady_clock_us();
    kernel_lock();
    user->next = users;
    users = user;
    kernel_watches_users(true);
    kernel_unlock();
    *user_handle_ret = user;
    return ESP_OK;
}

/** With the lock held: the link to it. NULL: there is no such user */
static esp_task_wdt_user_handle_t *find_user(esp_task_wdt_user_handle_t user)
{
    esp_task_wdt_user_handle_t *link = &users;
    while (*link != NULL && *link != user) {
        link = &(*link)->next;
    }
    return *link != NULL ? link : NULL;
}

esp_err_t esp_task_wdt_reset_user(esp_task_wdt_user_handle_t user_handle)
{
    if (user_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    kernel_lock();
    bool there = find_user(user_handle) != NULL;
    if (there) {
        user_handle->signed_life = true;
        user_handle->fed_us = steady_clock_us();
    }
    kernel_unlock();
    return there ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t esp_task_wdt_delete_user(esp_task_wdt_user_handle_t user_handle)
{
    if (user_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    kernel_lock();
    esp_task_wdt_user_handle_t *link = find_user(user_handle);
    if (link != NULL) {
        *link = user_handle->next;
        kernel_watches_users(users != NULL);
    }
    kernel_unlock();
    if (link == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    free(user_handle);
    return ESP_OK;
}
