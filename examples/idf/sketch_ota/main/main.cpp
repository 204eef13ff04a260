// A light that blinks, and takes the update that the console names between two blinks.
#include <string>

#include "esp_app_desc.h"
#include "esp_event.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"
#include "sketch.hpp"

namespace {

constexpr char tag[] = "sketch_ota";
constexpr std::uint32_t blinkMs = 20;
bool lit = false;
bool consoleEnded = false;

extern "C" const char ca_pem_start[] asm("_binary_ca_pem_start");

void update(const std::string &url)
{
    esp_http_client_config_t http = {};
    http.url = url.c_str();
    http.cert_pem = ca_pem_start;
    http.timeout_ms = 5000;
    esp_https_ota_config_t config = {};
    config.http_config = &http;
    if (esp_err_t err = esp_https_ota(&config); err != ESP_OK) {
        ESP_LOGE(tag, "no update: %s", esp_err_to_name(err));
        return;
    }
    ESP_LOGI(tag, "the update is in place after %u ms", static_cast<unsigned>(millis()));
    esp_restart();
}

} // namespace

void setup()
{
    ESP_LOGI(tag, "version %s", esp_app_get_description()->version);
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    ESP_ERROR_CHECK(example_configure_stdin_stdout());
}

void loop()
{
    lit = !lit;
    if (!lit) { // it has blinked once: that was the self-test
        ESP_ERROR_CHECK(esp_ota_mark_app_valid_cancel_rollback());
    }
    if (!lit && !consoleEnded) {
        auto line = readLine();
        consoleEnded = !line.has_value();
        if (line) {
            update(*line);
        } else {
            ESP_LOGI(tag, "nobody asks for an update any more");
        }
    }
    delay(blinkMs);
}
