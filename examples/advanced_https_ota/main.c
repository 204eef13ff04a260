/* advanced_https_ota: looks for an update, takes it step by step, and confirms it after the restart. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_event.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#include "example_config.h"
#include "progress_bar.h"

#define OTA_RECV_TIMEOUT_MS 10000

static const char *TAG = "advanced_https_ota_example";

/* What a real product would try here: sensors, network, the connection to its service. */
static bool self_test(void)
{
#ifdef EXAMPLE_SELF_TEST_CRASHES
    ESP_LOGE(TAG, "Self-test: this version has a bug");
    abort();
#else
    ESP_LOGI(TAG, "Self-test passed");
    return true;
#endif
}

/* The first boot of an update is a trial: confirm it, or the bootloader goes back to the version before. */
static void confirm_this_version(void)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    esp_ota_img_states_t state;
    if (esp_ota_get_state_partition(running, &state) != ESP_OK || state != ESP_OTA_IMG_PENDING_VERIFY) {
        return;
    }
    ESP_LOGI(TAG, "First boot of this version, on trial");
    if (!self_test()) {
        ESP_LOGE(TAG, "Self-test failed, going back to the version before");
        esp_ota_mark_app_invalid_rollback_and_reboot();
    }
    esp_err_t err = esp_ota_mark_app_valid_cancel_rollback();
    if (err == ESP_OK) {
        ESP_LOGI(TAG, "App is valid, rollback cancelled successfully");
    } else {
        ESP_LOGE(TAG, "Failed to cancel rollback: %s", esp_err_to_name(err));
    }
}

/* What the library tells about its progress, as the event loop's task hears it. */
static void ota_event_handler(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    switch ((esp_https_ota_event_t)id) {
    case ESP_HTTPS_OTA_CONNECTED:
        ESP_LOGI(TAG, "Connected to server");
        break;
    case ESP_HTTPS_OTA_VERIFY_CHIP_ID:
        ESP_LOGI(TAG, "Verifying chip id of new image: %d", *(esp_chip_id_t *)data);
        break;
    case ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION:
        ESP_LOGI(TAG, "Boot partition updated. Next Partition: %d", *(esp_partition_subtype_t *)data);
        break;
    default:
        ESP_LOGD(TAG, "OTA event %d", (int)id);
        break;
    }
}

static esp_err_t http_client_init_cb(esp_http_client_handle_t http_client)
{
    return esp_http_client_set_header(http_client, "X-Firmware-Version", esp_app_get_description()->version);
}

/* Resets that no software is to blame for: what they have cut short may be tried again. */
static bool power_was_lost(void)
{
    switch (esp_reset_reason()) {
    case ESP_RST_POWERON:
    case ESP_RST_EXT:
    case ESP_RST_BROWNOUT:
    case ESP_RST_PWR_GLITCH:
        return true;
    default:
        return false;
    }
}

/*
 * Has this version failed here? A trial that ends without a verdict is rolled back and its slot called ABORTED, whatever ended
 * it: a crash, or just the power. A version that somebody tried at the wrong moment must not be passed over for ever, and one
 * that crashes must not come again and again. So ABORTED is tried once more after each loss of power, and at no other time;
 * INVALID is the verdict of the version itself, and stands.
 */
static bool has_failed_here(const esp_app_desc_t *new_app)
{
    const esp_partition_t *last_invalid = esp_ota_get_last_invalid_partition();
    esp_app_desc_t invalid_app;
    esp_ota_img_states_t state;
    if (last_invalid == NULL || esp_ota_get_partition_description(last_invalid, &invalid_app) != ESP_OK ||
        memcmp(invalid_app.version, new_app->version, sizeof(new_app->version)) != 0) {
        return false;
    }
    if (esp_ota_get_state_partition(last_invalid, &state) == ESP_OK && state == ESP_OTA_IMG_ABORTED &&
        power_was_lost()) {
        ESP_LOGI(
            TAG,
            "The trial of version %.32s did not come to an end, and the power was lost: it gets another one.",
            invalid_app.version);
        return false;
    }
    ESP_LOGW(TAG, "New version is the same as invalid version: %.32s failed here and was rolled back.",
             invalid_app.version);
    return true;
}

/*
 * Is the version on offer one to take?
 * ESP_OK: yes. ESP_ERR_NOT_FOUND: it is the running one. ESP_ERR_INVALID_VERSION: it has already failed on this device.
 */
