/* esp_https_ota on the current device: the calls without a handle, and the way of the events to the default loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_https_ota.h"

#include "esp_log.h"
#include "otter/build_options.h"
#include "idf/device_current.h"
#include "ota/https_ota.h"
#include "otter/https_update.h"

ESP_EVENT_DEFINE_BASE(ESP_HTTPS_OTA_EVENT);

static const char TAG[] = "esp_https_ota";

/** Updates work without an event loop: a post that fails is worth a debug line and nothing more. */
static void post_to_default_loop(void *ctx, esp_https_ota_event_t id, const void *data, size_t size)
{
    (void)ctx;
    esp_err_t err = esp_event_post(ESP_HTTPS_OTA_EVENT, (int32_t)id, data, size,
                                   otter_build_options.https_ota_event_post_wait);
    if (err != ESP_OK) {
        ESP_LOGD(TAG, "event %d was not posted: %s", (int)id, esp_err_to_name(err));
    }
}

static const otter_https_options_t options = {.on_event = post_to_default_loop};

esp_err_t esp_https_ota_begin(const esp_https_ota_config_t *ota_config, esp_https_ota_handle_t *handle)
{
    otter_device_t *device = device_or_complain(TAG);
    if (device == NULL) {
        if (handle != NULL) {
            *handle = NULL;
        }
        return ESP_ERR_INVALID_STATE;
    }
    return otter_https_ota_begin(device, ota_config, &options, handle);
}

esp_err_t esp_https_ota_v5(const esp_https_ota_config_t *ota_config)
{
    if (ota_config == NULL || ota_config->http_config == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    otter_device_t *device = device_or_complain(TAG);
    return device != NULL ? otter_https_ota(device, ota_config, &options) : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_https_ota_v4(const esp_http_client_config_t *config)
{
    if (config == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    otter_device_t *device = device_or_complain(TAG);
    if (device == NULL) {
        return ESP_FAIL;
    }
    const esp_https_ota_config_t ota_config = {.http_config = config};
    esp_https_ota_handle_t handle = NULL;
    return otter_https_ota_begin(device, &ota_config, &options, &handle) == ESP_OK
               ? https_ota_complete(handle)
               : ESP_FAIL;
}
