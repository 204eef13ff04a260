/* ESP-IDF's OTA names on the one current device, one call at a time; what they do is in src/ota/. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_ota_ops.h"

#include "esp_log.h"
#include "flash/external_partitions.h"
#include "idf/device_current.h"
#include "image/judge.h"
#include "image/misfit.h"
#include "ota/switch.h"
#include "ota/update.h"
#include "otter/image.h"
#include "otter/system.h"

static const char TAG[] = "esp_ota_ops";

/** The current device, to this task alone until it leaves; NULL: there is none. */
static otter_device_t *enter(void)
{
    otter_lock(OTTER_LOCK_UPDATES);
    return device_or_complain("esp_ota_ops");
}

static esp_err_t leave(esp_err_t result)
{
    otter_unlock(OTTER_LOCK_UPDATES);
    return result;
}

static const esp_partition_t *leave_with(const esp_partition_t *found)
{
    otter_unlock(OTTER_LOCK_UPDATES);
    return found;
}

/** Updates and images are on the device's flash only; a registered partition may be on another. */
static bool is_elsewhere(const otter_device_t *device, const esp_partition_t *partition)
{
    return external_partitions_contain(device, partition) && partition->flash_chip != device->flash;
}

esp_err_t esp_ota_begin(const esp_partition_t *partition, size_t image_size, esp_ota_handle_t *out_handle)
{
    otter_device_t *device = enter();
    return leave(device != NULL ? ota_begin(device, partition, image_size, out_handle)
                                : ESP_ERR_INVALID_STATE);
}

esp_err_t esp_ota_resume(const esp_partition_t *partition, const size_t erase_size, const size_t image_offset,
                         esp_ota_handle_t *out_handle)
{
    otter_device_t *device = enter();
    return leave(device != NULL ? ota_resume(device, partition, erase_size, image_offset, out_handle)
                                : ESP_ERR_INVALID_STATE);
}

esp_err_t esp_ota_write(esp_ota_handle_t handle, const void *data, size_t size)
{
    otter_device_t *device = enter();
    return leave(device != NULL ? ota_write(device, handle, data, size) : ESP_ERR_INVALID_STATE);
}

esp_err_t esp_ota_write_with_offset(esp_ota_handle_t handle, const void *data, size_t size, uint32_t offset)
{
    otter_device_t *device = enter();
    return leave(device != NULL ? ota_write_with_offset(device, handle, data, size, offset)
                                : ESP_ERR_INVALID_STATE);
}

esp_err_t esp_ota_end(esp_ota_handle_t handle)
{
    otter_device_t *device = enter();
    return leave(device != NULL ? ota_end(device, handle) : ESP_ERR_INVALID_STATE);
}

esp_err_t esp_ota_abort(esp_ota_handle_t handle)
{
    otter_device_t *device = enter();
    return leave(device != NULL ? ota_abort(device, handle) : ESP_ERR_INVALID_STATE);
}

esp_err_t esp_ota_set_final_partition(esp_ota_handle_t handle, const esp_partition_t *final,
                                      bool finalize_with_copy)
{
    otter_device_t *device = enter();
    return leave(device != NULL ? ota_set_final_partition(device, handle, final, finalize_with_copy)
                                : ESP_ERR_INVALID_STATE);
}

esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition)
{
    otter_device_t *device = enter();
    return leave(device != NULL ? otter_ota_set_boot_partition(device, partition, NULL)
                                : ESP_ERR_INVALID_STATE);
}

const esp_partition_t *esp_ota_get_boot_partition(void)
{
    otter_device_t *device = enter();
    return leave_with(device != NULL ? otter_ota_get_boot_partition(device) : NULL);
}

const esp_partition_t *esp_ota_get_running_partition(void)
{
    otter_device_t *device = enter();
    return leave_with(device != NULL ? device->running : NULL);
}

const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *start_from)
{
    otter_device_t *device = enter();
    return leave_with(device != NULL ? otter_ota_get_next_update_partition(device, start_from) : NULL);
}

esp_err_t esp_ota_get_partition_description(const esp_partition_t *partition, esp_app_desc_t *app_desc)
{
    otter_device_t *device = enter();
    if (device == NULL) {
        return leave(ESP_ERR_INVALID_STATE);
    }
    return leave(is_elsewhere(device, partition)
                     ? ESP_ERR_NOT_SUPPORTED
                     : otter_ota_get_partition_description(device, partition, app_desc));
}

