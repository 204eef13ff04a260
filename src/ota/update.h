/* The update session behind otter/update.h, for the other files of this layer; and with handles, as ESP-IDF has it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_ota_ops.h"
#include "otter/promise.h"
#include "otter/update.h"

/*
 * otter_update_begin() and otter_update_resume() on flash with any write unit.
 * @param tail         as slot_writer_begin(); lives as long as the update
 * @param keep_record  the one in the slot's last sector is what is gone on by, and stays; otherwise it is forgotten
 */
OTTER_MUST_CHECK esp_err_t update_begin(otter_update_t *update, otter_device_t *device,
                                        const esp_partition_t *partition, size_t image_size, uint8_t *tail,
                                        otter_fault_t *fault);
OTTER_MUST_CHECK esp_err_t update_resume(otter_update_t *update, otter_device_t *device,
                                         const esp_partition_t *partition, size_t erase_size,
                                         size_t image_offset, bool keep_record, uint8_t *tail,
                                         otter_fault_t *fault);

/**
 * What slot_writer_prepare() does for the next bytes, once a write has begun to erase.
 * @return bytes that a write can take without waiting for another erase, at least 1; UINT32_MAX: it does not wait for any
 */
uint32_t update_prepare(otter_update_t *update);

/** Closes every open update of a device, as if each were aborted. */
void update_drop_all(otter_device_t *device);

/*
 * handles.c: each function is ESP-IDF's of the same name with the device in front, whose fault tells why one failed. Where
 * several tasks use one device, whoever calls one holds OTTER_LOCK_UPDATES.
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
