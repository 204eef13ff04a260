/* Confirms an update that works, goes back from one that does not, then takes the updates that the console names. */
#include <stdio.h>
#include <string.h>

#include "diagnostic.h"
#include "esp_app_desc.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"
#include "sdkconfig.h"
#include "update.h"

static const char *TAG = "advanced_ota";

/* True as long as the running app is on trial. */
static bool on_trial(void)
{
    esp_ota_img_states_t state;
    return esp_ota_get_state_partition(esp_ota_get_running_partition(), &state) == ESP_OK &&
           state == ESP_OTA_IMG_PENDING_VERIFY;
}

static void start_nvs(void)
{
    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        ESP_ERROR_CHECK(nvs_flash_erase());
        err = nvs_flash_init();
    }
    ESP_ERROR_CHECK(err);
}

static bool next_url(char *url, size_t size)
{
    if (strcmp(CONFIG_ADVANCED_OTA_URL, "FROM_STDIN") != 0) {
        static bool asked;
        snprintf(url, size, "%s", CONFIG_ADVANCED_OTA_URL);
        bool first = !asked;
        asked = true;
        return first;
    }
    if (fgets(url, size, stdin) == NULL) {
        return false;
    }
    url[strcspn(url, "\r\n")] = '\0';
    return url[0] != '\0';
}

static void ota_task(void *arg)
{
    (void)arg;
    char url[256];
    ESP_ERROR_CHECK(example_configure_stdin_stdout());
    while (next_url(url, sizeof(url))) {
        esp_err_t err = update_from(url);
        if (err == ESP_OK) {
            ESP_LOGI(TAG, "the update is in place");
            esp_restart();
        }
        ESP_LOGE(TAG, "no update: %s", esp_err_to_name(err));
    }
    vTaskDelete(NULL);
}

void app_main(void)
{
    ESP_LOGI(TAG, "version %s", esp_app_get_description()->version);
    start_nvs();
    if (on_trial() && !diagnostic_passes()) {
        ESP_LOGE(TAG, "the diagnostic has failed: back to the app before");
        ESP_ERROR_CHECK(esp_ota_mark_app_invalid_rollback_and_reboot());
    }
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(update_tell_events());
    ESP_ERROR_CHECK(example_connect());
    if (on_trial()) { /* it can fetch its successor, so it may stay */
        ESP_ERROR_CHECK(esp_ota_mark_app_valid_cancel_rollback());
        ESP_LOGI(TAG, "the update is confirmed");
    }
    xTaskCreate(ota_task, "ota", 8192, NULL, 5, NULL);
}
