/* Which partitions there are, changed at run time: register, deregister, start over. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "esp_partition.h"
#include "flash/external_partitions.h"
#include "flash/partition_list.h"
#include "otter/device.h"
#include "otter/system.h"

static const char TAG[] = "partition";

static void copy_label(char *target, size_t size, const char *label)
{
    for (size_t i = 0; label != NULL && label[i] != '\0' && i < size - 1; i++) {
        target[i] = label[i];
    }
}

esp_err_t esp_partition_register_external(esp_flash_t *flash_chip, size_t offset, size_t size,
                                          const char *label, esp_partition_type_t type,
                                          esp_partition_subtype_t subtype,
                                          const esp_partition_t **out_partition)
{
    if (out_partition != NULL) {
        *out_partition = NULL;
    }
    otter_device_t *device = otter_device_current();
    if (device == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    otter_lock(OTTER_LOCK_LISTS);
    esp_err_t err = device->partitions.status;
    otter_unlock(OTTER_LOCK_LISTS);
    if (err != ESP_OK) {
        return err;
    }
    otter_flash_t *flash = flash_chip != NULL ? flash_chip : device->flash;
    if (otter_flash_check_geometry(flash, NULL) != ESP_OK) {
        return ESP_ERR_INVALID_ARG;
    }
    if (offset > flash->size || size > flash->size - offset) {
        return ESP_ERR_INVALID_SIZE;
    }
    esp_partition_t partition = {.flash_chip = flash,
                                 .type = type,
                                 .subtype = subtype,
                                 .address = (uint32_t)offset,
                                 .size = (uint32_t)size,
                                 .erase_size = flash->erase_size};
    copy_label(partition.label, sizeof(partition.label), label);
    const esp_partition_t *added;
    err = external_partitions_add(device, &partition, &added);
    if (err == ESP_OK && out_partition != NULL) {
        *out_partition = added;
    }
    return err;
}

esp_err_t esp_partition_deregister_external(const esp_partition_t *partition)
{
    otter_device_t *device = otter_device_current();
    if (device == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    for (uint32_t i = 0; i < device->partitions.count; i++) {
        if (&device->partitions.items[i] == partition) {
            return ESP_ERR_INVALID_ARG;
        }
    }
    return external_partitions_remove(device, partition);
}

/** The rows of `fresh` replace the device's, unless what runs would then be nowhere. */
static void take_rows(otter_device_t *device, const otter_partition_list_t *fresh)
{
    const esp_partition_t *running = NULL;
    if (device->running != NULL) {
        running = partition_list_verify(fresh, device->running);
        if (running == NULL) {
            ESP_LOGW(TAG, "the running application is not in the new table: the old rows stay");
            return;
        }
        running = &device->partitions.items[running - fresh->items];
    }
    device->partitions = *fresh;
    device->running = running;
}

void esp_partition_unload_all(void)
{
    otter_device_t *device = otter_device_current();
    if (device == NULL) {
        return;
    }
    external_partitions_clear(device);
    otter_partition_list_t *fresh = malloc(sizeof(*fresh));
    if (fresh == NULL) {
        return; /* the rows that are there are still right */
    }
    otter_lock(OTTER_LOCK_UPDATES); /* open ones write to the rows as they are */
    esp_err_t err = device->updates == NULL
                        ? partition_list_load(fresh, device->flash, device->config.table_offset,
                                              device->config.allow_no_md5, NULL)
                        : ESP_ERR_INVALID_STATE;
    if (err == ESP_OK) {
        otter_lock(OTTER_LOCK_LISTS);
        take_rows(device, fresh);
        otter_unlock(OTTER_LOCK_LISTS);
    } else if (device->updates == NULL) {
        ESP_LOGW(TAG, "the table cannot be loaded (%s): the old rows stay", esp_err_to_name(err));
    }
    otter_unlock(OTTER_LOCK_UPDATES);
    free(fresh);
}
