/* One program with two tasks: in the factory partition it installs the application, in the slot it is the application. */
#include <stdio.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_check.h"
#include "esp_event.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"

#define LINE_MAX_SIZE 256

static const char *TAG = "factory_ota";

extern const char ca_pem_start[] asm("_binary_ca_pem_start");

static bool read_line(char line[LINE_MAX_SIZE])
{
    bool there = fgets(line, LINE_MAX_SIZE, stdin) != NULL;
    line[there ? strcspn(line, "\r\n") : 0] = '\0';
    return there;
}

/* The slot is the only partition that an update may go to: what runs here is never written. */
static void install(const char *url)
{
    const esp_http_client_config_t http = {
        .url = url, .cert_pem = ca_pem_start, .timeout_ms = 5000, .keep_alive_enable = true};
    const esp_https_ota_config_t config = {.http_config = &http};
    esp_err_t err = esp_https_ota(&config);
    if (err == ESP_OK) {
        ESP_LOGI(TAG, "the application is installed");
        esp_restart();
    }
    ESP_LOGE(TAG, "not installed: %s", esp_err_to_name(err));
}

/* Back to the factory firmware, which alone can update this. */
static esp_err_t go_back(void)
{
    const esp_partition_t *factory =
        esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_FACTORY, NULL);
    ESP_RETURN_ON_FALSE(factory != NULL, ESP_ERR_NOT_FOUND, TAG, "the table has no factory partition");
    ESP_RETURN_ON_ERROR(esp_ota_set_boot_partition(factory), TAG, "it cannot boot");
    ESP_LOGI(TAG, "back to the factory firmware");
    esp_restart();
}

void app_main(void)
{
    char line[LINE_MAX_SIZE];
    const esp_partition_t *running = esp_ota_get_running_partition();
    bool is_factory = running->subtype == ESP_PARTITION_SUBTYPE_APP_FACTORY;
    ESP_LOGI(TAG, "%s, version %s", is_factory ? "factory firmware" : "application",
             esp_app_get_description()->version);
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    ESP_ERROR_CHECK(example_configure_stdin_stdout());
    if (!is_factory) {
        ESP_ERROR_CHECK(esp_ota_mark_app_valid_cancel_rollback());
    }
    while (read_line(line)) {
        if (is_factory) {
            install(line);
        } else if (strcmp(line, "update") == 0) {
            ESP_ERROR_CHECK(go_back());
        }
    }
}
