/* ESP-IDF's helpers around otadata and images that applications get through esp_https_ota.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_app_desc.h"
#include "esp_app_format.h"
#include "esp_err.h"
#include "esp_flash_partitions.h"
#include "esp_image_format.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ESP_IMAGE_BOOTLOADER,
    ESP_IMAGE_APPLICATION,
} esp_image_type;

/** The CRC that a record with this ota_seq must hold; 0 for NULL. */
uint32_t bootloader_common_ota_select_crc(const esp_ota_select_entry_t *s);

/** Not erased, not INVALID, not ABORTED, and the CRC matches. False for NULL. */
bool bootloader_common_ota_select_valid(const esp_ota_select_entry_t *s);

/** Erased, INVALID or ABORTED; the CRC is not looked at. True for NULL. */
bool bootloader_common_ota_select_invalid(const esp_ota_select_entry_t *s);

/** Index of the record that decides, of two in memory; -1 for NULL and when neither is valid. */
int bootloader_common_get_active_otadata(esp_ota_select_entry_t *two_otadata);

/** Of the records marked in `valid_two_otadata` the one with the higher (`max`) or lower ota_seq, 0 on a tie; -1: none. */
int bootloader_common_select_otadata(const esp_ota_select_entry_t *two_otadata, bool *valid_two_otadata,
                                     bool max);

/**
 * Read both records of the current device's flash.
 * @return ESP_OK, ESP_ERR_INVALID_ARG (NULL, partition smaller than two sectors), ESP_ERR_INVALID_STATE (no device),
 *         ESP_ERR_FLASH_OP_*
 */
esp_err_t bootloader_common_read_otadata(const esp_partition_pos_t *ota_info,
                                         esp_ota_select_entry_t *two_otadata);

/** As esp_partition_get_sha256(), of a range and a partition type. @return its codes, ESP_ERR_INVALID_STATE (no device) */
esp_err_t bootloader_common_get_sha256_of_partition(uint32_t address, uint32_t size, int type,
                                                    uint8_t *out_sha_256);

/**
 * Whether an image is for the current device's chip and revision; the reason is logged. The upper revision limit holds for
 * applications only.
 * @return ESP_OK, ESP_FAIL (also for NULL and without a device)
 */
esp_err_t bootloader_common_check_chip_validity(const esp_image_header_t *img_hdr, esp_image_type type);

/**
 * Whether the chip's eFuse block revision lies in a range (major * 100 + minor); limits 0 and 65535 are none.
 * @return ESP_OK (always for chips that do not have one), ESP_FAIL (also without a device)
 */
esp_err_t bootloader_common_check_efuse_blk_validity(uint32_t min_rev_full, uint32_t max_rev_full);

/** As esp_efuse_get_pkg_ver(). */
uint32_t bootloader_common_get_chip_ver_pkg(void);

/** Whether a list of names, with commas or blanks between them, holds this one. False for NULL. */
bool bootloader_common_label_search(const char *list, char *label);

/** The revision part of it. `check_max_revision`: the upper limit too. */
bool bootloader_common_check_chip_revision_validity(const esp_image_header_t *img_hdr,
                                                    bool check_max_revision);

/**
 * The descriptor of the application in a range of the current device's flash.
 * @return ESP_OK, ESP_ERR_INVALID_ARG (NULL), ESP_ERR_INVALID_STATE (no device), ESP_ERR_NOT_FOUND (none there),
 *         ESP_ERR_INVALID_SIZE (the range is too small), ESP_ERR_FLASH_OP_*
 */
esp_err_t bootloader_common_get_partition_description(const esp_partition_pos_t *partition,
                                                      esp_app_desc_t *app_desc);

#ifdef __cplusplus
}
#endif
