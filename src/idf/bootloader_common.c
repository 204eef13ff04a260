/* ESP-IDF's helpers around otadata and images: the pure functions of src/boot/ and src/image/ on ESP-IDF's structures. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "bootloader_common.h"

#include <string.h>

#include "boot/otadata_flash.h"
#include "esp_efuse.h"
#include "esp_log.h"
#include "esp_partition.h"
#include "image/judge.h"
#include "image/misfit.h"
#include "otter/device.h"
#include "ota/switch.h"

static const char TAG[] = "boot_comm";

/** ESP-IDF's structure holds the record as it lies in flash. */
static otadata_entry_t decode(const esp_ota_select_entry_t *raw)
{
    otadata_entry_t entry;
    otadata_decode((const uint8_t *)raw, &entry);
    return entry;
}

uint32_t bootloader_common_ota_select_crc(const esp_ota_select_entry_t *s)
{
    return s != NULL ? otadata_crc(decode(s).seq) : 0;
}

bool bootloader_common_ota_select_valid(const esp_ota_select_entry_t *s)
{
    if (s == NULL) {
        return false;
    }
    const otadata_entry_t entry = decode(s);
    return otadata_is_valid(&entry);
}

bool bootloader_common_ota_select_invalid(const esp_ota_select_entry_t *s)
{
    if (s == NULL) {
        return true;
    }
    const otadata_entry_t entry = decode(s);
    return otadata_is_refused(&entry);
}

int bootloader_common_get_active_otadata(esp_ota_select_entry_t *two_otadata)
{
    if (two_otadata == NULL) {
        return OTADATA_NONE;
    }
    const otadata_entry_t two[OTADATA_COPY_COUNT] = {decode(&two_otadata[0]), decode(&two_otadata[1])};
    return otadata_active(two);
}

int bootloader_common_select_otadata(const esp_ota_select_entry_t *two_otadata, bool *valid_two_otadata,
                                     bool max)
{
    if (two_otadata == NULL || valid_two_otadata == NULL) {
        return OTADATA_NONE;
    }
    const otadata_entry_t two[OTADATA_COPY_COUNT] = {decode(&two_otadata[0]), decode(&two_otadata[1])};
    return otadata_pick(two, valid_two_otadata, max);
}

esp_err_t bootloader_common_read_otadata(const esp_partition_pos_t *ota_info,
                                         esp_ota_select_entry_t *two_otadata)
{
    const otter_device_t *device = otter_device_current();
    if (ota_info == NULL || two_otadata == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (device == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    otadata_entry_t two[OTADATA_COPY_COUNT];
    esp_err_t err = otadata_read(device->flash, ota_info->offset, ota_info->size, two);
    if (err == ESP_ERR_INVALID_SIZE) {
        return ESP_ERR_INVALID_ARG;
    }
    for (uint32_t copy = 0; copy < OTADATA_COPY_COUNT && err == ESP_OK; copy++) {
        otadata_encode(&two[copy], (uint8_t *)&two_otadata[copy]);
    }
    return err;
}

esp_err_t bootloader_common_get_sha256_of_partition(uint32_t address, uint32_t size, int type,
                                                    uint8_t *out_sha_256)
{
    const otter_device_t *device = otter_device_current();
    if (device == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    const esp_partition_t range = {.flash_chip = device->flash,
                                   .type = (esp_partition_type_t)type,
                                   .address = address,
                                   .size = size,
                                   .erase_size = device->flash->erase_size};
    return esp_partition_get_sha256(&range, out_sha_256);
}

esp_err_t bootloader_common_check_chip_validity(const esp_image_header_t *img_hdr, esp_image_type type)
{
    const otter_device_t *device = otter_device_current();
    if (img_hdr == NULL || device == NULL) {
        return ESP_FAIL;
    }
    esp_image_header_t header;
    otter_image_decode_header((const uint8_t *)img_hdr, &header);
    otter_fault_t fault;
    bool bootloader = type == ESP_IMAGE_BOOTLOADER;
    if (!image_suits_chip(&header, &device->chip, bootloader, true, &fault)) {
        image_log_misfit(&header, &device->chip, bootloader);
        ESP_LOGE(TAG, "%s", fault.why);
        return ESP_FAIL;
    }
    return ESP_OK;
}

esp_err_t bootloader_common_check_efuse_blk_validity(uint32_t min_rev_full, uint32_t max_rev_full)
{
    const otter_device_t *device = otter_device_current();
    const otter_chip_facts_t *facts = device != NULL ? otter_chip_facts(device->chip.id) : NULL;
    if (facts == NULL || min_rev_full > UINT16_MAX || max_rev_full > UINT16_MAX) {
        return ESP_FAIL;
    }
    const uint16_t min = image_blk_minimum((uint16_t)min_rev_full), max = (uint16_t)max_rev_full;
    const image_have_t ours = image_have_blk(&device->chip);
    if (!facts->has_blk_revision || image_revision_suits("eFuse block", min, max, &ours, true, NULL)) {
        return ESP_OK;
    }
    char want[12], have[12];
    const bool too_low = ours.revision < min;
    ESP_LOGE(TAG, "Image requires efuse blk rev %s %s, but chip is %s",
             too_low ? ">=" : "<=", otter_image_revision_text(too_low ? min : max, want),
             otter_image_revision_text(ours.revision, have));
    return ESP_FAIL;
}

uint32_t bootloader_common_get_chip_ver_pkg(void)
{
    return esp_efuse_get_pkg_ver();
}

bool bootloader_common_label_search(const char *list, char *label)
{
    if (list == NULL || label == NULL || label[0] == '\0') {
        return false;
    }
    static const char separators[] = ", ";
    size_t len = strlen(label);
    for (const char *name = list + strspn(list, separators); *name != '\0';
         name += strspn(name, separators)) {
        size_t name_len = strcspn(name, separators);
        if (name_len == len && memcmp(name, label, len) == 0) {
            return true;
        }
        name += name_len;
    }
    return false;
}

bool bootloader_common_check_chip_revision_validity(const esp_image_header_t *img_hdr,
                                                    bool check_max_revision)
{
    const otter_device_t *device = otter_device_current();
    if (img_hdr == NULL || device == NULL) {
        return false;
    }
    esp_image_header_t header;
    otter_image_decode_header((const uint8_t *)img_hdr, &header);
    header.chip_id = (esp_chip_id_t)device->chip.id; /* not asked here */
    image_log_misfit(&header, &device->chip, !check_max_revision);
    return image_suits_chip(&header, &device->chip, !check_max_revision, true, NULL);
}

esp_err_t bootloader_common_get_partition_description(const esp_partition_pos_t *partition,
                                                      esp_app_desc_t *app_desc)
{
    otter_device_t *device = otter_device_current();
    if (partition == NULL || app_desc == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (device == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    const esp_partition_t range = {
        .type = ESP_PARTITION_TYPE_APP, .address = partition->offset, .size = partition->size};
    return otter_ota_get_partition_description(device, &range, app_desc);
}
