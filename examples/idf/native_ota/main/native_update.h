/* An update by esp_http_client and esp_ota_ops alone. */
#pragma once

#include "esp_err.h"

/**
 * ESP_OK: the update boots next. Otherwise the running app stays.
 * ESP_ERR_INVALID_SIZE: the answer ended early; ESP_ERR_INVALID_VERSION: not this chip's, not this project's, or not newer;
 * ESP_ERR_OTA_VALIDATE_FAILED: no image, or a broken one
 */
esp_err_t native_update(const char *url);
