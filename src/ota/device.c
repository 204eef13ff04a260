/* Bringing a device up and letting it go. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/device.h"

#include <string.h>

#include "flash/external_partitions.h"
#include "flash/flash_map.h"
#include "flash/partition_list.h"
#include "ota/update.h"
#include "otter/promise.h"

#define DEFAULT_TABLE_OFFSET 0x8000u

esp_err_t otter_device_init(otter_device_t *device, otter_flash_t *flash, const otter_chip_t *chip,
                            const otter_efuse_t *efuse, const otter_device_config_t *config)
{
    memset(device, 0, sizeof(*device));
    device->flash = flash;
    device->chip = *chip;
    device->config = *config;
    if (efuse != NULL) {
        device->efuse = *efuse;
    }
    if (device->config.table_offset == 0) {
        device->config.table_offset = DEFAULT_TABLE_OFFSET;
    }
    /* The list keeps its own status: a device without a readable table exists, it just has no partitions. */
    otter_ignore(partition_list_load(&device->partitions, flash, device->config.table_offset,
                                     device->config.allow_no_md5, &device->fault));
    return device->fault.code;
}

void otter_device_deinit(otter_device_t *device)
{
    update_drop_all(device);
    while (device->maps != NULL) {
        flash_map_t *map = device->maps;
        device->maps = map->next;
        flash_map_close(map);
    }
    external_partitions_clear(device);
    while (device->attached != NULL) {
        otter_attached_t *attached = device->attached;
        device->attached = attached->next;
        attached->drop(attached);
    }
    if (device->flash != NULL && device->flash->partitions == &device->partitions) {
        device->flash->partitions = NULL;
    }
    device->running = NULL;
}
