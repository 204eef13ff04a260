/* What a partition is to an update, and whether one may go there now. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/image.h"
#include "otter/promise.h"
#include "otter/update.h"

/** The device's own entry for a partition, of the table or registered by the application; NULL if it has none. */
const esp_partition_t *ota_find_partition(const otter_device_t *device, const esp_partition_t *partition);

/** True of a partition that an application has registered: the table, and so the boot step, does not know it. */
bool ota_is_registered(const otter_device_t *device, const esp_partition_t *partition);

/** The same place, for the same use. */
bool ota_is_same_partition(const esp_partition_t *a, const esp_partition_t *b);

/** What is written for `final` is an image: an application's or a bootloader's. */
bool ota_is_image(const esp_partition_t *final);

/** The bootloader's rules for an image that is for `final` and lies in `staging`. */
otter_image_rules_t ota_image_rules(const otter_device_t *device, const esp_partition_t *staging,
                                    const esp_partition_t *final);

/** The open update that stands in the way of another one to `partition`, NULL: none. */
otter_update_t *update_of(const otter_device_t *device, const esp_partition_t *partition);

/**
 * May `partition`, as ota_find_partition() gave it, be overwritten now?
 * @return ESP_OK; ESP_ERR_NOT_SUPPORTED: it does not begin with a sector, ESP_ERR_INVALID_ARG: an app partition that is no slot,
 *         ESP_ERR_OTA_PARTITION_CONFLICT: it is what runs, ESP_ERR_NOT_FOUND: registered, and no data, ESP_ERR_NOT_ALLOWED: the
 *         device cannot do without what it holds, ESP_ERR_OTA_ALREADY_IN_PROGRESS, or what ota_check_fallback() says
 */
OTTER_MUST_CHECK esp_err_t update_check_target(otter_device_t *device, const esp_partition_t *partition,
                                               otter_fault_t *fault);

/**
 * May `final`, as ota_find_partition() gave it, be what the update's partition is copied to? Known before anything is downloaded.
 * @return ESP_OK, ESP_ERR_NOT_SUPPORTED, ESP_ERR_OTA_ALREADY_IN_PROGRESS, or what the copies and ota_check_fallback() say
 */
OTTER_MUST_CHECK esp_err_t update_check_final(const otter_update_t *update, const esp_partition_t *final,
                                              otter_fault_t *fault);

/** Tells a refusal in `fault`, which may be NULL, and in the log. @param label  of the partition, in `format` @return code */
esp_err_t update_refuse(otter_fault_t *fault, esp_err_t code, const char *format, const char *label)
    __attribute__((format(printf, 3, 0)));
