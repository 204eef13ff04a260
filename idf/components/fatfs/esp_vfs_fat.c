/* A file system that cannot be mounted. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_vfs_fat.h"

#include "esp_log.h"

static const char TAG[] = "vfs_fat";

static esp_err_t refuse(const char *base_path)
{
    ESP_LOGE(TAG, "%s: there is no FAT here, and nothing is mounted", base_path != NULL ? base_path : "");
    return ESP_ERR_NOT_SUPPORTED;
}

esp_err_t esp_vfs_fat_spiflash_mount_rw_wl(const char *base_path, const char *partition_label,
                                           const esp_vfs_fat_mount_config_t *mount_config,
                                           wl_handle_t *wl_handle)
{
    (void)partition_label, (void)mount_config, (void)wl_handle;
    return refuse(base_path);
}

esp_err_t esp_vfs_fat_spiflash_mount_ro(const char *base_path, const char *partition_label,
                                        const esp_vfs_fat_mount_config_t *mount_config)
{
    (void)partition_label, (void)mount_config;
    return refuse(base_path);
}

esp_err_t esp_vfs_fat_spiflash_unmount_rw_wl(const char *base_path, wl_handle_t wl_handle)
{
    (void)base_path, (void)wl_handle;
    return ESP_ERR_INVALID_STATE;
}

esp_err_t esp_vfs_fat_spiflash_unmount_ro(const char *base_path, const char *partition_label)
{
    (void)base_path, (void)partition_label;
    return ESP_ERR_INVALID_STATE;
}

esp_err_t esp_vfs_fat_info(const char *base_path, uint64_t *out_total_bytes, uint64_t *out_free_bytes)
{
    (void)base_path, (void)out_total_bytes, (void)out_free_bytes;
    return ESP_ERR_INVALID_STATE;
}
