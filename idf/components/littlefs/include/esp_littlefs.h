/* LittleFS, for which a folder beside the flash file stands. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_partition.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *base_path;
    const char *partition_label;      /* NULL: `partition`, or else the first of subtype littlefs or spiffs */
    const esp_partition_t *partition; /* may be NULL */
    uint8_t format_if_mount_failed : 1;
    uint8_t read_only : 1;
    uint8_t dont_mount : 1;    /* ESP_ERR_NOT_SUPPORTED */
    uint8_t grow_on_mount : 1; /* it has its size already */
} esp_vfs_littlefs_conf_t;

/** @return ESP_OK; ESP_ERR_NOT_FOUND: no such partition; ESP_ERR_INVALID_STATE: it is mounted; ESP_FAIL: it holds no files, and
    is not to be formatted; ESP_ERR_INVALID_ARG; ESP_ERR_NO_MEM; ESP_ERR_NOT_SUPPORTED */
esp_err_t esp_vfs_littlefs_register(const esp_vfs_littlefs_conf_t *conf);
/** @return ESP_OK; ESP_ERR_INVALID_STATE: it is not mounted, as of all below but formatting */
esp_err_t esp_vfs_littlefs_unregister(const char *partition_label);
esp_err_t esp_vfs_littlefs_unregister_partition(const esp_partition_t *partition);
bool esp_littlefs_mounted(const char *partition_label);
bool esp_littlefs_partition_mounted(const esp_partition_t *partition);
/** Removes all files, mounted or not. @return ESP_OK; ESP_ERR_NOT_FOUND; ESP_FAIL */
esp_err_t esp_littlefs_format(const char *partition_label);
esp_err_t esp_littlefs_format_partition(const esp_partition_t *partition);
/** @param total_bytes of the partition; files may have more. Both may be NULL */
esp_err_t esp_littlefs_info(const char *partition_label, size_t *total_bytes, size_t *used_bytes);
esp_err_t esp_littlefs_partition_info(const esp_partition_t *partition, size_t *total_bytes,
                                      size_t *used_bytes);

#ifdef __cplusplus
}
#endif
