/* The check of a new partition table against what the device lives by. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/table_update.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/le.h"
#include "esp_flash_partitions.h"
#include "flash/partition_kind.h"

static bool touches(const otter_partition_entry_t *entry, uint32_t off, uint32_t len)
{
    return ranges_overlap(entry->offset, entry->size, off, len);
}

static esp_err_t check_kept(const otter_partition_table_t *table, const esp_partition_t *kept,
                            otter_fault_t *fault)
{
    bool found = false;
    for (uint32_t i = 0; i < table->count; i++) {
        const otter_partition_entry_t *entry = &table->entries[i];
        if (entry->type == kept->type && entry->subtype == kept->subtype && entry->offset == kept->address &&
            entry->size == kept->size) {
            found = true;
        } else if (touches(entry, kept->address, kept->size)) {
            return otter_fault(fault, ESP_ERR_NOT_ALLOWED,
                               "the new table's %s at 0x%" PRIx32 " covers %s, which is in use", entry->label,
                               entry->offset, kept->label);
        }
    }
    if (!found) {
        return otter_fault(fault, ESP_ERR_NOT_ALLOWED,
                           "the new table does not hold %s at 0x%" PRIx32 ", which is in use", kept->label,
                           kept->address);
    }
    return ESP_OK;
}

static esp_err_t check_own_place(const otter_device_t *device, const otter_partition_table_t *table,
                                 otter_fault_t *fault)
{
    uint32_t place = device->config.table_offset;
    for (uint32_t i = 0; i < table->count; i++) {
        const otter_partition_entry_t *entry = &table->entries[i];
        bool self = kind_is_primary_table(entry->type, entry->subtype) && entry->offset == place;
        if (!self && touches(entry, place, OTTER_PARTITION_TABLE_SECTOR)) {
            return otter_fault(fault, ESP_ERR_NOT_ALLOWED, "the new table's %s covers the table's own place",
                               entry->label);
        }
    }
    return ESP_OK;
}

static esp_err_t check_decoded(const otter_device_t *device, const otter_partition_table_t *table,
                               const esp_partition_t *const *keep, uint32_t keep_count, otter_fault_t *fault)
{
    if (table->md5 != OTTER_PARTITION_MD5_GOOD && !device->config.allow_no_md5) {
        return otter_fault(fault, ESP_ERR_INVALID_STATE,
                           "the new table has no MD5 record: the application would see no partitions");
    }
    esp_err_t err = check_own_place(device, table, fault);
    for (uint32_t i = 0; i < keep_count && err == ESP_OK; i++) {
        err = keep[i] != NULL ? check_kept(table, keep[i], fault) : ESP_OK;
    }
    return err;
}

esp_err_t table_update_check(const otter_device_t *device, const uint8_t raw[OTTER_PARTITION_TABLE_LEN],
                             const esp_partition_t *const *keep, uint32_t keep_count, otter_fault_t *fault)
{
    uint32_t count;
    esp_err_t err = otter_partition_table_verify(raw, device->flash->size, &count, fault);
    if (err != ESP_OK) {
        return err;
    }
    otter_partition_table_t *table = malloc(sizeof(*table));
    if (table == NULL) {
        return ESP_ERR_NO_MEM;
    }
    err = otter_partition_table_decode(raw, table);
    if (err == ESP_OK) {
        err = check_decoded(device, table, keep, keep_count, fault);
    }
    free(table);
    return err;
}
