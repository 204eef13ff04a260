/* Takes the update that the console names with nothing but a client and a slot. */
#include <stdio.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "native_update.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"

static const char *TAG = "native_ota";

void app_main(void)
{
    ESP_LOGI(TAG, "version %s", esp_app_get_description()->version);
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    ESP_ERROR_CHECK(esp_ota_mark_app_valid_cancel_rollback());
    ESP_ERROR_CHECK(example_configure_stdin_stdout());
    char url[256];
    while (fgets(url, sizeof(url), stdin) != NULL) {
        url[strcspn(url, "\r\n")] = '\0';
        esp_err_t err = native_update(url);
        if (err == ESP_OK) {
            ESP_LOGI(TAG, "the update is in place");
            esp_restart();
        }
        ESP_LOGE(TAG, "no update: %s", esp_err_to_name(err));
    }
}