esp_err_t esp_ota_get_bootloader_description(const esp_partition_t *bootloader_partition,
                                             esp_bootloader_desc_t *desc)
{
    otter_device_t *device = enter();
    if (device == NULL) {
        return leave(ESP_ERR_INVALID_STATE);
    }
    return leave(is_elsewhere(device, bootloader_partition)
                     ? ESP_ERR_NOT_SUPPORTED
                     : otter_ota_get_bootloader_description(device, bootloader_partition, desc));
}

uint8_t esp_ota_get_app_partition_count(void)
{
    otter_device_t *device = enter();
    uint8_t count = device != NULL ? otter_ota_get_app_partition_count(device) : 0;
    otter_unlock(OTTER_LOCK_UPDATES);
    return count;
}

esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition, esp_ota_img_states_t *ota_state)
{
    otter_device_t *device = enter();
    return leave(device != NULL ? otter_ota_get_state_partition(device, partition, ota_state)
                                : ESP_ERR_INVALID_STATE);
}

const esp_partition_t *esp_ota_get_last_invalid_partition(void)
{
    otter_device_t *device = enter();
    return leave_with(device != NULL ? otter_ota_get_last_invalid_partition(device) : NULL);
}

esp_err_t esp_ota_mark_app_valid_cancel_rollback(void)
{
    otter_device_t *device = enter();
    return leave(device != NULL ? otter_ota_mark_app_valid_cancel_rollback(device, NULL)
                                : ESP_ERR_INVALID_STATE);
}

esp_err_t esp_ota_mark_app_invalid_rollback(void)
{
    otter_device_t *device = enter();
    return leave(device != NULL ? otter_ota_mark_app_invalid_rollback(device, NULL) : ESP_ERR_INVALID_STATE);
}

bool esp_ota_check_rollback_is_possible(void)
{
    otter_device_t *device = enter();
    bool possible = device != NULL && otter_ota_check_rollback_is_possible(device);
    otter_unlock(OTTER_LOCK_UPDATES);
    return possible;
}

esp_err_t esp_ota_erase_last_boot_app_partition(void)
{
    otter_device_t *device = enter();
    return leave(device != NULL ? otter_ota_erase_last_boot_app_partition(device) : ESP_ERR_INVALID_STATE);
}

esp_err_t esp_ota_invalidate_inactive_ota_data_slot(void)
{
    otter_device_t *device = enter();
    return leave(device != NULL ? otter_ota_invalidate_inactive_ota_data_slot(device)
                                : ESP_ERR_INVALID_STATE);
}

static esp_err_t check_head(const otter_device_t *device, bool bootloader, const esp_image_header_t *img_hdr,
                            const esp_app_desc_t *app_desc)
{
    esp_image_header_t header;
    otter_fault_t fault;
    otter_image_decode_header((const uint8_t *)img_hdr, &header);
    if (!image_suits_chip(&header, &device->chip, bootloader, true, &fault)) {
        image_log_misfit(&header, &device->chip, bootloader);
        ESP_LOGE(TAG, "%s", fault.why);
        return ESP_ERR_INVALID_VERSION;
    }
    const uint8_t ours = esp_app_get_description()->spi_flash_mode;
    if (app_desc != NULL && app_desc->spi_flash_mode != 0 && ours != 0 && app_desc->spi_flash_mode != ours) {
        ESP_LOGE(TAG, "SPI flash mode mismatch, expected %u, found %u", ours, app_desc->spi_flash_mode);
        return ESP_ERR_OTA_SPI_MODE_MISMATCH;
    }
    return ESP_OK;
}

esp_err_t esp_ota_check_image_validity(esp_partition_type_t part_type, const esp_image_header_t *img_hdr,
                                       const esp_app_desc_t *app_desc)
{
    const bool bootloader = part_type == ESP_PARTITION_TYPE_BOOTLOADER;
    if (img_hdr == NULL || (!bootloader && part_type != ESP_PARTITION_TYPE_APP)) {
        return ESP_ERR_INVALID_ARG;
    }
    const otter_device_t *device = enter();
    return leave(device != NULL ? check_head(device, bootloader, img_hdr, app_desc) : ESP_ERR_INVALID_STATE);
}

const esp_app_desc_t *esp_ota_get_app_description(void)
{
    return esp_app_get_description();
}

int esp_ota_get_app_elf_sha256(char *dst, size_t size)
{
    return esp_app_get_elf_sha256(dst, size);
}
