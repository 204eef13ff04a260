/* esp_https_ota.h's calls that need to know the device; all others find it in the handle. */
#pragma once

#include "esp_https_ota.h"
#include "otter/device.h"

/** esp_https_ota_begin on a device that the caller names; device->report tells how it went, also when it failed. */
esp_err_t https_ota_begin(otter_device_t *device, const esp_https_ota_config_t *config,
                          esp_https_ota_handle_t *handle);

/** What comes after begin: perform to the end, finish or abort. The handle is gone. @return the first error, ESP_OK */
esp_err_t https_ota_complete(esp_https_ota_handle_t handle);

/** begin, perform to the end, finish or abort. @return the first error, ESP_OK */
esp_err_t https_ota_run(otter_device_t *device, const esp_https_ota_config_t *config);
