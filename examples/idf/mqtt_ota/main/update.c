/* One esp_https_ota() for each order. */
#include "update.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "orders.h"

#define TELL_MS 300 /* for the last status to go out */

static const char *TAG = "update";
static atomic_bool busy;

extern const char ca_pem_start[] asm("_binary_ca_pem_start");

static void run(void *arg)
{
    char *url = arg;
    const esp_http_client_config_t http = {
        .url = url, .cert_pem = ca_pem_start, .timeout_ms = 5000, .keep_alive_enable = true};
    const esp_https_ota_config_t config = {.http_config = &http};
    orders_tell("updating");
    esp_err_t err = esp_https_ota(&config);
    free(url);
    if (err == ESP_OK) {
        ESP_LOGI(TAG, "the update is in place");
        orders_tell("restarting");
        vTaskDelay(pdMS_TO_TICKS(TELL_MS));
        esp_restart();
    }
    atomic_store(&busy, false); /* before it is told: who hears it may order again */
    ESP_LOGE(TAG, "no update: %s", esp_err_to_name(err));
    orders_tell(esp_err_to_name(err));
    vTaskDelete(NULL);
}

void update_order(const char *url)
{
    bool idle = false;
    if (!atomic_compare_exchange_strong(&busy, &idle, true)) {
        ESP_LOGW(TAG, "another update is under way");
        return;
    }
    char *copy = strdup(url);
    if (copy == NULL || xTaskCreate(run, "update", 8192, copy, 5, NULL) != pdPASS) {
        ESP_LOGE(TAG, "no memory");
        free(copy);
        atomic_store(&busy, false);
    }
}
