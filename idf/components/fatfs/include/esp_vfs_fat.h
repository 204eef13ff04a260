/* ESP-IDF's FAT in flash, which cannot be mounted here: ESP_ERR_NOT_SUPPORTED, and the log says so. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t wl_handle_t;
#define WL_INVALID_HANDLE (-1)

typedef struct {
    bool format_if_mount_failed;
    int max_files;
    size_t allocation_unit_size;
    bool disk_status_check_enable;
    bool use_one_fat;
} esp_vfs_fat_mount_config_t;
typedef esp_vfs_fat_mount_config_t esp_vfs_fat_sdmmc_mount_config_t;

/** @return ESP_ERR_NOT_SUPPORTED */
esp_err_t esp_vfs_fat_spiflash_mount_rw_wl(const char *base_path, const char *partition_label,
                                           const esp_vfs_fat_mount_config_t *mount_config,
                                           wl_handle_t *wl_handle);
esp_err_t esp_vfs_fat_spiflash_mount_ro(const char *base_path, const char *partition_label,
                                        const esp_vfs_fat_mount_config_t *mount_config);
/** @return ESP_ERR_INVALID_STATE: it is not mounted */
esp_err_t esp_vfs_fat_spiflash_unmount_rw_wl(const char *base_path, wl_handle_t wl_handle);
esp_err_t esp_vfs_fat_spiflash_unmount_ro(const char *base_path, const char *partition_label);
esp_err_t esp_vfs_fat_info(const char *base_path, uint64_t *out_total_bytes, uint64_t *out_free_bytes);

/* Their names in ESP-IDF 4. */
#define esp_vfs_fat_spiflash_mount   esp_vfs_fat_spiflash_mount_rw_wl
#define esp_vfs_fat_spiflash_unmount esp_vfs_fat_spiflash_unmount_rw_wl

#ifdef __cplusplus
}
#endif
