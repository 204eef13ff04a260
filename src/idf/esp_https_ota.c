/* esp_https_ota on the current device: the calls without a handle, and the way of the events to the default loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_https_ota.h"

#include "esp_log.h"
#include "otter/build_options.h"
#include "otter/device.h"
#include "ota/https_ota.h"
#include "otter/system.h"

ESP_EVENT_DEFINE_BASE(ESP_HTTPS_OTA_EVENT);

static const char TAG[] = "esp_https_ota";

/** Updates work without an event loop: a post that fails is worth a debug line and nothing more. */
static void post_to_default_loop(int32_t id, const void *data, size_t size)
{
    esp_err_t err =
        esp_event_post(ESP_HTTPS_OTA_EVENT, id, data, size, otter_build_options.https_ota_event_post_wait);
    if (err != ESP_OK) {
        ESP_LOGD(TAG, "event %d was not posted: %s", (int)id, esp_err_to_name(err));
    }
}

static otter_device_t *device_with_events(void)
{
    otter_device_t *device = otter_device_current();
    otter_lock(OTTER_LOCK_UPDATES);
    if (device != NULL &&
        device->on_https_ota_event == NULL) { /* written once: updates read it without the lock */
        device->on_https_ota_event = post_to_default_loop;
    }
    otter_unlock(OTTER_LOCK_UPDATES);
    return device;
}

esp_err_t esp_https_ota_begin(const esp_https_ota_config_t *ota_config, esp_https_ota_handle_t *handle)
{
    otter_device_t *device = device_with_events();
    if (device == NULL) {
        if (handle != NULL) {
            *handle = NULL;
        }
        return ESP_ERR_INVALID_STATE;
    }
    return https_ota_begin(device, ota_config, handle);
}

esp_err_t esp_https_ota_v5(const esp_https_ota_config_t *ota_config)
{
    if (ota_config == NULL || ota_config->http_config == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    otter_device_t *device = device_with_events();
    return device != NULL ? https_ota_run(device, ota_config) : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_https_ota_v4(const esp_http_client_config_t *config)
{
    if (config == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    otter_device_t *device = device_with_events();
    if (device == NULL) {
        return ESP_FAIL;
    }
    const esp_https_ota_config_t ota_config = {.http_config = config};
    esp_https_ota_handle_t handle = NULL;
    return https_ota_begin(device, &ota_config, &handle) == ESP_OK ? https_ota_complete(handle) : ESP_FAIL;
}
