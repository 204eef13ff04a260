/* ESP-IDF's questions about the layout of the main flash, answered from the current device. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_flash_partitions.h"

#include "esp_log.h"
#include "otter/partition_table.h"
#include "otter/device.h"
#include "otter/system.h"

static const char *TAG = "flash_parts";

esp_err_t esp_partition_table_verify(const esp_partition_info_t *partition_table, bool log_errors,
                                     int *num_partitions)
{
    if (partition_table == NULL || num_partitions == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *num_partitions = 0;
    const otter_device_t *device = otter_device_current();
    if (device == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    uint32_t count;
    otter_fault_t fault = {0};
    esp_err_t err =
        otter_partition_table_verify((const uint8_t *)partition_table, device->flash->size, &count, &fault);
    if (err != ESP_OK && log_errors) {
        ESP_LOGE(TAG, "%s", fault.why);
    }
    *num_partitions = (int)count;
    return err;
}

/** True if [addr, addr + size) and the partition share a byte; also where the sum is beyond 32 bits. */
static bool touches(const esp_partition_t *partition, size_t addr, size_t size)
{
    return addr < partition->address ? size > partition->address - addr
                                     : addr - partition->address < partition->size;
}

bool esp_partition_is_flash_region_writable(size_t addr, size_t size)
{
    const otter_device_t *device = otter_device_current();
    bool writable = true;
    otter_lock(OTTER_LOCK_LISTS);
    for (uint32_t i = 0; device != NULL && i < device->partitions.count; i++) {
        const esp_partition_t *row = &device->partitions.items[i];
        writable = writable && !(row->readonly && touches(row, addr, size));
    }
    otter_unlock(OTTER_LOCK_LISTS);
    return writable;
}

bool esp_partition_main_flash_region_safe(size_t addr, size_t size)
{
    const otter_device_t *device = otter_device_current();
    if (device == NULL) {
        return true;
    }
    otter_lock(OTTER_LOCK_LISTS);
    const esp_partition_t *running = device->running;
    bool safe = addr > device->config.table_offset + OTTER_PARTITION_TABLE_LEN &&
                (running == NULL || !touches(running, addr, size));
    otter_unlock(OTTER_LOCK_LISTS);
    return safe;
}
