/* The partitions of one device: loading the table as an application does, finding, and I/O that stays inside. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/device.h"
#include "otter/promise.h"

/**
 * Load the table at `table_offset` for applications (FORMATS.md section 3.2). On failure the list is empty and keeps the code.
 * @return ESP_OK
 *         ESP_ERR_NOT_FOUND      no MD5 row, and allow_no_md5 is false
 *         ESP_ERR_INVALID_STATE  the MD5 does not match
 *         ESP_ERR_INVALID_SIZE   the flash is too short to hold a table there
 *         ESP_ERR_NOT_SUPPORTED  the flash erases more than OTTER_FLASH_ERASE_MAX bytes at once (logged)
 *         ESP_ERR_NO_MEM, ESP_ERR_FLASH_OP_*
 */
OTTER_MUST_CHECK esp_err_t partition_list_load(otter_partition_list_t *list, otter_flash_t *flash,
                                               uint32_t table_offset, bool allow_no_md5);

/** True if a look-up with these criteria finds `item`. Wildcards as esp_partition_find(). */
bool partition_matches(const esp_partition_t *item, esp_partition_type_t type,
                       esp_partition_subtype_t subtype, const char *label);

/** Same flash, address, size and encryption. */
bool partition_is_at_place_of(const esp_partition_t *a, const esp_partition_t *b);

/** First match in table order, or the first after `after` when it is not NULL. Wildcards as esp_partition_find(). */
const esp_partition_t *partition_list_find(const otter_partition_list_t *list, const esp_partition_t *after,
                                           esp_partition_type_t type, esp_partition_subtype_t subtype,
                                           const char *label);

/** The list's own entry for `partition` (see esp_partition_verify), NULL if there is none. */
const esp_partition_t *partition_list_verify(const otter_partition_list_t *list,
                                             const esp_partition_t *partition);
