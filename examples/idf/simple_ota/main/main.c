/* Takes the update that the console names, restarts into it, and confirms it. */
#include <stdio.h>
#include <string.h>

#include "confirm.h"
#include "esp_app_desc.h"
#include "esp_crt_bundle.h"
#include "esp_event.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"
#include "sdkconfig.h"

static const char *TAG = "simple_ota";

extern const char ca_pem_start[] asm("_binary_ca_pem_start");

static bool read_url(char *url, size_t size)
{
#if CONFIG_SIMPLE_OTA_URL_FROM_STDIN
    ESP_ERROR_CHECK(example_configure_stdin_stdout());
    if (fgets(url, size, stdin) == NULL) {
        return false;
    }
    url[strcspn(url, "\r\n")] = '\0';
#else
    snprintf(url, size, "%s", CONFIG_SIMPLE_OTA_URL);
#endif
    return url[0] != '\0';
}

static void ota_task(void *arg)
{
    (void)arg;
    char url[256];
    while (read_url(url, sizeof(url))) {
        ESP_LOGI(TAG, "update from %s", url);
        esp_http_client_config_t http = {.url = url, .keep_alive_enable = true};
#if CONFIG_SIMPLE_OTA_CERT_BUNDLE
        http.crt_bundle_attach = esp_crt_bundle_attach;
#else
        http.cert_pem = ca_pem_start;
#endif
        esp_https_ota_config_t config = {.http_config = &http};
        esp_err_t err = esp_https_ota(&config);
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
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    confirm_after_self_test();
    xTaskCreate(ota_task, "ota", 8192, NULL, 5, NULL);
}
