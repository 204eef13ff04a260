/* A device that a fleet's server (hawkBit, goosebit) keeps up to date; the console names server, id and token, once. */
#include <stdio.h>
#include <string.h>

#include "agent.h"
#include "esp_app_desc.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"

static const char *TAG = "fleet_ota";

/* From NVS; what the console says is kept there. */
static bool find(nvs_handle_t nvs, const char *key, const char *question, char *text, size_t size)
{
    size_t len = size;
    if (nvs_get_str(nvs, key, text, &len) == ESP_OK) {
        return true;
    }
    ESP_LOGI(TAG, "%s", question);
    if (fgets(text, (int)size, stdin) == NULL) {
        return false;
    }
    text[strcspn(text, "\r\n")] = '\0';
    return nvs_set_str(nvs, key, text) == ESP_OK && nvs_commit(nvs) == ESP_OK;
}

void app_main(void)
{
    static agent_settings_t settings;
    char token[64];
    nvs_handle_t nvs;
    ESP_LOGI(TAG, "version %s", esp_app_get_description()->version);
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    ESP_ERROR_CHECK(example_configure_stdin_stdout());
    ESP_ERROR_CHECK(nvs_open("settings", NVS_READWRITE, &nvs));
    const bool known =
        find(nvs, "server", "which server? https://HOST:PORT", settings.server, sizeof(settings.server)) &&
        find(nvs, "id", "which name has this device there?", settings.id, sizeof(settings.id)) &&
        find(nvs, "token", "its token?", token, sizeof(token));
    nvs_close(nvs);
    if (!known) {
        ESP_LOGE(TAG, "there is no server to ask");
        return;
    }
    snprintf(settings.authorization, sizeof(settings.authorization), "TargetToken %s", token);
    agent_run(&settings);
}
