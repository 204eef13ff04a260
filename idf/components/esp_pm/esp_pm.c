/* Keeps the configuration and the count of each lock. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_pm.h"

#include <pthread.h>
#include <stdlib.h>

#include "esp_log.h"

#ifdef CONFIG_PM_ENABLE
#define HAS_PM 1
#else
#define HAS_PM 0
#endif

static const char TAG[] = "pm";

struct esp_pm_lock {
    struct esp_pm_lock *next;
    esp_pm_lock_type_t type;
    const char *name; /* not copied, as in ESP-IDF */
    unsigned taken;
};

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static struct esp_pm_lock *locks;
static esp_pm_config_t current;

static void enter(void)
{
    (void)pthread_mutex_lock(&guard); /* it is a plain one: this cannot fail */
}

static void leave(void)
{
    (void)pthread_mutex_unlock(&guard);
}

esp_err_t esp_pm_configure(const void *config)
{
    const esp_pm_config_t *wanted = config;
    if (!HAS_PM) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    if (wanted == NULL || wanted->min_freq_mhz > wanted->max_freq_mhz) {
        return ESP_ERR_INVALID_ARG;
    }
    enter();
    current = *wanted;
    leave();
    ESP_LOGI(TAG, "a stand-in: %d to %d MHz are kept in mind, and the processor runs as it does",
             wanted->min_freq_mhz, wanted->max_freq_mhz);
    return ESP_OK;
}

esp_err_t esp_pm_get_configuration(void *config)
{
    if (!HAS_PM) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    if (config == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    enter();
    *(esp_pm_config_t *)config = current;
    leave();
    return ESP_OK;
}

esp_err_t esp_pm_lock_create(esp_pm_lock_type_t lock_type, int arg, const char *name,
                             esp_pm_lock_handle_t *out_handle)
{
    (void)arg;
    if (!HAS_PM) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    if (out_handle == NULL || (unsigned)lock_type >= ESP_PM_LOCK_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    struct esp_pm_lock *lock = calloc(1, sizeof(*lock));
    if (lock == NULL) {
        return ESP_ERR_NO_MEM;
    }
    enter();
    *lock = (struct esp_pm_lock){.next = locks, .type = lock_type, .name = name};
    locks = lock;
    leave();
    *out_handle = lock;
    return ESP_OK;
}

esp_err_t esp_pm_lock_acquire(esp_pm_lock_handle_t handle)
{
    if (!HAS_PM) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    if (handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    enter();
    handle->taken++;
    leave();
    return ESP_OK;
}

esp_err_t esp_pm_lock_release(esp_pm_lock_handle_t handle)
{
    if (!HAS_PM) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    if (handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    enter();
    bool was_taken = handle->taken > 0;
    handle->taken -= was_taken;
    leave();
    return was_taken ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_pm_lock_delete(esp_pm_lock_handle_t handle)
{
    if (!HAS_PM) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    if (handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    enter();
    bool is_taken = handle->taken > 0;
    struct esp_pm_lock **link = &locks;
    while (!is_taken && *link != NULL && *link != handle) {
        link = &(*link)->next;
    }
    if (!is_taken && *link != NULL) {
        *link = handle->next;
    }
    leave();
    if (is_taken) {
        return ESP_ERR_INVALID_STATE;
    }
    free(handle);
    return ESP_OK;
}

esp_err_t esp_pm_dump_locks(FILE *stream)
{
    static const char *const types[] = {"CPU_FREQ_MAX", "APB_FREQ_MAX", "NO_LIGHT_SLEEP"};
    if (!HAS_PM) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    if (stream == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    enter();
    for (const struct esp_pm_lock *lock = locks; lock != NULL; lock = lock->next) {
        fprintf(stream, "%-16s %-16s %u\n", lock->name != NULL ? lock->name : "", types[lock->type],
                lock->taken);
    }
    leave();
    return ESP_OK;
}
