/* I/O inside one partition: each range is checked against the partition, then goes to the flash. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/slot_io.h"

#include "otter/bytes.h"
#include "otter/system.h"

#define ERASE_STEP                                                                                           \
    0x10000u /* bytes, or one sector if that is larger; chips erase a block of this size at once */

/** The table is not trusted: a range must fit its partition, and address + offset must not wrap into another one. */
static esp_err_t check_range(const esp_partition_t *partition, uint32_t offset, uint32_t len)
{
    bool fits = range_fits(offset, len, partition->size) && offset <= UINT32_MAX - partition->address;
    return fits ? ESP_OK : ESP_ERR_INVALID_SIZE;
}

static esp_err_t check_writable(const esp_partition_t *partition, uint32_t offset, uint32_t len)
{
    return partition->readonly ? ESP_ERR_NOT_ALLOWED : check_range(partition, offset, len);
}

esp_err_t ota_read_range(otter_flash_t *flash, const esp_partition_t *partition, uint32_t offset, void *dst,
                         uint32_t len)
{
    esp_err_t err = check_range(partition, offset, len);
    return err == ESP_OK ? otter_flash_read(flash, partition->address + offset, dst, len) : err;
}

esp_err_t ota_program_range(otter_flash_t *flash, const esp_partition_t *partition, uint32_t offset,
                            const void *src, uint32_t len)
{
    esp_err_t err = check_writable(partition, offset, len);
    return err == ESP_OK ? otter_flash_program(flash, partition->address + offset, src, len) : err;
}

esp_err_t ota_program_raw(otter_flash_t *flash, const esp_partition_t *partition, uint32_t offset,
                          const void *src, uint32_t len)
{
    esp_err_t err = check_writable(partition, offset, len);
    return err == ESP_OK ? otter_flash_program_raw(flash, partition->address + offset, src, len) : err;
}

esp_err_t ota_erase_all(otter_flash_t *flash, const esp_partition_t *partition, uint32_t offset, uint32_t len)
{
    esp_err_t err = check_writable(partition, offset, len);
    for (uint32_t done = 0; done < len && err == ESP_OK;) {
        uint32_t step = min_u32(len - done, max_u32(ERASE_STEP, flash->erase_size));
        err = otter_flash_erase(flash, partition->address + offset + done, step);
        otter_system_alive();
        done += step;
    }
    return err;
}

esp_err_t ota_erase_begin(otter_flash_t *flash, const esp_partition_t *partition, uint32_t offset,
                          uint32_t len)
{
    esp_err_t err = check_writable(partition, offset, len);
    return err == ESP_OK ? otter_flash_erase_begin(flash, partition->address + offset, len) : err;
}

esp_err_t ota_erase_range(otter_flash_t *flash, const esp_partition_t *partition, uint32_t offset,
                          uint32_t len)
{
    const uint32_t sector = flash->erase_size;
    esp_err_t err = check_writable(partition, offset, len);
    if (err != ESP_OK) {
        return err;
    }
    if (!flash->stable_reads || ((offset | len) & (sector - 1)) != 0) {
        return ota_erase_all(flash, partition, offset, len);
    }
    for (uint32_t at = offset, end = offset + len; at < end;) {
        uint32_t used = at; /* [at, used) is not blank; nor is what cannot be read */
        while (used < end && !otter_flash_reads_blank(flash, partition->address + used, sector)) {
            used += sector;
        }
        err = ota_erase_all(flash, partition, at, used - at);
        if (err != ESP_OK) {
            return err;
        }
        at = used + (used < end ? sector : 0); /* the one that ended the search is blank */
    }
    return ESP_OK;
}
