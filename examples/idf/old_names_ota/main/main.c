/* Takes the update that the console names, in the form of ESP-IDF 4. */
#include <stdio.h>
#include <string.h>

#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "network.h"
#include "nvs_flash.h"

static const char *TAG = "old_names_ota";

extern const uint8_t ca_pem_start[] asm("_binary_ca_pem_start");

void app_main(void)
{
    char url[256];
    ESP_LOGI(TAG, "version %s", esp_ota_get_app_description()->version);
    ESP_ERROR_CHECK(nvs_flash_init());
    network_start();
    ESP_ERROR_CHECK(esp_ota_mark_app_valid_cancel_rollback());
    while (fgets(url, sizeof(url), stdin) != NULL) {
        url[strcspn(url, "\r\n")] = '\0';
        esp_http_client_config_t config = {.url = url, .cert_pem = (const char *)ca_pem_start};
        esp_err_t err = esp_https_ota(&config);
        if (err == ESP_OK) {
            esp_restart();
        }
        ESP_LOGE(TAG, "no update: %s", esp_err_to_name(err));
    }
}
