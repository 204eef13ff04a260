/* A device that is told by MQTT when to update; the console names the broker, once. */
#include <stdio.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "orders.h"
#include "protocol_examples_common.h"
#include "update.h"

#define BROKER_MAX 128

static const char *TAG = "mqtt_ota";

/* From NVS; what the console says is kept there. */
static esp_err_t find_broker(char broker[BROKER_MAX])
{
    nvs_handle_t nvs;
    size_t size = BROKER_MAX;
    ESP_ERROR_CHECK(nvs_open("mqtt", NVS_READWRITE, &nvs));
    esp_err_t err = nvs_get_str(nvs, "broker", broker, &size);
    if (err == ESP_ERR_NVS_NOT_FOUND) {
        ESP_ERROR_CHECK(example_configure_stdin_stdout());
        ESP_LOGI(TAG, "which broker? mqtt://HOST:PORT");
        err = fgets(broker, BROKER_MAX, stdin) != NULL ? ESP_OK : ESP_FAIL;
        broker[strcspn(broker, "\r\n")] = '\0';
        err = err == ESP_OK ? nvs_set_str(nvs, "broker", broker) : err;
        err = err == ESP_OK ? nvs_commit(nvs) : err;
    }
    nvs_close(nvs);
    return err;
}

void app_main(void)
{
    static char broker[BROKER_MAX];
    ESP_LOGI(TAG, "version %s", esp_app_get_description()->version);
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    if (find_broker(broker) != ESP_OK || orders_start(broker, update_order) != ESP_OK) {
        ESP_LOGE(TAG, "there is no broker to listen to");
    }
}
