/* ESP-IDF's access to whole flash chips: the device's own, and others that a program has made. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/flash.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct esp_flash_t esp_flash_t;

typedef struct {
    uint32_t offset, size;
} esp_flash_region_t;

/* Further codes of chips, for programs that compare with them: no file gives these. */
#define ESP_ERR_FLASH_SIZE_NOT_MATCH ESP_ERR_INVALID_SIZE
#define ESP_ERR_FLASH_NO_RESPONSE    ESP_ERR_INVALID_RESPONSE

/** NULL as a chip means this one, that of the current device; NULL without a device. */
#define esp_flash_default_chip otter_flash_default_chip()
esp_flash_t *otter_flash_default_chip(void);

/*
 * Read, write, erase; addresses and lengths in bytes. Writing clears bits only (NOR). The bootloader, the partition table, what
 * runs and read-only partitions are guarded as by esp_partition_write(). Length 0 does nothing.
 * @return ESP_OK
 *         ESP_ERR_INVALID_ARG    NULL buffer; beyond the chip; erase: not whole sectors; a guarded range
 *         ESP_ERR_NOT_ALLOWED    touches a read-only partition
 *         ESP_ERR_INVALID_STATE  NULL chip and no device
 *         ESP_ERR_FLASH_OP_FAIL, ESP_ERR_FLASH_OP_TIMEOUT
 */
esp_err_t esp_flash_read(esp_flash_t *chip, void *buffer, uint32_t address, uint32_t length);
esp_err_t esp_flash_write(esp_flash_t *chip, const void *buffer, uint32_t address, uint32_t length);
esp_err_t esp_flash_erase_region(esp_flash_t *chip, uint32_t start, uint32_t len);
esp_err_t esp_flash_erase_chip(esp_flash_t *chip);

/*
 * Through the cipher of flash encryption, wherever it is; esp_flash_read() and esp_flash_write() go past it. Written are whole
 * blocks of 16 bytes. @return also ESP_ERR_INVALID_ARG (address), ESP_ERR_INVALID_SIZE (length); ESP_ERR_NOT_SUPPORTED: write,
 * to a device without flash encryption. Reading there is esp_flash_read().
 */
esp_err_t esp_flash_read_encrypted(esp_flash_t *chip, uint32_t address, void *out_buffer, uint32_t length);
esp_err_t esp_flash_write_encrypted(esp_flash_t *chip, uint32_t address, const void *buffer, uint32_t length);

/** Bytes; a file has one size. @return ESP_OK, ESP_ERR_INVALID_ARG (NULL size), ESP_ERR_INVALID_STATE (no device) */
esp_err_t esp_flash_get_size(esp_flash_t *chip, uint32_t *out_size);
esp_err_t esp_flash_get_physical_size(esp_flash_t *chip, uint32_t *flash_size);

/** ESP_ERR_NOT_SUPPORTED: a file has no maker. */
esp_err_t esp_flash_read_id(esp_flash_t *chip, uint32_t *out_id);
esp_err_t esp_flash_read_unique_chip_id(esp_flash_t *chip, uint64_t *out_id);

/*
 * A file protects nothing. @return ESP_OK, false: nothing is protected; ESP_ERR_NOT_SUPPORTED: to protect something;
 * ESP_ERR_INVALID_ARG (NULL), ESP_ERR_INVALID_STATE (no device)
 */
esp_err_t esp_flash_get_chip_write_protect(esp_flash_t *chip, bool *write_protected);
esp_err_t esp_flash_set_chip_write_protect(esp_flash_t *chip, bool write_protect);
esp_err_t esp_flash_get_protected_region(esp_flash_t *chip, const esp_flash_region_t *region,
                                         bool *out_protected);
esp_err_t esp_flash_set_protected_region(esp_flash_t *chip, const esp_flash_region_t *region, bool protect);
/** There is none that could be protected. */
esp_err_t esp_flash_get_protectable_regions(const esp_flash_t *chip, const esp_flash_region_t **out_regions,
                                            uint32_t *out_num_regions);

/** ESP_OK, true: a chip is there when it is known. */
esp_err_t esp_flash_init(esp_flash_t *chip);
bool esp_flash_chip_driver_initialized(const esp_flash_t *chip);

#ifdef __cplusplus
}
#endif
