/* FAT's names over the files of a partition. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_vfs_fat.h"

#include "sdmmc_cmd.h"

#include "otter_files.h"

static esp_err_t mount(const char *base_path, const char *label, const esp_vfs_fat_mount_config_t *config,
                       bool read_only)
{
    if (base_path == NULL || config == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    const otter_files_config_t files = {
        .kind = "FAT",
        .base_path = base_path,
        .partition = otter_files_partition(label, ESP_PARTITION_SUBTYPE_DATA_FAT),
        .format_if_mount_failed = config->format_if_mount_failed && !read_only,
        .read_only = read_only,
    };
    return files.partition != NULL ? otter_files_mount(&files) : ESP_ERR_NOT_FOUND;
}

esp_err_t esp_vfs_fat_spiflash_mount_rw_wl(const char *base_path, const char *partition_label,
                                           const esp_vfs_fat_mount_config_t *mount_config,
                                           wl_handle_t *wl_handle)
{
    if (wl_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = mount(base_path, partition_label, mount_config, false);
    *wl_handle = err == ESP_OK ? 0 : WL_INVALID_HANDLE;
    return err;
}

esp_err_t esp_vfs_fat_spiflash_mount_ro(const char *base_path, const char *partition_label,
                                        const esp_vfs_fat_mount_config_t *mount_config)
{
    return mount(base_path, partition_label, mount_config, true);
}

esp_err_t esp_vfs_fat_spiflash_unmount_rw_wl(const char *base_path, wl_handle_t wl_handle)
{
    (void)wl_handle;
    return otter_files_unmount(otter_files_at(base_path));
}

esp_err_t esp_vfs_fat_spiflash_unmount_ro(const char *base_path, const char *partition_label)
{
    (void)partition_label;
    return otter_files_unmount(otter_files_at(base_path));
}

esp_err_t esp_vfs_fat_spiflash_format_rw_wl(const char *base_path, const char *partition_label)
{
    const esp_partition_t *partition = otter_files_at(base_path);
    if (partition == NULL) {
        partition = otter_files_partition(partition_label, ESP_PARTITION_SUBTYPE_DATA_FAT);
    }
    return partition != NULL ? otter_files_format(partition) : ESP_ERR_NOT_FOUND;
}

esp_err_t esp_vfs_fat_info(const char *base_path, uint64_t *out_total_bytes, uint64_t *out_free_bytes)
{
    const esp_partition_t *partition = otter_files_at(base_path);
    size_t total, used;
    if (partition == NULL || out_total_bytes == NULL || out_free_bytes == NULL) {
        return partition == NULL ? ESP_ERR_INVALID_STATE : ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = otter_files_info(partition, &total, &used);
    if (err == ESP_OK) {
        *out_total_bytes = total;
        *out_free_bytes = total > used ? total - used : 0;
    }
    return err;
}

esp_err_t esp_vfs_fat_sdmmc_mount(const char *base_path, const sdmmc_host_t *host_config,
                                  const void *slot_config, const esp_vfs_fat_mount_config_t *mount_config,
                                  sdmmc_card_t **out_card)
{
    sdmmc_card_t card;
    (void)out_card; /* it may be NULL */
    return base_path == NULL || slot_config == NULL || mount_config == NULL
               ? ESP_ERR_INVALID_ARG
               : sdmmc_card_init(host_config, &card);
}

esp_err_t esp_vfs_fat_sdspi_mount(const char *base_path, const sdmmc_host_t *host_config_input,
                                  const sdspi_device_config_t *slot_config,
                                  const esp_vfs_fat_mount_config_t *mount_config, sdmmc_card_t **out_card)
{
    return esp_vfs_fat_sdmmc_mount(base_path, host_config_input, slot_config, mount_config, out_card);
}

esp_err_t esp_vfs_fat_sdcard_unmount(const char *base_path, sdmmc_card_t *card)
{
    (void)base_path, (void)card;
    return ESP_ERR_INVALID_STATE;
}

esp_err_t esp_vfs_fat_sdmmc_unmount(void)
{
    return ESP_ERR_INVALID_STATE;
}

esp_err_t esp_vfs_fat_sdcard_format(const char *base_path, sdmmc_card_t *card)
{
    (void)base_path, (void)card;
    return ESP_ERR_INVALID_STATE;
}