static esp_err_t validate_image_header(const esp_app_desc_t *new_app)
{
    const esp_app_desc_t *running_app = esp_app_get_description();
    ESP_LOGI(TAG, "Running firmware version: %.32s, on offer: %.32s", running_app->version, new_app->version);
    if (memcmp(new_app->version, running_app->version, sizeof(new_app->version)) == 0) {
        ESP_LOGI(TAG, "Current running version is the same as a new. We will not continue the update.");
        return ESP_ERR_NOT_FOUND;
    }
    return has_failed_here(new_app) ? ESP_ERR_INVALID_VERSION : ESP_OK;
}

/* Receive and write until the library says that there is no more. */
static esp_err_t download(esp_https_ota_handle_t https_ota_handle)
{
    progress_bar_t bar;
    progress_bar_begin(&bar, esp_https_ota_get_image_size(https_ota_handle));
    esp_err_t err;
    do {
        err = esp_https_ota_perform(https_ota_handle);
        progress_bar_update(&bar, esp_https_ota_get_image_len_read(https_ota_handle));
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    progress_bar_end(&bar, esp_https_ota_get_image_len_read(https_ota_handle));

    if (!esp_https_ota_is_complete_data_received(https_ota_handle)) {
        ESP_LOGE(TAG, "Complete data was not received.");
        return err != ESP_OK ? err : ESP_FAIL;
    }
    return err;
}

/* One look for an update. ESP_OK: it is in place, restart; else what validate_image_header() or the library said. */
static esp_err_t update_once(void)
{
    esp_http_client_config_t config = {
        .url = example_firmware_upgrade_url(),
        .cert_pem = example_server_cert_pem(),
        .timeout_ms = OTA_RECV_TIMEOUT_MS,
        .keep_alive_enable = true,
    };
    esp_https_ota_config_t ota_config = {
        .http_config = &config,
        .http_client_init_cb = http_client_init_cb,
    };
    esp_https_ota_handle_t https_ota_handle = NULL;
    esp_err_t err = esp_https_ota_begin(&ota_config, &https_ota_handle);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "ESP HTTPS OTA Begin failed: %s", esp_err_to_name(err));
        return err;
    }

    esp_app_desc_t app_desc;
    err = esp_https_ota_get_img_desc(https_ota_handle, &app_desc);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "esp_https_ota_get_img_desc failed");
        goto ota_end;
    }
    err = validate_image_header(&app_desc);
    if (err != ESP_OK) {
        goto ota_end;
    }
    err = download(https_ota_handle);
    if (err != ESP_OK) {
        goto ota_end;
    }
    err = esp_https_ota_finish(https_ota_handle);
    if (err == ESP_ERR_OTA_VALIDATE_FAILED) {
        ESP_LOGE(TAG, "Image validation failed, image is corrupted");
    } else if (err != ESP_OK) {
        ESP_LOGE(TAG, "ESP_HTTPS_OTA upgrade failed 0x%x", (unsigned)err);
    }
    return err;

ota_end:
    esp_https_ota_abort(https_ota_handle); /* what led here is the error to tell */
    return err;
}

static void advanced_ota_example_task(void *arg)
{
    (void)arg;
    ESP_LOGI(TAG, "Starting Advanced OTA example");
    for (;;) {
        esp_err_t err = update_once();
        if (err == ESP_OK) {
            ESP_LOGI(TAG, "ESP_HTTPS_OTA upgrade successful. Rebooting ...");
            vTaskDelay(pdMS_TO_TICKS(200));
            esp_restart();
        }
        if (err == ESP_ERR_INVALID_VERSION) {
            ESP_LOGI(TAG, "Nothing else is on offer: staying with this version.");
            vTaskDelete(NULL);
        }
        if (example_check_interval_ms() == 0) {
            vTaskDelete(NULL); /* one look was wanted */
        }
        vTaskDelay(pdMS_TO_TICKS(example_check_interval_ms()));
    }
}

void app_main(void)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    ESP_LOGI(TAG, "This is version %s, running from %s, reset reason %d", esp_app_get_description()->version,
             running->label, (int)esp_reset_reason());
    confirm_this_version();

    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(
        esp_event_handler_register(ESP_HTTPS_OTA_EVENT, ESP_EVENT_ANY_ID, ota_event_handler, NULL));
    xTaskCreate(advanced_ota_example_task, "advanced_ota_example_task", 1024 * 8, NULL, 5, NULL);
}
