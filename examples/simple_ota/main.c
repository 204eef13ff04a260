/* simple_ota: the whole update in one call, in the form of ESP-IDF 4. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_app_desc.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#include "example_config.h"

static const char *TAG = "simple_ota_example";

static esp_err_t do_firmware_upgrade(void)
{
    esp_http_client_config_t config = {
        .url = example_firmware_upgrade_url(),
        .cert_pem = example_server_cert_pem(),
    };
    esp_err_t ret = esp_https_ota(&config);
    if (ret == ESP_OK) {
        ESP_LOGI(TAG, "OTA Succeed, Rebooting...");
        esp_restart();
    } else {
        ESP_LOGE(TAG, "Firmware upgrade failed: %s", esp_err_to_name(ret));
        return ESP_FAIL;
    }
    return ESP_OK;
}

static void simple_ota_example_task(void *arg)
{
    (void)arg;
    ESP_LOGI(TAG, "Starting OTA example task");
    do_firmware_upgrade(); /* has told why, if it comes back */
    vTaskDelete(NULL);
}

void app_main(void)
{
    ESP_LOGI(TAG, "OTA example app_main start");
    ESP_LOGI(TAG, "This is version %s in %s", esp_app_get_description()->version,
             esp_ota_get_running_partition()->label);
    esp_ota_mark_app_valid_cancel_rollback(); /* it got this far; without rollback there is nothing to confirm */

    /* One call knows nothing of versions: a product decides when to make it. This one does so after power-on only. */
    if (esp_reset_reason() != ESP_RST_POWERON) {
        ESP_LOGI(TAG, "Not powered on but restarted: no update this time");
        return;
    }
    xTaskCreate(simple_ota_example_task, "ota_example_task", 8192, NULL, 5, NULL);
}
