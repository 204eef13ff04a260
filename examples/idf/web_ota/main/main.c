/* A device that waits for its update on a web page. */
#include "esp_app_desc.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_ota_ops.h"
#include "nvs_flash.h"
#include "pages.h"
#include "protocol_examples_common.h"

static const char *TAG = "web_ota";

void app_main(void)
{
    ESP_LOGI(TAG, "version %s", esp_app_get_description()->version);
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    ESP_ERROR_CHECK(
        pages_start()); /* without its page the next update could not come: that is the self-test */
    ESP_ERROR_CHECK(esp_ota_mark_app_valid_cancel_rollback());
    ESP_LOGI(TAG, "ready for an update");
}
