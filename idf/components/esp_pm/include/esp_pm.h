/* Power management: what is asked for is kept and told again, and nothing is saved. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "esp_err.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int max_freq_mhz;
    int min_freq_mhz;
    bool light_sleep_enable;
} esp_pm_config_t;

typedef esp_pm_config_t esp_pm_config_esp32_t
    __attribute__((deprecated("please use esp_pm_config_t instead")));
typedef esp_pm_config_t esp_pm_config_esp32s2_t
    __attribute__((deprecated("please use esp_pm_config_t instead")));
typedef esp_pm_config_t esp_pm_config_esp32s3_t
    __attribute__((deprecated("please use esp_pm_config_t instead")));
typedef esp_pm_config_t esp_pm_config_esp32c3_t
    __attribute__((deprecated("please use esp_pm_config_t instead")));
typedef esp_pm_config_t esp_pm_config_esp32c2_t
    __attribute__((deprecated("please use esp_pm_config_t instead")));
typedef esp_pm_config_t esp_pm_config_esp32c6_t
    __attribute__((deprecated("please use esp_pm_config_t instead")));

typedef enum {
    ESP_PM_CPU_FREQ_MAX,
    ESP_PM_APB_FREQ_MAX,
    ESP_PM_NO_LIGHT_SLEEP,
    ESP_PM_LOCK_MAX,
} esp_pm_lock_type_t;

typedef struct esp_pm_lock *esp_pm_lock_handle_t;

/** @return ESP_OK; ESP_ERR_INVALID_ARG: NULL, or a slowest frequency above the fastest; ESP_ERR_NOT_SUPPORTED, as all of these,
    without CONFIG_PM_ENABLE */
esp_err_t esp_pm_configure(const void *config);
esp_err_t esp_pm_get_configuration(void *config);

/** @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_NO_MEM */
esp_err_t esp_pm_lock_create(esp_pm_lock_type_t lock_type, int arg, const char *name,
                             esp_pm_lock_handle_t *out_handle);
/** May be taken more than once. */
esp_err_t esp_pm_lock_acquire(esp_pm_lock_handle_t handle);
/** @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_INVALID_STATE: it is not taken */
esp_err_t esp_pm_lock_release(esp_pm_lock_handle_t handle);
/** @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_INVALID_STATE: it is taken */
esp_err_t esp_pm_lock_delete(esp_pm_lock_handle_t handle);
esp_err_t esp_pm_dump_locks(FILE *stream);

#ifdef __cplusplus
}
#endif
