/* Partitions that an application registers at run time: look-ups, I/O and updates without a copy know them, booting does not. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "otter/device.h"
#include "otter/promise.h"

/**
 * Add a copy of `partition` (its flash, place, names and flags). It lies behind the table's rows in look-ups.
 * @param out  the entry, which lives until it is removed
 * @return ESP_OK
 *         ESP_ERR_INVALID_SIZE  not inside its flash
 *         ESP_ERR_INVALID_ARG   overlaps another partition of the same flash
 *         ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t external_partitions_add(otter_device_t *device, const esp_partition_t *partition,
                                                   const esp_partition_t **out);

/** @return ESP_OK, ESP_ERR_NOT_FOUND (no such entry) */
OTTER_MUST_CHECK esp_err_t external_partitions_remove(otter_device_t *device,
                                                      const esp_partition_t *partition);

void external_partitions_clear(otter_device_t *device);

/** True if `partition` is one of these entries; it is compared, never looked into. */
bool external_partitions_contain(const otter_device_t *device, const esp_partition_t *partition);

/** The list's own entry for `partition`: same place, type and subtype, and label if it has one. @return NULL: there is none */
const esp_partition_t *external_partitions_verify(const otter_device_t *device,
                                                  const esp_partition_t *partition);

/** First match, or the first after `after` when that is not NULL; wildcards as esp_partition_find(). */
const esp_partition_t *external_partitions_find(const otter_device_t *device, const esp_partition_t *after,
                                                esp_partition_type_t type, esp_partition_subtype_t subtype,
                                                const char *label);
