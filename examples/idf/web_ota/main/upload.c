/* Writes a slot piece by piece, and lets ESP-IDF verify what is in flash. */
#include "upload.h"

#include "esp_check.h"
#include "esp_log.h"

static const char *TAG = "upload";

esp_err_t upload_begin(upload_t *upload)
{
    *upload = (upload_t){.slot = esp_ota_get_next_update_partition(NULL)};
    ESP_RETURN_ON_FALSE(upload->slot != NULL, ESP_ERR_NOT_FOUND, TAG,
                        "the partition table has no slot for it");
    ESP_RETURN_ON_ERROR(esp_ota_begin(upload->slot, OTA_WITH_SEQUENTIAL_WRITES, &upload->ota), TAG, "%s",
                        upload->slot->label);
    upload->open = true;
    return ESP_OK;
}

esp_err_t upload_write(upload_t *upload, const void *data, size_t len)
{
    ESP_RETURN_ON_ERROR(esp_ota_write(upload->ota, data, len), TAG, "at byte %d", (int)upload->total);
    upload->total += len;
    return ESP_OK;
}

esp_err_t upload_end(upload_t *upload)
{
    upload->open = false; /* esp_ota_end() closes it in any case */
    ESP_RETURN_ON_ERROR(esp_ota_end(upload->ota), TAG, "%d bytes are no valid image", (int)upload->total);
    ESP_LOGI(TAG, "%d bytes are in %s", (int)upload->total, upload->slot->label);
    return esp_ota_set_boot_partition(upload->slot);
}

void upload_abort(upload_t *upload)
{
    if (upload->open) {
        esp_ota_abort(upload->ota);
        upload->open = false;
    }
}
