/* ESP-IDF's FAT in flash, for which a folder beside the flash file stands. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "driver/sdspi_host.h"
#include "sd_protocol_types.h"
#include "wear_levelling.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    bool format_if_mount_failed;
    int max_files; /* more may be open; the others are without a meaning here */
    size_t allocation_unit_size;
    bool disk_status_check_enable;
    bool use_one_fat;
} esp_vfs_fat_mount_config_t;
typedef esp_vfs_fat_mount_config_t esp_vfs_fat_sdmmc_mount_config_t;
#define VFS_FAT_MOUNT_DEFAULT_CONFIG()                                                                       \
    {                                                                                                        \
        .format_if_mount_failed = false, .max_files = 5                                                      \
    }

/** Names have upper and lower case, and any length.
    @return ESP_OK; ESP_ERR_NOT_FOUND: no such partition; ESP_ERR_INVALID_STATE: it is mounted; ESP_FAIL: it holds no files, and
    is not to be formatted; ESP_ERR_INVALID_ARG; ESP_ERR_NO_MEM */
esp_err_t esp_vfs_fat_spiflash_mount_rw_wl(const char *base_path, const char *partition_label,
                                           const esp_vfs_fat_mount_config_t *mount_config,
                                           wl_handle_t *wl_handle);
esp_err_t esp_vfs_fat_spiflash_mount_ro(const char *base_path, const char *partition_label,
                                        const esp_vfs_fat_mount_config_t *mount_config);
/** @return ESP_OK; ESP_ERR_INVALID_STATE: it is not mounted, as of all below */
esp_err_t esp_vfs_fat_spiflash_unmount_rw_wl(const char *base_path, wl_handle_t wl_handle);
esp_err_t esp_vfs_fat_spiflash_unmount_ro(const char *base_path, const char *partition_label);
/** Removes all files. */
esp_err_t esp_vfs_fat_spiflash_format_rw_wl(const char *base_path, const char *partition_label);
/** @param out_total_bytes of the partition; files may have more */
esp_err_t esp_vfs_fat_info(const char *base_path, uint64_t *out_total_bytes, uint64_t *out_free_bytes);

/* SD cards: there is none. @return ESP_ERR_TIMEOUT, as of an empty slot; ESP_ERR_INVALID_ARG; the others ESP_ERR_INVALID_STATE */
esp_err_t esp_vfs_fat_sdmmc_mount(const char *base_path, const sdmmc_host_t *host_config,
                                  const void *slot_config, const esp_vfs_fat_mount_config_t *mount_config,
                                  sdmmc_card_t **out_card);
esp_err_t esp_vfs_fat_sdspi_mount(const char *base_path, const sdmmc_host_t *host_config_input,
                                  const sdspi_device_config_t *slot_config,
                                  const esp_vfs_fat_mount_config_t *mount_config, sdmmc_card_t **out_card);
esp_err_t esp_vfs_fat_sdcard_unmount(const char *base_path, sdmmc_card_t *card);
esp_err_t esp_vfs_fat_sdmmc_unmount(void);
esp_err_t esp_vfs_fat_sdcard_format(const char *base_path, sdmmc_card_t *card);

/* Their names in ESP-IDF 4. */
#define esp_vfs_fat_spiflash_mount   esp_vfs_fat_spiflash_mount_rw_wl
#define esp_vfs_fat_spiflash_unmount esp_vfs_fat_spiflash_unmount_rw_wl

#ifdef __cplusplus
}
#endif
