/* ESP-IDF's image functions: the image layer asked about the current device. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_image_format.h"

#include <string.h>

#include "boot/trust.h"
#include "esp_log.h"
#include "otter/image.h"
#include "image/misfit.h"
#include "otter/device.h"

static const char *const TAG = "esp_image";

/** Set by the application. While it is not set, the chip's own offset counts. */
static struct {
    bool is_set;
    uint32_t value;
} bootloader_offset;

uint32_t esp_image_bootloader_offset_get(void)
{
    const otter_device_t *device = otter_device_current();
    if (bootloader_offset.is_set || device == NULL) {
        return bootloader_offset.value;
    }
    const otter_chip_facts_t *facts = otter_chip_facts(device->chip.id);
    return facts != NULL ? facts->bootloader_offset : 0;
}

void esp_image_bootloader_offset_set(const uint32_t offset)
{
    bootloader_offset.is_set = true;
    bootloader_offset.value = offset;
}

static void fill_metadata(esp_image_metadata_t *data, const otter_image_info_t *info, uint32_t start)
{
    data->start_addr = start;
    data->image = info->header;
    memcpy(data->segments, info->segments, sizeof(data->segments));
    for (uint32_t i = 0; i < info->segments_seen; i++) {
        data->segment_data[i] = start + info->segment_data[i];
    }
    data->image_len = info->image_len;
    memcpy(data->image_digest, info->digest, sizeof(data->image_digest));
    data->secure_version = info->has_desc ? info->desc.secure_version : 0;
    data->mmu_page_size = info->mmu_page_size;
}

static esp_err_t judge(const esp_partition_pos_t *part, bool no_checks, bool silent,
                       esp_image_metadata_t *data)
{
    if (data == NULL || part == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    memset(data, 0, sizeof(*data));
    otter_device_t *device = otter_device_current();
    if (device == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    otter_image_rules_t rules = {
        .chip = &device->chip,
        .flash_offset = part->offset,
        .size = part->size,
        .no_checks = no_checks,
        .bootloader = part->offset == esp_image_bootloader_offset_get(),
    };
    rules.trust = trust_to_update(device, rules.bootloader);
    otter_image_info_t info;
    otter_fault_t fault = {0};
    esp_err_t err = otter_image_verify(device->flash, &rules, &info, &fault);
    if (err == ESP_OK) {
        fill_metadata(data, &info, part->offset);
    } else if (!silent || err == ESP_FAIL) {
        image_log_misfit_at(device->flash, part->offset, &device->chip, rules.bootloader);
        ESP_LOGE(TAG, "image at 0x%x: %s", (unsigned)part->offset, fault.why);
    }
    return err;
}

esp_err_t esp_image_verify(esp_image_load_mode_t mode, const esp_partition_pos_t *part,
                           esp_image_metadata_t *data)
{
    return judge(part, false, mode == ESP_IMAGE_VERIFY_SILENT, data);
}

esp_err_t esp_image_get_metadata(const esp_partition_pos_t *part, esp_image_metadata_t *metadata)
{
    return judge(part, true, false, metadata);
}

esp_err_t esp_image_verify_bootloader_data(esp_image_metadata_t *data)
{
    const otter_device_t *device = otter_device_current();
    if (data == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (device == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    esp_partition_pos_t part = {.offset = esp_image_bootloader_offset_get()};
    if (part.offset < device->config.table_offset) { /* the bootloader may reach up to the table */
        part.size = device->config.table_offset - part.offset;
    }
    return esp_image_verify(ESP_IMAGE_VERIFY, &part, data);
}

esp_err_t esp_image_verify_bootloader(uint32_t *length)
{
    esp_image_metadata_t data;
    esp_err_t err = esp_image_verify_bootloader_data(&data);
    if (length != NULL) {
        *length = err == ESP_OK ? data.image_len : 0;
    }
    return err;
}

int esp_image_get_flash_size(esp_image_flash_size_t app_flash_size)
{
    unsigned code = (unsigned)app_flash_size;
    return code < ESP_IMAGE_FLASH_SIZE_MAX ? 0x100000 << code : 0;
}
