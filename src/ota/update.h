/* The update session: esp_ota_begin/write/end on a device that the caller names. */
#pragma once

#include "esp_ota_ops.h"
#include "otter/device.h"

/*
 * Each function is ESP-IDF's of the same name with the device in front: arguments, order of checks and codes are those
 * documented in include/esp_ota_ops.h, whose functions (src/idf/esp_ota_ops.c) only add the current device. Where several
 * tasks use one device, whoever calls one holds OTTER_LOCK_UPDATES.
 */
esp_err_t ota_begin(otter_device_t *device, const esp_partition_t *partition, size_t image_size,
                    esp_ota_handle_t *out_handle);
esp_err_t ota_resume(otter_device_t *device, const esp_partition_t *partition, size_t erase_size,
                     size_t image_offset, esp_ota_handle_t *out_handle);
esp_err_t ota_write(otter_device_t *device, esp_ota_handle_t handle, const void *data, size_t size);
esp_err_t ota_write_with_offset(otter_device_t *device, esp_ota_handle_t handle, const void *data,
                                size_t size, uint32_t offset);
esp_err_t ota_end(otter_device_t *device, esp_ota_handle_t handle);
esp_err_t ota_abort(otter_device_t *device, esp_ota_handle_t handle);
esp_err_t ota_set_final_partition(otter_device_t *device, esp_ota_handle_t handle,
                                  const esp_partition_t *final, bool finalize_with_copy);

/** Forgets every open update, as if each were aborted. */
void ota_drop_updates(otter_device_t *device);
