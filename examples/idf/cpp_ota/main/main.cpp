// Confirms an update whose checks pass, then takes the updates that the console names.
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "checks.hpp"
#include "esp_app_desc.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"
#include "updater.hpp"

namespace {

constexpr char tag[] = "cpp_ota";

extern "C" const char ca_pem_start[] asm("_binary_ca_pem_start");

void confirm_if_healthy()
{
    std::vector<std::unique_ptr<health::Check>> checks;
    checks.push_back(std::make_unique<health::NetworkCheck>());
    checks.push_back(std::make_unique<health::MemoryCheck>(16 * 1024));
    try {
        health::run_all(checks);
    } catch (const health::Failure &failure) {
        ESP_LOGE(tag, "%s: back to the app before", failure.what());
        ESP_ERROR_CHECK(esp_ota_mark_app_invalid_rollback_and_reboot());
    }
    ESP_ERROR_CHECK(esp_ota_mark_app_valid_cancel_rollback());
}

bool next_url(std::string &url)
{
    char line[256];
    if (std::fgets(line, sizeof(line), stdin) == nullptr) {
        return false;
    }
    url = line;
    url.erase(url.find_last_not_of("\r\n") + 1);
    return !url.empty();
}

} // namespace

extern "C" void app_main()
{
    ESP_LOGI(tag, "version %s", esp_app_get_description()->version);
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    confirm_if_healthy();
    ESP_ERROR_CHECK(example_configure_stdin_stdout());
    for (std::string url; next_url(url);) {
        try {
            ota::Updater updater(url, ca_pem_start);
            std::cout << "cpp_ota: version " << updater.offered_version() << " is offered" << std::endl;
            updater.run();
            ESP_LOGI(tag, "the update is in place");
            esp_restart();
        } catch (const ota::Error &error) {
            ESP_LOGE(tag, "no update: %s (%s)", error.what(), esp_err_to_name(error.code()));
        }
    }
}
