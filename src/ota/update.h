/* The update session: esp_ota_begin/write/end on a device that the caller names. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_ota_ops.h"
#include "otter/image.h"
#include "otter/device.h"
#include "otter/promise.h"

/*
 * Each function is ESP-IDF's of the same name with the device in front: arguments, order of checks and codes are those
 * documented in include/esp_ota_ops.h, whose functions (src/idf/esp_ota_ops.c) only add the current device. Where several
 * tasks use one device, whoever calls one holds OTTER_LOCK_UPDATES.
 */
OTTER_MUST_CHECK esp_err_t ota_begin(otter_device_t *device, const esp_partition_t *partition,
                                     size_t image_size, esp_ota_handle_t *out_handle);
OTTER_MUST_CHECK esp_err_t ota_resume(otter_device_t *device, const esp_partition_t *partition,
                                      size_t erase_size, size_t image_offset, esp_ota_handle_t *out_handle);
OTTER_MUST_CHECK esp_err_t ota_write(otter_device_t *device, esp_ota_handle_t handle, const void *data,
                                     size_t size);
OTTER_MUST_CHECK esp_err_t ota_write_with_offset(otter_device_t *device, esp_ota_handle_t handle,
                                                 const void *data, size_t size, uint32_t offset);
OTTER_MUST_CHECK esp_err_t ota_end(otter_device_t *device, esp_ota_handle_t handle);
OTTER_MUST_CHECK esp_err_t ota_abort(otter_device_t *device, esp_ota_handle_t handle);
OTTER_MUST_CHECK esp_err_t ota_set_final_partition(otter_device_t *device, esp_ota_handle_t handle,
                                                   const esp_partition_t *final, bool finalize_with_copy);

/* What downloads need beyond ESP-IDF's functions. */

/** ota_resume() by the record in the slot's last sector, which stays; otherwise it is forgotten. */
OTTER_MUST_CHECK esp_err_t ota_resume_recorded(otter_device_t *device, const esp_partition_t *partition,
                                               size_t erase_size, size_t image_offset,
                                               esp_ota_handle_t *out_handle);

/** The verdict of ota_end() on an update whose last byte is written, which stays open. @return as ota_end */
OTTER_MUST_CHECK esp_err_t ota_verify(otter_device_t *device, esp_ota_handle_t handle);

/** Bytes that an open update has taken, those of the one that it goes on with included. */
uint32_t ota_written(otter_device_t *device, esp_ota_handle_t handle);

/** Bytes of the image that an open update has written, if it is there to its last byte by its own account; else 0. */
uint32_t ota_image_len(otter_device_t *device, esp_ota_handle_t handle);

/** The device's own entry for a partition, of the table or registered by the application; NULL if it has none. */
const esp_partition_t *ota_find_partition(const otter_device_t *device, const esp_partition_t *partition);

/** What is written for `final` is an image: an application's or a bootloader's. */
bool ota_is_image(const esp_partition_t *final);

/** The bootloader's rules for an image that is for `final` and lies in `staging`. */
otter_image_rules_t ota_image_rules(const otter_device_t *device, const esp_partition_t *staging,
                                    const esp_partition_t *final);

/** Forgets every open update, as if each were aborted. */
void ota_drop_updates(otter_device_t *device);
