/* SPIFFS's names over the files of a partition. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_spiffs.h"

#include "otter_files.h"

static const esp_partition_t *partition_of(const char *label)
{
    return otter_files_partition(label, ESP_PARTITION_SUBTYPE_DATA_SPIFFS);
}

esp_err_t esp_vfs_spiffs_register(const esp_vfs_spiffs_conf_t *conf)
{
    if (conf == NULL || conf->base_path == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    const otter_files_config_t files = {.kind = "SPIFFS",
                                        .base_path = conf->base_path,
                                        .partition = partition_of(conf->partition_label),
                                        .format_if_mount_failed = conf->format_if_mount_failed,
                                        .makes_folders = true};
    return files.partition != NULL ? otter_files_mount(&files) : ESP_ERR_NOT_FOUND;
}

esp_err_t esp_vfs_spiffs_unregister(const char *partition_label)
{
    return otter_files_unmount(partition_of(partition_label));
}

bool esp_spiffs_mounted(const char *partition_label)
{
    return otter_files_are_mounted(partition_of(partition_label));
}

esp_err_t esp_spiffs_info(const char *partition_label, size_t *total_bytes, size_t *used_bytes)
{
    if (total_bytes == NULL || used_bytes == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return esp_spiffs_mounted(partition_label)
               ? otter_files_info(partition_of(partition_label), total_bytes, used_bytes)
               : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_spiffs_check(const char *partition_label)
{
    return esp_spiffs_mounted(partition_label) ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_spiffs_gc(const char *partition_label, size_t size_to_gc)
{
    (void)size_to_gc;
    return esp_spiffs_check(partition_label);
}

esp_err_t esp_spiffs_format(const char *partition_label)
{
    const esp_partition_t *partition = partition_of(partition_label);
    return partition != NULL ? otter_files_format(partition) : ESP_ERR_NOT_FOUND;
}
