/* The partitions of one device: loading the table as an application does, finding, and I/O that stays inside. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/device.h"
#include "otter/partition_table.h"
#include "otter/promise.h"

/**
 * Load the table at `table_offset` for applications (FORMATS.md section 3.2). On failure the list is empty and keeps the code.
 * @return ESP_OK
 *         ESP_ERR_NOT_FOUND      no MD5 row, and allow_no_md5 is false
 *         ESP_ERR_INVALID_STATE  the MD5 does not match; or there is none, and otadata or a slot is not made of whole sectors
 *         ESP_ERR_INVALID_SIZE   the flash is too short to hold a table there
 *         ESP_ERR_NOT_SUPPORTED  the flash cannot hold what the table says: it erases more than OTTER_FLASH_ERASE_MAX bytes at
 *                                once, or otadata or a slot is not made of whole sectors (logged, and told in `fault`)
 *         ESP_ERR_INVALID_ARG    the flash's geometry breaks a rule of otter/flash.h (the same)
 *         ESP_ERR_NO_MEM, ESP_ERR_FLASH_OP_*
 */
OTTER_MUST_CHECK esp_err_t partition_list_load(otter_partition_list_t *list, otter_flash_t *flash,
                                               uint32_t table_offset, bool allow_no_md5,
                                               otter_fault_t *fault);

/** May this be the flash of a device? @return ESP_OK, ESP_ERR_INVALID_ARG, ESP_ERR_NOT_SUPPORTED: see above */
OTTER_MUST_CHECK esp_err_t partition_check_flash(const otter_flash_t *flash, otter_fault_t *fault);

/**
 * What an update erases has its sectors to itself: where they are larger than those of SPI NOR, slots and otadata must be made
 * of whole ones. @return ESP_OK, ESP_ERR_NOT_SUPPORTED
 */
OTTER_MUST_CHECK esp_err_t partition_check_sectors(const otter_partition_entry_t *entry,
                                                   const otter_flash_t *flash, otter_fault_t *fault);

/** True if a look-up with these criteria finds `item`. Wildcards as esp_partition_find(). */
bool partition_matches(const esp_partition_t *item, esp_partition_type_t type,
                       esp_partition_subtype_t subtype, const char *label);

/** Same flash, address, size and encryption. */
bool partition_is_at_place_of(const esp_partition_t *a, const esp_partition_t *b);

/** The list's own entry for `partition` (see esp_partition_verify), NULL if there is none. */
const esp_partition_t *partition_list_verify(const otter_partition_list_t *list,
                                             const esp_partition_t *partition);
