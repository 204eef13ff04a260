/* ESP-IDF's SPIFFS, for which a folder beside the flash file stands. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef CONFIG_SPIFFS_OBJ_NAME_LEN /* what reads this file outside a project has no options */
#define CONFIG_SPIFFS_OBJ_NAME_LEN 32
#endif

typedef struct {
    const char *base_path;
    const char *partition_label; /* NULL: the first of subtype spiffs */
    size_t max_files;            /* more may be open */
    bool format_if_mount_failed;
} esp_vfs_spiffs_conf_t;

/** @return ESP_OK; ESP_ERR_NOT_FOUND: no such partition; ESP_ERR_INVALID_STATE: it is mounted; ESP_FAIL: it holds no files, and
    is not to be formatted; ESP_ERR_INVALID_ARG; ESP_ERR_NO_MEM */
esp_err_t esp_vfs_spiffs_register(const esp_vfs_spiffs_conf_t *conf);
/** @return ESP_OK; ESP_ERR_INVALID_STATE: it is not mounted, as of all below but formatting */
esp_err_t esp_vfs_spiffs_unregister(const char *partition_label);
/** @param total_bytes of the partition; files may have more */
esp_err_t esp_spiffs_info(const char *partition_label, size_t *total_bytes, size_t *used_bytes);
/** There is nothing to repair. */
esp_err_t esp_spiffs_check(const char *partition_label);
esp_err_t esp_spiffs_gc(const char *partition_label, size_t size_to_gc);
/** Removes all files, mounted or not. @return ESP_OK; ESP_ERR_NOT_FOUND; ESP_FAIL */
esp_err_t esp_spiffs_format(const char *partition_label);
bool esp_spiffs_mounted(const char *partition_label);

#ifdef __cplusplus
}
#endif
