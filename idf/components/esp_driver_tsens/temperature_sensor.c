/* The one temperature sensor. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/temperature_sensor.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "esp_log.h"

static const char TAG[] = "temperature_sensor";

#define DEGREES 25

struct temperature_sensor_obj_t {
    int min, max;
    bool installed, enabled;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all of this */
static struct temperature_sensor_obj_t sensor;

/** From this state to another. */
static esp_err_t change(temperature_sensor_handle_t tsens, bool is_enabled, bool installed, bool enabled)
{
    if (tsens != &sensor) {
        return ESP_ERR_INVALID_ARG;
    }
    (void)pthread_mutex_lock(&lock); /* it is a plain one: this cannot fail */
    bool ok = sensor.installed && sensor.enabled == is_enabled;
    sensor.installed = ok ? installed : sensor.installed;
    sensor.enabled = ok ? enabled : sensor.enabled;
    (void)pthread_mutex_unlock(&lock);
    return ok ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t temperature_sensor_install(const temperature_sensor_config_t *tsens_config,
                                     temperature_sensor_handle_t *ret_tsens)
{
    if (tsens_config == NULL || ret_tsens == NULL || tsens_config->range_min >= tsens_config->range_max) {
        return ESP_ERR_INVALID_ARG;
    }
    (void)pthread_mutex_lock(&lock);
    bool ok = !sensor.installed;
    if (ok) {
        sensor =
            (struct temperature_sensor_obj_t){tsens_config->range_min, tsens_config->range_max, true, false};
        *ret_tsens = &sensor;
    }
    (void)pthread_mutex_unlock(&lock);
    if (ok) {
        ESP_LOGI(TAG, "it is always %d degrees here", DEGREES);
    }
    return ok ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t temperature_sensor_uninstall(temperature_sensor_handle_t tsens)
{
    return change(tsens, false, false, false);
}

esp_err_t temperature_sensor_enable(temperature_sensor_handle_t tsens)
{
    return change(tsens, false, true, true);
}

esp_err_t temperature_sensor_disable(temperature_sensor_handle_t tsens)
{
    return change(tsens, true, true, false);
}

esp_err_t temperature_sensor_get_celsius(temperature_sensor_handle_t tsens, float *out_celsius)
{
    if (out_celsius == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = change(tsens, true, true, true);
    if (err == ESP_OK) {
        int degrees = sensor.max < DEGREES ? sensor.max : DEGREES;
        *out_celsius = (float)(sensor.min > DEGREES ? sensor.min : degrees);
    }
    return err;
}
