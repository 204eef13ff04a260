/* What src/ota/update.c shares with downloads, and the I/O inside one partition. */
#pragma once

#include "esp_ota_ops.h"
#include "otter/device.h"

/** The record of a partition, of the table or registered by the application; NULL if the device has none such. */
const esp_partition_t *ota_find_partition(const otter_device_t *device, const esp_partition_t *partition);

/** ota_resume() by the record in the slot's last sector, which stays; otherwise it is forgotten. */
esp_err_t ota_resume_recorded(otter_device_t *device, const esp_partition_t *partition, size_t erase_size,
                              size_t image_offset, esp_ota_handle_t *out_handle);

/** The verdict of ota_end() on an update whose last byte is written, which stays open. @return as ota_end */
esp_err_t ota_verify(otter_device_t *device, esp_ota_handle_t handle);

/** Bytes of the image that an open update has written, if it is there to its last byte by its own account; else 0. */
uint32_t ota_image_len(otter_device_t *device, esp_ota_handle_t handle);

/*
 * I/O inside one partition, in bytes from its start.
 * @return ESP_OK
 *         ESP_ERR_INVALID_SIZE  the range leaves the partition, or is not made of whole sectors (erase)
 *         ESP_ERR_NOT_ALLOWED   program, erase: the partition is read-only
 *         ESP_ERR_FLASH_OP_*
 */
esp_err_t ota_read_range(otter_flash_t *flash, const esp_partition_t *partition, uint32_t offset, void *dst,
                         uint32_t len);
esp_err_t ota_program_range(otter_flash_t *flash, const esp_partition_t *partition, uint32_t offset,
                            const void *src, uint32_t len);

/**
 * Long ranges are erased in steps that show the watchdog a sign of life. Where flash reads stably, sectors that are blank
 * already are left alone.
 */
esp_err_t ota_erase_range(otter_flash_t *flash, const esp_partition_t *partition, uint32_t offset,
                          uint32_t len);

/**
 * The sectors from `offset` (the start of one) on hold `data`, and nothing behind it in the last. Where flash reads stably
 * a sector that holds just that already is left alone, and one that is blank is not erased.
 * @param buf  for reading what is there, `buf_size` bytes; NULL or less than a sector: everything is erased and programmed
 */
esp_err_t ota_replace_range(otter_flash_t *flash, const esp_partition_t *partition, uint32_t offset,
                            const uint8_t *data, uint32_t len, uint8_t *buf, uint32_t buf_size);
