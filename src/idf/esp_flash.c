/* Whole flash chips under ESP-IDF's names: a chip is one partition as large as itself. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_flash.h"

#include "esp_flash_internal.h"
#include "esp_partition.h"
#include "esp_spi_flash.h"
#include "otter/device.h"
#include "otter/system.h"

esp_flash_t *otter_flash_default_chip(void)
{
    const otter_device_t *device = otter_device_current();
    return device != NULL ? device->flash : NULL;
}

/** All of a chip, past its cipher. @return false: there is none */
static bool whole(esp_flash_t *chip, esp_partition_t *all)
{
    chip = chip != NULL ? chip : otter_flash_default_chip();
    if (chip == NULL) {
        return false;
    }
    *all = (esp_partition_t){
        .flash_chip = chip, .size = chip->size, .erase_size = chip->erase_size, .label = "(whole flash)"};
    return true;
}

/** ESP-IDF's chip functions have one code for every wrong argument. */
static esp_err_t chip_code(esp_err_t err)
{
    return err == ESP_ERR_INVALID_SIZE ? ESP_ERR_INVALID_ARG : err;
}

esp_err_t esp_flash_read(esp_flash_t *chip, void *buffer, uint32_t address, uint32_t length)
{
    esp_partition_t all;
    return whole(chip, &all) ? chip_code(esp_partition_read(&all, address, buffer, length))
                             : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_flash_write(esp_flash_t *chip, const void *buffer, uint32_t address, uint32_t length)
{
    esp_partition_t all;
    return whole(chip, &all) ? chip_code(esp_partition_write(&all, address, buffer, length))
                             : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_flash_erase_region(esp_flash_t *chip, uint32_t start, uint32_t len)
{
    esp_partition_t all;
    return whole(chip, &all) ? chip_code(esp_partition_erase_range(&all, start, len)) : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_flash_erase_chip(esp_flash_t *chip)
{
    esp_partition_t all;
    return whole(chip, &all) ? esp_flash_erase_region(chip, 0, all.size) : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_flash_read_encrypted(esp_flash_t *chip, uint32_t address, void *out_buffer, uint32_t length)
{
    esp_partition_t all;
    if (!whole(chip, &all)) {
        return ESP_ERR_INVALID_STATE;
    }
    all.encrypted = true;
    return chip_code(esp_partition_read(&all, address, out_buffer, length));
}

esp_err_t esp_flash_write_encrypted(esp_flash_t *chip, uint32_t address, const void *buffer, uint32_t length)
{
    esp_partition_t all;
    if (!whole(chip, &all)) {
        return ESP_ERR_INVALID_STATE;
    }
    if (all.flash_chip->cipher == NULL) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    if (length % OTTER_FLASH_CIPHER_BLOCK != 0) {
        return ESP_ERR_INVALID_SIZE;
    }
    all.encrypted = true;
    return chip_code(esp_partition_write(&all, address, buffer, length));
}

esp_err_t esp_flash_get_size(esp_flash_t *chip, uint32_t *out_size)
{
    esp_partition_t all;
    if (out_size == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!whole(chip, &all)) {
        return ESP_ERR_INVALID_STATE;
    }
    *out_size = all.size;
    return ESP_OK;
}

esp_err_t esp_flash_get_physical_size(esp_flash_t *chip, uint32_t *flash_size)
{
    return esp_flash_get_size(chip, flash_size);
}

esp_err_t esp_flash_read_id(esp_flash_t *chip, uint32_t *out_id)
{
    (void)chip, (void)out_id;
    return ESP_ERR_NOT_SUPPORTED;
}

esp_err_t esp_flash_read_unique_chip_id(esp_flash_t *chip, uint64_t *out_id)
{
    (void)chip, (void)out_id;
    return ESP_ERR_NOT_SUPPORTED;
}

esp_err_t esp_flash_get_chip_write_protect(esp_flash_t *chip, bool *write_protected)
{
    esp_partition_t all;
    if (write_protected == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *write_protected = false;
    return whole(chip, &all) ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_flash_set_chip_write_protect(esp_flash_t *chip, bool write_protect)
{
    bool unused;
    return write_protect ? ESP_ERR_NOT_SUPPORTED : esp_flash_get_chip_write_protect(chip, &unused);
}

esp_err_t esp_flash_get_protected_region(esp_flash_t *chip, const esp_flash_region_t *region,
                                         bool *out_protected)
{
    return region != NULL ? esp_flash_get_chip_write_protect(chip, out_protected) : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_flash_set_protected_region(esp_flash_t *chip, const esp_flash_region_t *region, bool protect)
{
    return region != NULL ? esp_flash_set_chip_write_protect(chip, protect) : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_flash_get_protectable_regions(const esp_flash_t *chip, const esp_flash_region_t **out_regions,
                                            uint32_t *out_num_regions)
{
    (void)chip;
    if (out_regions == NULL || out_num_regions == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *out_regions = NULL;
    *out_num_regions = 0;
    return ESP_OK;
}

esp_err_t esp_flash_init(esp_flash_t *chip)
{
    (void)chip;
    return ESP_OK;
}

bool esp_flash_chip_driver_initialized(const esp_flash_t *chip)
{
    (void)chip;
    return true;
}

esp_err_t esp_flash_set_dangerous_write_protection(esp_flash_t *chip, bool protect)
{
    if (chip == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    otter_device_t *device = otter_device_current();
    if (device == NULL || chip != device->flash) {
        return ESP_OK; /* there is no guard */
    }
    otter_lock(OTTER_LOCK_LISTS);
    device->guard_lifted = !protect;
    otter_unlock(OTTER_LOCK_LISTS);
    return ESP_OK;
}

/* ---- ESP-IDF 4's names ---- */

void spi_flash_init(void)
{
}

size_t spi_flash_get_chip_size(void)
{
    const esp_flash_t *chip = otter_flash_default_chip();
    return chip != NULL ? chip->size : 0;
}

/** May the range be said in 32 bits? */
static bool fits(size_t at, size_t size)
{
    return at <= UINT32_MAX && size <= UINT32_MAX;
}

esp_err_t spi_flash_read(size_t src_addr, void *dest, size_t size)
{
    return fits(src_addr, size) ? esp_flash_read(NULL, dest, (uint32_t)src_addr, (uint32_t)size)
                                : ESP_ERR_INVALID_ARG;
}

esp_err_t spi_flash_write(size_t dest_addr, const void *src, size_t size)
{
    return fits(dest_addr, size) ? esp_flash_write(NULL, src, (uint32_t)dest_addr, (uint32_t)size)
                                 : ESP_ERR_INVALID_ARG;
}

esp_err_t spi_flash_read_encrypted(size_t src, void *dest, size_t size)
{
    return fits(src, size) ? esp_flash_read_encrypted(NULL, (uint32_t)src, dest, (uint32_t)size)
                           : ESP_ERR_INVALID_ARG;
}

esp_err_t spi_flash_write_encrypted(size_t dest_addr, const void *src, size_t size)
{
    return fits(dest_addr, size) ? esp_flash_write_encrypted(NULL, (uint32_t)dest_addr, src, (uint32_t)size)
                                 : ESP_ERR_INVALID_ARG;
}

esp_err_t spi_flash_erase_sector(size_t sector)
{
    return fits(sector, 0) ? spi_flash_erase_range(sector * SPI_FLASH_SEC_SIZE, SPI_FLASH_SEC_SIZE)
                           : ESP_ERR_INVALID_ARG;
}

esp_err_t spi_flash_erase_range(size_t start_address, size_t size)
{
    return fits(start_address, size) ? esp_flash_erase_region(NULL, (uint32_t)start_address, (uint32_t)size)
                                     : ESP_ERR_INVALID_ARG;
}

esp_err_t spi_flash_mmap(size_t src_addr, size_t size, spi_flash_mmap_memory_t memory, const void **out_ptr,
                         spi_flash_mmap_handle_t *out_handle)
{
    esp_partition_t all;
    if (!whole(NULL, &all)) {
        return ESP_ERR_INVALID_STATE;
    }
    all.encrypted = true; /* what is mapped comes through the cipher, wherever it lies */
    return esp_partition_mmap(&all, src_addr, size, memory, out_ptr, out_handle);
}
