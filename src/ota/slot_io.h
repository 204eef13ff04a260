/* I/O inside one partition: bounds against the partition, the read-only flag, and signs of life. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_partition.h"
#include "otter/flash.h"
#include "otter/promise.h"

/*
 * Offsets and lengths are bytes from the partition's start.
 * @return ESP_OK
 *         ESP_ERR_INVALID_SIZE  the range leaves the partition, or is not made of whole sectors (erase)
 *         ESP_ERR_NOT_ALLOWED   program, erase: the partition is read-only
 *         ESP_ERR_FLASH_OP_*
 */
OTTER_MUST_CHECK esp_err_t ota_read_range(otter_flash_t *flash, const esp_partition_t *partition,
                                          uint32_t offset, void *dst, uint32_t len);
OTTER_MUST_CHECK esp_err_t ota_program_range(otter_flash_t *flash, const esp_partition_t *partition,
                                             uint32_t offset, const void *src, uint32_t len);

/** The same past the cipher: bits that are cleared there spoil what is encrypted. */
OTTER_MUST_CHECK esp_err_t ota_program_raw(otter_flash_t *flash, const esp_partition_t *partition,
                                           uint32_t offset, const void *src, uint32_t len);

/** Erases all of the range, in steps that show the watchdog a sign of life. */
OTTER_MUST_CHECK esp_err_t ota_erase_all(otter_flash_t *flash, const esp_partition_t *partition,
                                         uint32_t offset, uint32_t len);

/** Begins it (otter_flash_erase_begin). */
OTTER_MUST_CHECK esp_err_t ota_erase_begin(otter_flash_t *flash, const esp_partition_t *partition,
                                           uint32_t offset, uint32_t len);

/** As ota_erase_all; where flash reads stably, sectors that are blank already are left alone. */
OTTER_MUST_CHECK esp_err_t ota_erase_range(otter_flash_t *flash, const esp_partition_t *partition,
                                           uint32_t offset, uint32_t len);
