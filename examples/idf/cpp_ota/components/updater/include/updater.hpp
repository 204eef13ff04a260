// An update as an object: it goes away with everything it holds, however it ends.
#pragma once

#include <stdexcept>
#include <string>

#include "esp_err.h"
#include "esp_https_ota.h"

namespace ota {

/** Why there is no update: a text, and ESP-IDF's code. */
class Error : public std::runtime_error {
public:
    Error(const std::string &what, esp_err_t code) : std::runtime_error(what), code_(code) {}
    esp_err_t code() const noexcept { return code_; }

private:
    esp_err_t code_;
};

class Updater {
public:
    /** Connects and reads the image's description. @throw Error */
    Updater(const std::string &url, const char *ca_pem);
    ~Updater();
    Updater(const Updater &) = delete;
    Updater &operator=(const Updater &) = delete;

    std::string offered_version() const { return offered_.version; }

    /** Receives, verifies and selects it. @throw Error; the app that runs stays then */
    void run();

private:
    esp_https_ota_handle_t handle_ = nullptr;
    esp_app_desc_t offered_ = {};
};

} // namespace ota
