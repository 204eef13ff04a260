/* The one OTA function that restarts the device, in a file of its own: a program without it links no restart. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_ota_ops.h"
#include "esp_system.h"

esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void)
{
    esp_err_t err = esp_ota_mark_app_invalid_rollback();
    if (err == ESP_OK) {
        esp_restart();
    }
    return err;
}
