/* ESP-IDF's Bluetooth controller, which is not there: its memory can be given back, and it cannot be started. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ESP_BT_MODE_IDLE = 0,
    ESP_BT_MODE_BLE = 1,
    ESP_BT_MODE_CLASSIC_BT = 2,
    ESP_BT_MODE_BTDM = 3,
} esp_bt_mode_t;

typedef enum {
    ESP_BT_CONTROLLER_STATUS_IDLE = 0,
    ESP_BT_CONTROLLER_STATUS_INITED,
    ESP_BT_CONTROLLER_STATUS_ENABLED,
    ESP_BT_CONTROLLER_STATUS_NUM,
} esp_bt_controller_status_t;

typedef struct {
    uint8_t mode;
} esp_bt_controller_config_t;

#define BT_CONTROLLER_INIT_CONFIG_DEFAULT()                                                                  \
    {                                                                                                        \
        .mode = ESP_BT_MODE_BTDM                                                                             \
    }

/** @return ESP_OK, ESP_ERR_INVALID_ARG (no mode) */
esp_err_t esp_bt_controller_mem_release(esp_bt_mode_t mode);
esp_err_t esp_bt_mem_release(esp_bt_mode_t mode);
/** There is no radio, and the log says so. @return ESP_ERR_NOT_SUPPORTED */
esp_err_t esp_bt_controller_init(esp_bt_controller_config_t *cfg);
/** @return ESP_ERR_INVALID_STATE: it is not initialized */
esp_err_t esp_bt_controller_deinit(void);
esp_err_t esp_bt_controller_enable(esp_bt_mode_t mode);
esp_err_t esp_bt_controller_disable(void);
esp_bt_controller_status_t esp_bt_controller_get_status(void);

#ifdef __cplusplus
}
#endif
