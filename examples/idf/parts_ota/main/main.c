/* Tells what is in flash, then takes the updates that the console names. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_event.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "esp_system.h"
#include "nvs_flash.h"
#include "parts.h"
#include "protocol_examples_common.h"

static const char *TAG = "parts_ota";

extern const char ca_pem_start[] asm("_binary_ca_pem_start");

static void tell_what_is_there(void)
{
    esp_partition_iterator_t it = esp_partition_find(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL);
    for (; it != NULL; it = esp_partition_next(it)) {
        const esp_partition_t *p = esp_partition_get(it);
        ESP_LOGI(TAG, "%s at 0x%" PRIx32 ", %" PRIu32 " bytes", p->label, p->address, p->size);
    }
    esp_partition_iterator_release(it);
    char text[32] = "";
    const esp_partition_t *storage =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "storage");
    if (storage != NULL && esp_partition_read(storage, 0, text, sizeof(text) - 1) == ESP_OK &&
        text[0] != (char)0xFF) {
        ESP_LOGI(TAG, "storage: %.*s", (int)strcspn(text, "\n"), text);
    }
}

static esp_err_t update(const char *url)
{
    esp_http_client_config_t http = {.url = url, .cert_pem = ca_pem_start, .keep_alive_enable = true};
    esp_https_ota_config_t config = {.http_config = &http};
    esp_err_t err = parts_choose(url, &config);
    if (err == ESP_OK) {
        err = esp_https_ota(&config);
    }
    return err == ESP_OK ? parts_put_in_place(&config) : err;
}

void app_main(void)
{
    ESP_LOGI(TAG, "version %s", esp_app_get_description()->version);
    tell_what_is_there();
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    ESP_ERROR_CHECK(esp_ota_mark_app_valid_cancel_rollback());
    ESP_ERROR_CHECK(example_configure_stdin_stdout());
    char url[256];
    while (fgets(url, sizeof(url), stdin) != NULL) {
        url[strcspn(url, "\r\n")] = '\0';
        esp_err_t err = update(url);
        if (err == ESP_OK) {
            ESP_LOGI(TAG, "the update is in place");
            esp_restart();
        }
        ESP_LOGE(TAG, "no update: %s", esp_err_to_name(err));
    }
}
