/* my_project: confirms itself when it has reached the network, then takes the update on offer. */
#include "esp_app_desc.h"
#include "esp_crt_bundle.h"
#include "esp_event.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"
#include "sdkconfig.h"

static const char *TAG = "my_project";

/* What it needs for its next update has worked: until here an update that fails is rolled back. */
static void confirm(void)
{
    esp_ota_img_states_t state;
    if (esp_ota_get_state_partition(esp_ota_get_running_partition(), &state) == ESP_OK &&
        state == ESP_OTA_IMG_PENDING_VERIFY) {
        ESP_ERROR_CHECK(esp_ota_mark_app_valid_cancel_rollback());
        ESP_LOGI(TAG, "this update is confirmed");
    }
}

static void start_storage(void)
{
    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        ESP_ERROR_CHECK(nvs_flash_erase());
        err = nvs_flash_init();
    }
    ESP_ERROR_CHECK(err);
}

void app_main(void)
{
    ESP_LOGI(TAG, "version %s", esp_app_get_description()->version);
    start_storage();
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    confirm();

    esp_http_client_config_t http = {.url = CONFIG_UPDATE_URL, .crt_bundle_attach = esp_crt_bundle_attach};
    esp_https_ota_config_t config = {.http_config = &http};
    esp_err_t err = esp_https_ota(&config);
    if (err == ESP_OK) {
        esp_restart();
    }
    ESP_LOGI(TAG, "no update: %s", esp_err_to_name(err));
}
