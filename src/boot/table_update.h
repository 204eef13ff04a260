/* May a new partition table replace the one in use? Only if what the device lives by stays where it is. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/partition_table.h"
#include "otter/device.h"
#include "otter/promise.h"

/**
 * Judge a new primary table.
 * @param offset where it lies in the device's flash
 * @param keep   partitions that the new table must hold with the same type, subtype, offset and size, and that none of
 *               its others may touch; NULL elements are passed over
 * @param why    the reason of a refusal, with names and numbers
 * @return ESP_OK
 *         ESP_ERR_INVALID_STATE / ESP_ERR_INVALID_SIZE  it is no table that boots; it has no MD5 record, and the
 *                                                       application sees no partitions without one
 *         ESP_ERR_NOT_ALLOWED  a kept partition is gone, moved, resized or covered, or the table's own place is
 *         ESP_ERR_NO_MEM, and what otter_flash_read() says
 */
OTTER_MUST_CHECK esp_err_t table_update_check(const otter_device_t *device, uint32_t offset,
                                              const esp_partition_t *const *keep, uint32_t keep_count,
                                              otter_fault_t *fault);
