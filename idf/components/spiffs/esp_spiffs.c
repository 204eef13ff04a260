/* A file system that cannot be mounted. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_spiffs.h"

#include "esp_log.h"

static const char TAG[] = "spiffs";

esp_err_t esp_vfs_spiffs_register(const esp_vfs_spiffs_conf_t *conf)
{
    const char *path = conf != NULL && conf->base_path != NULL ? conf->base_path : "";
    ESP_LOGE(TAG, "%s: there is no SPIFFS here, and nothing is mounted", path);
    return ESP_ERR_NOT_SUPPORTED;
}

esp_err_t esp_vfs_spiffs_unregister(const char *partition_label)
{
    (void)partition_label;
    return ESP_ERR_INVALID_STATE;
}

esp_err_t esp_spiffs_info(const char *partition_label, size_t *total_bytes, size_t *used_bytes)
{
    (void)total_bytes, (void)used_bytes;
    return esp_vfs_spiffs_unregister(partition_label);
}

esp_err_t esp_spiffs_check(const char *partition_label)
{
    return esp_vfs_spiffs_unregister(partition_label);
}

esp_err_t esp_spiffs_gc(const char *partition_label, size_t size_to_gc)
{
    (void)size_to_gc;
    return esp_vfs_spiffs_unregister(partition_label);
}

esp_err_t esp_spiffs_format(const char *partition_label)
{
    (void)partition_label;
    return ESP_ERR_NOT_SUPPORTED;
}

bool esp_spiffs_mounted(const char *partition_label)
{
    (void)partition_label;
    return false;
}
