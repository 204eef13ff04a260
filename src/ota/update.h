/* The update session: esp_ota_begin/write/end and the otadata calls of ESP-IDF on a device that the caller names. */
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
esp_err_t ota_set_boot_partition(otter_device_t *device, const esp_partition_t *partition);
const esp_partition_t *ota_get_boot_partition(otter_device_t *device);
const esp_partition_t *ota_get_next_update_partition(otter_device_t *device,
                                                     const esp_partition_t *start_from);
esp_err_t ota_get_partition_description(otter_device_t *device, const esp_partition_t *partition,
                                        esp_app_desc_t *app_desc);
esp_err_t ota_get_bootloader_description(otter_device_t *device, const esp_partition_t *partition,
                                         esp_bootloader_desc_t *desc);
esp_err_t ota_get_state_partition(otter_device_t *device, const esp_partition_t *partition,
                                  esp_ota_img_states_t *ota_state);
const esp_partition_t *ota_get_last_invalid_partition(otter_device_t *device);
uint8_t ota_get_app_partition_count(otter_device_t *device);
bool ota_check_rollback_is_possible(otter_device_t *device);
esp_err_t ota_mark_app_valid_cancel_rollback(otter_device_t *device);
esp_err_t ota_mark_app_invalid_rollback(otter_device_t *device);
esp_err_t ota_erase_last_boot_app_partition(otter_device_t *device);
esp_err_t ota_invalidate_inactive_ota_data_slot(otter_device_t *device);

/** Forgets every open update, as if each were aborted. */
void ota_drop_updates(otter_device_t *device);

/** Why the last ota_end or ota_set_boot_partition of this device said VALIDATE_FAILED; "" if none did. */
const char *ota_last_reason(const otter_device_t *device);
