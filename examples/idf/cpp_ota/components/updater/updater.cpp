// esp_https_ota, with exceptions in place of codes.
#include "updater.hpp"

#include "esp_app_desc.h"
#include "sdkconfig.h"

namespace ota {

Updater::Updater(const std::string &url, const char *ca_pem)
{
    esp_http_client_config_t http = {};
    http.url = url.c_str();
    http.cert_pem = ca_pem;
    http.timeout_ms = CONFIG_UPDATER_TIMEOUT_MS;
    http.keep_alive_enable = true;
    esp_https_ota_config_t config = {};
    config.http_config = &http;
    esp_err_t err = esp_https_ota_begin(&config, &handle_);
    if (err != ESP_OK) {
        throw Error("no connection to " + url, err);
    }
    err = esp_https_ota_get_img_desc(handle_, &offered_);
    if (err != ESP_OK) { // no destructor runs for an object that has not been made
        esp_https_ota_abort(handle_);
        throw Error("no image there", err);
    }
}

Updater::~Updater()
{
    if (handle_ != nullptr) {
        esp_https_ota_abort(handle_);
    }
}

void Updater::run()
{
#if CONFIG_UPDATER_VERSIONS_OTHER
    if (offered_version() == esp_app_get_description()->version) {
        throw Error("this version runs already", ESP_ERR_INVALID_VERSION);
    }
#endif
    esp_err_t err;
    do {
        err = esp_https_ota_perform(handle_);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    if (err != ESP_OK) {
        throw Error("the download has failed", err);
    }
    esp_https_ota_handle_t done = handle_;
    handle_ = nullptr; // finish frees it, whatever it finds
    err = esp_https_ota_finish(done);
    if (err != ESP_OK) {
        throw Error("the image is not valid", err);
    }
}

} // namespace ota
