/* A Bluetooth controller that is not there. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_bt.h"

#include "esp_log.h"

static const char TAG[] = "bt";

esp_err_t esp_bt_controller_mem_release(esp_bt_mode_t mode)
{
    return mode > ESP_BT_MODE_IDLE && mode <= ESP_BT_MODE_BTDM ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_bt_mem_release(esp_bt_mode_t mode)
{
    return esp_bt_controller_mem_release(mode);
}

esp_err_t esp_bt_controller_init(esp_bt_controller_config_t *cfg)
{
    (void)cfg;
    ESP_LOGE(TAG, "there is no Bluetooth: the controller does not start");
    return ESP_ERR_NOT_SUPPORTED;
}

esp_err_t esp_bt_controller_deinit(void)
{
    return ESP_ERR_INVALID_STATE;
}

esp_err_t esp_bt_controller_enable(esp_bt_mode_t mode)
{
    (void)mode;
    return ESP_ERR_INVALID_STATE;
}

esp_err_t esp_bt_controller_disable(void)
{
    return ESP_ERR_INVALID_STATE;
}

esp_bt_controller_status_t esp_bt_controller_get_status(void)
{
    return ESP_BT_CONTROLLER_STATUS_IDLE;
}
