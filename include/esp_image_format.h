/* ESP-IDF's image verification on the current device. Names and codes as bootloader_support v5.5. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_app_format.h"
#include "esp_err.h"
#include "esp_flash_partitions.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_IMAGE_HASH_LEN 32

typedef enum {
    ESP_IMAGE_VERIFY,        /* log why an image is refused */
    ESP_IMAGE_VERIFY_SILENT, /* log only what concerns the chip: wrong kind, wrong revision */
} esp_image_load_mode_t;

/** What an image says of itself. After a failure all of it is zero. */
typedef struct {
    uint32_t start_addr; /* of the image, offset in flash */
    esp_image_header_t image;
    esp_image_segment_header_t segments[ESP_IMAGE_MAX_SEGMENTS];
    uint32_t segment_data[ESP_IMAGE_MAX_SEGMENTS]; /* offsets in flash of the segments' data */
    uint32_t image_len;                            /* bytes, with padding, checksum and appended hash */
    uint8_t image_digest[ESP_IMAGE_HASH_LEN];      /* the appended hash as stored; zeros if there is none */
    uint32_t secure_version;                       /* of the app descriptor, 0 without one */
    uint32_t mmu_page_size;                        /* bytes */
} esp_image_metadata_t;

/**
 * Verify the image at the start of `part` as the bootloader of this device would. At the bootloader's own offset the
 * rules for bootloader images hold: no upper revision limit, the appended hash is not compared.
 * @return ESP_OK
 *         ESP_ERR_INVALID_ARG    NULL, or the partition is larger than the chip's limit (16 MiB on most)
 *         ESP_ERR_INVALID_STATE  there is no current device
 *         ESP_ERR_IMAGE_INVALID  no image, broken (structure, checksum, hash), or longer than the partition
 *         ESP_FAIL               another chip, chip revision or eFuse block revision; no app descriptor where the
 *                                chip needs one
 *         ESP_ERR_NO_MEM, or a flash error
 */
esp_err_t esp_image_verify(esp_image_load_mode_t mode, const esp_partition_pos_t *part,
                           esp_image_metadata_t *data);

/** Headers and length only: neither magic, chip, checksum nor hash are looked at. Codes as esp_image_verify. */
esp_err_t esp_image_get_metadata(const esp_partition_pos_t *part, esp_image_metadata_t *metadata);

/** Verify the second-stage bootloader. @param length  its image length in bytes, NULL if not wanted */
esp_err_t esp_image_verify_bootloader(uint32_t *length);
esp_err_t esp_image_verify_bootloader_data(esp_image_metadata_t *data);

/** Bytes of flash that a header's size code says, 0 for a code that is none. */
int esp_image_get_flash_size(esp_image_flash_size_t app_flash_size);

/** Where the bootloader is taken to be: the chip's offset until another is set. */
uint32_t esp_image_bootloader_offset_get(void);
void esp_image_bootloader_offset_set(const uint32_t offset);

#ifdef __cplusplus
}
#endif
