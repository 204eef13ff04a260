/* I/O inside one partition of a device: bounds against the partition, the read-only flag, and signs of life. */
#include "base/le.h"
#include "otter/system.h"
#include "ota/update_internal.h"

#define ERASE_STEP 0x10000u /* bytes; chips erase a block of this size at once */

/** The table is not trusted: a range must fit its partition, and address + offset must not wrap into another one. */
static esp_err_t check_range(const esp_partition_t *partition, uint32_t offset, uint32_t len)
{
    bool fits = range_fits(offset, len, partition->size) && offset <= UINT32_MAX - partition->address;
    return fits ? ESP_OK : ESP_ERR_INVALID_SIZE;
}

esp_err_t ota_read_range(otter_device_t *device, const esp_partition_t *partition, uint32_t offset, void *dst,
                         uint32_t len)
{
    esp_err_t err = check_range(partition, offset, len);
    return err == ESP_OK ? otter_flash_read(device->flash, partition->address + offset, dst, len) : err;
}

esp_err_t ota_program_range(otter_device_t *device, const esp_partition_t *partition, uint32_t offset,
                            const void *src, uint32_t len)
{
    if (partition->readonly) {
        return ESP_ERR_NOT_ALLOWED;
    }
    esp_err_t err = check_range(partition, offset, len);
    return err == ESP_OK ? otter_flash_program(device->flash, partition->address + offset, src, len) : err;
}

esp_err_t ota_erase_range(otter_device_t *device, const esp_partition_t *partition, uint32_t offset,
                          uint32_t len)
{
    if (partition->readonly) {
        return ESP_ERR_NOT_ALLOWED;
    }
    esp_err_t err = check_range(partition, offset, len);
    for (uint32_t done = 0; done < len && err == ESP_OK;) {
        uint32_t step = min_u32(len - done, ERASE_STEP);
        err = otter_flash_erase(device->flash, partition->address + offset + done, step);
        otter_system_alive();
        done += step;
    }
    return err;
}
