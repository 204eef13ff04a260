/* otadata in flash. The only place that programs a record: every state change of the device goes through here. */
#include "boot/otadata_flash.h"

esp_err_t otadata_read(otter_flash_t *flash, uint32_t offset, uint32_t size,
                       otadata_entry_t two[OTADATA_COPY_COUNT])
{
    if (size < OTADATA_SIZE_MIN) {
        return ESP_ERR_INVALID_SIZE;
    }
    for (uint32_t copy = 0; copy < OTADATA_COPY_COUNT; copy++) {
        uint8_t raw[OTADATA_ENTRY_SIZE];
        esp_err_t err = otter_flash_read(flash, offset + copy * OTADATA_COPY_DISTANCE, raw, sizeof(raw));
        if (err != ESP_OK) {
            return err;
        }
        otadata_decode(raw, &two[copy]);
    }
    return ESP_OK;
}

esp_err_t otadata_erase_copy(otter_flash_t *flash, uint32_t offset, uint32_t copy)
{
    esp_err_t err = otter_flash_sync(flash);
    if (err != ESP_OK) {
        return err;
    }
    const uint32_t place = offset + copy * OTADATA_COPY_DISTANCE;
    if (flash->stable_reads && otter_flash_reads_blank(flash, place, OTADATA_COPY_DISTANCE)) {
        return ESP_OK;
    }
    err = otter_flash_erase(flash, place, OTADATA_COPY_DISTANCE);
    return err == ESP_OK ? otter_flash_sync(flash) : err;
}

esp_err_t otadata_write_copy(otter_flash_t *flash, uint32_t offset, uint32_t copy,
                             const otadata_entry_t *entry)
{
    esp_err_t err = otadata_erase_copy(flash, offset, copy);
    if (err != ESP_OK) {
        return err;
    }
    uint8_t raw[OTADATA_ENTRY_SIZE];
    otadata_encode(entry, raw);
    err = otter_flash_program(flash, offset + copy * OTADATA_COPY_DISTANCE, raw, sizeof(raw));
    return err == ESP_OK ? otter_flash_sync(flash) : err;
}

esp_err_t otadata_refresh_copy(otter_flash_t *flash, uint32_t offset, uint32_t copy,
                               const otadata_entry_t *entry)
{
    uint8_t raw[OTADATA_ENTRY_SIZE];
    otadata_encode(entry, raw);
    esp_err_t err = otter_flash_program(flash, offset + copy * OTADATA_COPY_DISTANCE, raw, sizeof(raw));
    return err == ESP_OK ? otter_flash_sync(flash) : err;
}
