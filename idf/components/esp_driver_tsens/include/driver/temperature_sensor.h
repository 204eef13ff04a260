/* A temperature sensor that measures 25 degrees. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { TEMPERATURE_SENSOR_CLK_SRC_DEFAULT } temperature_sensor_clk_src_t;

typedef struct {
    int range_min, range_max; /* degrees Celsius */
    temperature_sensor_clk_src_t clk_src;
    struct {
        uint32_t allow_pd : 1;
    } flags;
} temperature_sensor_config_t;

#define TEMPERATURE_SENSOR_CONFIG_DEFAULT(min, max)                                                          \
    {                                                                                                        \
        .range_min = (min), .range_max = (max), .clk_src = TEMPERATURE_SENSOR_CLK_SRC_DEFAULT                \
    }

typedef struct temperature_sensor_obj_t *temperature_sensor_handle_t;

/** There is one. @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_INVALID_STATE: it is installed */
esp_err_t temperature_sensor_install(const temperature_sensor_config_t *tsens_config,
                                     temperature_sensor_handle_t *ret_tsens);
/** @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_INVALID_STATE: it is enabled, or not, as of all below */
esp_err_t temperature_sensor_uninstall(temperature_sensor_handle_t tsens);
esp_err_t temperature_sensor_enable(temperature_sensor_handle_t tsens);
esp_err_t temperature_sensor_disable(temperature_sensor_handle_t tsens);
/** @param out_celsius 25, or what of the range is next to it */
esp_err_t temperature_sensor_get_celsius(temperature_sensor_handle_t tsens, float *out_celsius);

#ifdef __cplusplus
}
#endif
