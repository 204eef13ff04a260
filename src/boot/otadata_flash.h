/* otadata in flash: reading both records, and changing one of them so that the order survives a power cut. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "boot/otadata.h"
#include "otter/flash.h"
#include "otter/promise.h"

/** Bytes from the start of copy 0 to the start of copy 1: each has its sectors to itself. */
uint32_t otadata_distance(const otter_flash_t *flash);

/** Bytes that the otadata partition must have. */
uint32_t otadata_size(const otter_flash_t *flash);

/**
 * Read and decode both copies.
 * @param offset  of the otadata partition in flash; `size` its bytes
 * @return ESP_OK, ESP_ERR_INVALID_SIZE (smaller than otadata_size()), ESP_ERR_FLASH_OP_*
 */
OTTER_MUST_CHECK esp_err_t otadata_read(otter_flash_t *flash, uint32_t offset, uint32_t size,
                                        otadata_entry_t two[OTADATA_COPY_COUNT]);

/**
 * Erase one copy's sector, then program the record, each made durable before the next step and all that was done before
 * made durable before the erase. A cut between leaves that copy erased and the other as it was.
 * @return ESP_OK, ESP_ERR_FLASH_OP_*, ESP_ERR_NO_MEM (only with write units above 32 bytes)
 */
OTTER_MUST_CHECK esp_err_t otadata_write_copy(otter_flash_t *flash, uint32_t offset, uint32_t copy,
                                              const otadata_entry_t *entry);

/** Erase one copy's sector, with barriers before and after. @return ESP_OK, ESP_ERR_FLASH_OP_* */
OTTER_MUST_CHECK esp_err_t otadata_erase_copy(otter_flash_t *flash, uint32_t offset, uint32_t copy);

/**
 * Program the state of a record to VALID and nothing else: its first byte, then the other three (switch_plan_confirm says
 * from which states). The record counts all the time, and nothing is erased. Only where otter_flash_unit() is 1.
 * @return ESP_OK, ESP_ERR_FLASH_OP_*
 */
OTTER_MUST_CHECK esp_err_t otadata_confirm_copy(otter_flash_t *flash, uint32_t offset, uint32_t copy);

/**
 * Program a record that is there once more, so that bits which a power cut left hanging between 0 and 1 are sure. Only where
 * a write unit may be programmed twice: write_size 1.
 * @return ESP_OK, ESP_ERR_FLASH_OP_*
 */
OTTER_MUST_CHECK esp_err_t otadata_refresh_copy(otter_flash_t *flash, uint32_t offset, uint32_t copy,
                                                const otadata_entry_t *entry);
