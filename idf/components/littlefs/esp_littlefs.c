/* LittleFS's names over the files of a partition. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_littlefs.h"

#include "otter_files.h"

static const esp_partition_t *partition_of(const char *label)
{
    const esp_partition_t *partition = otter_files_partition(label, ESP_PARTITION_SUBTYPE_DATA_LITTLEFS);
    return partition != NULL ? partition : otter_files_partition(label, ESP_PARTITION_SUBTYPE_DATA_SPIFFS);
}

esp_err_t esp_vfs_littlefs_register(const esp_vfs_littlefs_conf_t *conf)
{
    if (conf == NULL || conf->base_path == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (conf->dont_mount) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    bool is_named = conf->partition_label != NULL || conf->partition == NULL;
    const otter_files_config_t files = {
        .kind = "LittleFS",
        .base_path = conf->base_path,
        .partition = is_named ? partition_of(conf->partition_label) : conf->partition,
        .format_if_mount_failed = conf->format_if_mount_failed,
        .read_only = conf->read_only,
    };
    return files.partition != NULL ? otter_files_mount(&files) : ESP_ERR_NOT_FOUND;
}

esp_err_t esp_vfs_littlefs_unregister_partition(const esp_partition_t *partition)
{
    return otter_files_unmount(partition);
}

esp_err_t esp_vfs_littlefs_unregister(const char *partition_label)
{
    return otter_files_unmount(partition_of(partition_label));
}

bool esp_littlefs_partition_mounted(const esp_partition_t *partition)
{
    return otter_files_are_mounted(partition);
}

bool esp_littlefs_mounted(const char *partition_label)
{
    return otter_files_are_mounted(partition_of(partition_label));
}

esp_err_t esp_littlefs_format_partition(const esp_partition_t *partition)
{
    return partition != NULL ? otter_files_format(partition) : ESP_ERR_NOT_FOUND;
}

esp_err_t esp_littlefs_format(const char *partition_label)
{
    return esp_littlefs_format_partition(partition_of(partition_label));
}

esp_err_t esp_littlefs_partition_info(const esp_partition_t *partition, size_t *total_bytes,
                                      size_t *used_bytes)
{
    size_t total, used;
    if (!otter_files_are_mounted(partition)) {
        return ESP_ERR_INVALID_STATE;
    }
    esp_err_t err = otter_files_info(partition, &total, &used);
    if (err == ESP_OK && total_bytes != NULL) {
        *total_bytes = total;
    }
    if (err == ESP_OK && used_bytes != NULL) {
        *used_bytes = used;
    }
    return err;
}

esp_err_t esp_littlefs_info(const char *partition_label, size_t *total_bytes, size_t *used_bytes)
{
    return esp_littlefs_partition_info(partition_of(partition_label), total_bytes, used_bytes);
}
