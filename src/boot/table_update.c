/* The check of a new partition table against what the device lives by. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/table_update.h"

#include <inttypes.h>
#include <stdio.h>

#include "otter/bytes.h"
#include "esp_flash_partitions.h"
#include "flash/partition_kind.h"

static bool touches(const otter_partition_entry_t *entry, uint32_t off, uint32_t len)
{
    return ranges_overlap(entry->offset, entry->size, off, len);
}

/** One look at all entries of the new table. */
typedef struct {
    const otter_device_t *device;
    const esp_partition_t *kept; /* NULL: the look is at the table's own place */
    bool found;
    otter_fault_t *fault;
    esp_err_t err;
} look_t;

static void check_kept(void *arg, uint32_t index, const otter_partition_entry_t *entry)
{
    look_t *look = arg;
    const esp_partition_t *kept = look->kept;
    (void)index;
    if (entry->type == kept->type && entry->subtype == kept->subtype && entry->offset == kept->address &&
        entry->size == kept->size) {
        look->found = true;
    } else if (touches(entry, kept->address, kept->size) && look->err == ESP_OK) {
        look->err = otter_fault(look->fault, ESP_ERR_NOT_ALLOWED,
                                "the new table's %s at 0x%" PRIx32 " covers %s, which is in use",
                                entry->label, entry->offset, kept->label);
    }
}

static void check_own_place(void *arg, uint32_t index, const otter_partition_entry_t *entry)
{
    look_t *look = arg;
    uint32_t place = look->device->config.table_offset;
    bool self = kind_is_primary_table(entry->type, entry->subtype) && entry->offset == place;
    (void)index;
    if (!self && touches(entry, place, OTTER_PARTITION_TABLE_SECTOR) && look->err == ESP_OK) {
        look->err = otter_fault(look->fault, ESP_ERR_NOT_ALLOWED,
                                "the new table's %s covers the table's own place", entry->label);
    }
}

/** @param kept  NULL: the table's own place */
static esp_err_t look_at(const otter_device_t *device, uint32_t offset, const esp_partition_t *kept,
                         otter_fault_t *fault)
{
    look_t look = {.device = device, .kept = kept, .fault = fault};
    const otter_partition_taker_t taker = {kept != NULL ? check_kept : check_own_place, &look};
    otter_partition_md5_t md5;
    esp_err_t err = otter_partition_table_decode_at(device->flash, offset, &taker, &md5);
    if (err != ESP_OK) {
        return err;
    }
    if (md5 != OTTER_PARTITION_MD5_GOOD && !device->config.allow_no_md5) {
        return otter_fault(fault, ESP_ERR_INVALID_STATE,
                           "the new table has no MD5 record: the application would see no partitions");
    }
    if (look.err != ESP_OK) {
        return look.err;
    }
    if (kept != NULL && !look.found) {
        return otter_fault(fault, ESP_ERR_NOT_ALLOWED,
                           "the new table does not hold %s at 0x%" PRIx32 ", which is in use", kept->label,
                           kept->address);
    }
    return ESP_OK;
}

esp_err_t table_update_check(const otter_device_t *device, uint32_t offset,
                             const esp_partition_t *const *keep, uint32_t keep_count, otter_fault_t *fault)
{
    esp_err_t err = otter_partition_table_verify_at(device->flash, offset, device->flash->size, NULL, fault);
    if (err == ESP_OK) {
        err = look_at(device, offset, NULL, fault);
    }
    for (uint32_t i = 0; i < keep_count && err == ESP_OK; i++) {
        err = keep[i] != NULL ? look_at(device, offset, keep[i], fault) : ESP_OK;
    }
    return err;
}
