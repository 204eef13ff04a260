/* ESP-IDF's non-volatile storage: which partitions are ready for it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_partition.h"
#include "nvs.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Make a partition ready for nvs_open*(): read it, repair what a reset has left half done, make it usable if it is erased. A
 * partition that is ready stays as it is.
 * @return ESP_OK
 *         ESP_ERR_NOT_FOUND               no such partition of type data and subtype nvs
 *         ESP_ERR_NVS_NO_FREE_PAGES       no page is free: what is in it is no NVS, or it has less than 2 pages of 4096 bytes
 *         ESP_ERR_NVS_NEW_VERSION_FOUND   written by a format that is not known here
 *         ESP_ERR_NOT_SUPPORTED           a flash on which a state cannot change in place (otter/nvs_store.h)
 *         ESP_ERR_INVALID_STATE (no device), ESP_ERR_NO_MEM, or what flash says
 */
esp_err_t nvs_flash_init(void);
esp_err_t nvs_flash_init_partition(const char *partition_label);
esp_err_t nvs_flash_init_partition_ptr(const esp_partition_t *partition);

/** Its handles end. @return ESP_OK, ESP_ERR_NVS_NOT_INITIALIZED */
esp_err_t nvs_flash_deinit(void);
esp_err_t nvs_flash_deinit_partition(const char *partition_label);

/** Erase the partition, after nvs_flash_deinit*() where it is ready. @return ESP_OK, ESP_ERR_NOT_FOUND, or what flash says */
esp_err_t nvs_flash_erase(void);
esp_err_t nvs_flash_erase_partition(const char *part_name);
esp_err_t nvs_flash_erase_partition_ptr(const esp_partition_t *partition);

#ifdef __cplusplus
}
#endif
