/* Takes the update that the console names, and says how long a device would wait after each failure. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_event.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"
#include "schedule.h"
#include "telemetry.h"

static const char *TAG = "units_ota";
static const schedule_t schedule = {.first_s = 30, .limit_s = 3600};

extern const char ca_pem_start[] asm("_binary_ca_pem_start");

static void look_for_update(const char *url)
{
    esp_http_client_config_t http = {.url = url, .cert_pem = ca_pem_start};
    esp_https_ota_config_t config = {.http_config = &http};
    esp_err_t err = esp_https_ota(&config);
    if (err == ESP_OK) {
        ESP_ERROR_CHECK(telemetry_updated());
        esp_restart();
    }
    ESP_ERROR_CHECK(telemetry_failed());
    ESP_LOGE(TAG, "no update (%s); the next look is in %" PRIu32 " s", esp_err_to_name(err),
             schedule_next_s(&schedule, telemetry_failures()));
}

void app_main(void)
{
    char url[256];
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    ESP_LOGI(TAG, "version %s, %" PRIu32 " failures", esp_app_get_description()->version,
             telemetry_failures());
    ESP_ERROR_CHECK(esp_ota_mark_app_valid_cancel_rollback());
    while (fgets(url, sizeof(url), stdin) != NULL) {
        url[strcspn(url, "\r\n")] = '\0';
        look_for_update(url);
    }
}
