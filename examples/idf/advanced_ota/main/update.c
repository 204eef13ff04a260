/* One update: it is judged by its description, received, verified, and selected. */
#include "update.h"

#include <inttypes.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_check.h"
#include "esp_event.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "progress.h"
#include "sdkconfig.h"
#if CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
#include "esp_efuse.h"
#endif

static const char *TAG = "update";

extern const char ca_pem_start[] asm("_binary_ca_pem_start");

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    switch (id) {
    case ESP_HTTPS_OTA_CONNECTED:
        ESP_LOGI(TAG, "connected");
        break;
    case ESP_HTTPS_OTA_VERIFY_CHIP_ID:
        ESP_LOGI(TAG, "the image is for chip %d", (int)*(esp_chip_id_t *)data);
        break;
    case ESP_HTTPS_OTA_VERIFY_CHIP_REVISION:
        ESP_LOGI(TAG, "the image wants revision %d or later", (int)*(uint16_t *)data);
        break;
    case ESP_HTTPS_OTA_WRITE_FLASH:
        ESP_LOGD(TAG, "%d bytes written", *(int *)data);
        break;
    case ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION:
        ESP_LOGI(TAG, "ota_%d boots next",
                 (int)*(esp_partition_subtype_t *)data - ESP_PARTITION_SUBTYPE_APP_OTA_MIN);
        break;
    case ESP_HTTPS_OTA_ABORT:
        ESP_LOGI(TAG, "given up");
        break;
    default:
        break;
    }
}

esp_err_t update_tell_events(void)
{
    return esp_event_handler_register(ESP_HTTPS_OTA_EVENT, ESP_EVENT_ANY_ID, on_event, NULL);
}

/* Whether the image that arrives is worth its download. */
static esp_err_t judge(const esp_app_desc_t *offered)
{
    const esp_app_desc_t *running = esp_app_get_description();
    ESP_LOGI(TAG, "version %s runs, %s is offered", running->version, offered->version);
    ESP_RETURN_ON_FALSE(
        strncmp(offered->project_name, running->project_name, sizeof(offered->project_name)) == 0,
        ESP_ERR_INVALID_VERSION, TAG, "it is an image of %s", offered->project_name);
    ESP_RETURN_ON_FALSE(strncmp(offered->version, running->version, sizeof(offered->version)) != 0,
                        ESP_ERR_INVALID_VERSION, TAG, "it is this very version");
    esp_app_desc_t failed;
    const esp_partition_t *last_invalid = esp_ota_get_last_invalid_partition();
    if (last_invalid != NULL && esp_ota_get_partition_description(last_invalid, &failed) == ESP_OK) {
        ESP_RETURN_ON_FALSE(strncmp(offered->version, failed.version, sizeof(failed.version)) != 0,
                            ESP_ERR_INVALID_VERSION, TAG, "it has been tried, and did not work");
    }
#if CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
    ESP_RETURN_ON_FALSE(esp_efuse_check_secure_version(offered->secure_version), ESP_ERR_OTA_SMALL_SEC_VER,
                        TAG, "its security version is %" PRIu32 ", the device's %" PRIu32,
                        offered->secure_version, esp_efuse_read_secure_version());
#endif
    return ESP_OK;
}

static esp_err_t receive(esp_https_ota_handle_t ota, const char *url)
{
    esp_app_desc_t offered;
    ESP_RETURN_ON_ERROR(esp_https_ota_get_img_desc(ota, &offered), TAG, "the image has no description");
    ESP_RETURN_ON_ERROR(judge(&offered), TAG, "not wanted");
    esp_err_t err;
    while ((err = esp_https_ota_perform(ota)) == ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
        esp_err_t saved = progress_save(url, esp_https_ota_get_image_len_read(ota));
        if (saved != ESP_OK) {
            ESP_LOGW(TAG, "progress is not kept: %s", esp_err_to_name(saved));
        }
    }
    ESP_RETURN_ON_ERROR(err, TAG, "the download has stopped after %d bytes",
                        esp_https_ota_get_image_len_read(ota));
    return esp_https_ota_is_complete_data_received(ota) ? ESP_OK : ESP_ERR_INVALID_SIZE;
}

esp_err_t update_from(const char *url)
{
    esp_http_client_config_t http = {.url = url,
                                     .cert_pem = ca_pem_start,
                                     .timeout_ms = CONFIG_ADVANCED_OTA_TIMEOUT_MS,
                                     .keep_alive_enable = true};
    esp_https_ota_config_t config = {
        .http_config = &http,
#if CONFIG_ADVANCED_OTA_PARTIAL_DOWNLOAD
        .partial_http_download = true,
        .max_http_request_size = CONFIG_ADVANCED_OTA_REQUEST_SIZE,
#endif
        .ota_resumption = true,
        .ota_image_bytes_written = progress_of(url)
    };
    if (config.ota_image_bytes_written != 0) {
        ESP_LOGI(TAG, "%u bytes are there already", (unsigned)config.ota_image_bytes_written);
    }
    esp_https_ota_handle_t ota;
    ESP_RETURN_ON_ERROR(esp_https_ota_begin(&config, &ota), TAG, "no connection to %s", url);
    esp_err_t err = receive(ota, url);
    if (err != ESP_OK) {
        esp_https_ota_abort(ota);
        return err;
    }
    err = esp_https_ota_finish(ota); /* verifies, and selects */
    progress_forget();
    return err;
}
