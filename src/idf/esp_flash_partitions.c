/* The bootloader's table check under its ESP-IDF name: the current device says how large the flash is. */
#include "esp_flash_partitions.h"

#include "esp_log.h"
#include "flash/partition_table.h"
#include "otter/device.h"

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
    char why[128];
    esp_err_t err = partition_table_verify((const uint8_t *)partition_table, device->flash->size, &count, why,
                                           sizeof(why));
    if (err != ESP_OK && log_errors) {
        ESP_LOGE(TAG, "%s", why);
    }
    *num_partitions = (int)count;
    return err;
}
