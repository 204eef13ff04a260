/* The partition list of one device. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "flash/partition_list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "esp_flash_partitions.h"
#include "esp_log.h"
#include "flash/partition_kind.h"
#include "otter/partition_table.h"

static const char TAG[] = "partition";

static void fill_item(esp_partition_t *item, const otter_partition_entry_t *entry, otter_flash_t *flash)
{
    memset(item, 0, sizeof(*item));
    item->flash_chip = flash;
    item->type = (esp_partition_type_t)entry->type;
    item->subtype = (esp_partition_subtype_t)entry->subtype;
    item->address = entry->offset;
    item->size = entry->size;
    item->erase_size = flash->erase_size;
    memcpy(item->label, entry->label, sizeof(item->label));
    item->encrypted = (entry->flags & PART_FLAG_ENCRYPTED) != 0;
    item->readonly = (entry->flags & PART_FLAG_READONLY) != 0;
}

esp_err_t partition_check_flash(const otter_flash_t *flash, otter_fault_t *fault)
{
    if (flash->erase_size > OTTER_FLASH_ERASE_MAX) {
        return otter_fault(fault, ESP_ERR_NOT_SUPPORTED,
                           "the flash erases %" PRIu32 " bytes at once, a device's own flash at most %u",
                           flash->erase_size, OTTER_FLASH_ERASE_MAX);
    }
    return otter_flash_check_geometry(flash, fault);
}

esp_err_t partition_check_sectors(const otter_partition_entry_t *entry, const otter_flash_t *flash,
                                  otter_fault_t *fault)
{
    const bool otadata = kind_is_otadata(entry->type, entry->subtype);
    const uint32_t sector = flash->erase_size;
    if (sector <= SPI_FLASH_SEC_SIZE || (!otadata && !kind_is_slot(entry->type, entry->subtype))) {
        return ESP_OK;
    }
    if (((entry->offset | entry->size) & (sector - 1)) != 0 || (otadata && entry->size < 2 * sector)) {
        return otter_fault(fault, ESP_ERR_NOT_SUPPORTED,
                           "%s (0x%" PRIx32 " bytes at 0x%" PRIx32 ") is not made of %s sectors of %" PRIu32
                           " bytes, which this flash erases at once",
                           entry->label, entry->size, entry->offset, otadata ? "two whole" : "whole", sector);
    }
    return ESP_OK;
}

static esp_err_t take_table(otter_partition_list_t *list, const uint8_t *raw, otter_flash_t *flash,
                            bool allow_no_md5, otter_fault_t *fault)
{
    otter_partition_table_t *table = malloc(sizeof(*table));
    if (table == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = otter_partition_table_decode(raw, table);
    if (err != ESP_OK) {
        goto done;
    }
    if (table->md5 == OTTER_PARTITION_MD5_BAD || table->count > OTTER_PARTITIONS_MAX) {
        err = ESP_ERR_INVALID_STATE;
    } else if (table->md5 == OTTER_PARTITION_MD5_ABSENT && !allow_no_md5) {
        err = ESP_ERR_NOT_FOUND;
    } else {
        for (uint32_t i = 0; i < table->count && err == ESP_OK; i++) {
            fill_item(&list->items[i], &table->entries[i], flash);
            err = partition_check_sectors(&table->entries[i], flash, fault);
        }
        list->count = err == ESP_OK ? table->count : 0;
    }
done:
    free(table);
    return err;
}

static esp_err_t read_table(otter_partition_list_t *list, otter_flash_t *flash, uint32_t table_offset,
                            bool allow_no_md5, otter_fault_t *fault)
{
    esp_err_t err = partition_check_flash(flash, fault);
    if (err != ESP_OK) {
        return err;
    }
    if (table_offset > flash->size || flash->size - table_offset < OTTER_PARTITION_TABLE_SECTOR) {
        return ESP_ERR_INVALID_SIZE;
    }
    uint8_t *raw = malloc(OTTER_PARTITION_TABLE_LEN);
    if (raw == NULL) {
        return ESP_ERR_NO_MEM;
    }
    err = otter_flash_read_torn(flash, table_offset, raw, OTTER_PARTITION_TABLE_LEN);
    if (err == ESP_OK) {
        err = take_table(list, raw, flash, allow_no_md5, fault);
    }
    free(raw);
    return err;
}

esp_err_t partition_list_load(otter_partition_list_t *list, otter_flash_t *flash, uint32_t table_offset,
                              bool allow_no_md5, otter_fault_t *fault)
{
    otter_fault_t why = {0};
    list->count = 0;
    list->status = read_table(list, flash, table_offset, allow_no_md5, &why);
    if (why.code != ESP_OK) {
        ESP_LOGE(TAG, "%s", why.why);
        otter_fault(fault, why.code, "%s", why.why);
    }
    return list->status;
}

bool partition_matches(const esp_partition_t *item, esp_partition_type_t type,
                       esp_partition_subtype_t subtype, const char *label)
{
    if (type == ESP_PARTITION_TYPE_ANY && subtype != ESP_PARTITION_SUBTYPE_ANY) {
        return false; /* a subtype means nothing without its type */
    }
    return (type == ESP_PARTITION_TYPE_ANY || type == item->type) &&
           (subtype == ESP_PARTITION_SUBTYPE_ANY || subtype == item->subtype) &&
           (label == NULL || strcmp(label, item->label) == 0);
}

const esp_partition_t *partition_list_find(const otter_partition_list_t *list, const esp_partition_t *after,
                                           esp_partition_type_t type, esp_partition_subtype_t subtype,
                                           const char *label)
{
    bool passed = after == NULL;
    for (uint32_t i = 0; i < list->count; i++) {
        if (passed && partition_matches(&list->items[i], type, subtype, label)) {
            return &list->items[i];
        }
        passed = passed || &list->items[i] == after;
    }
    return NULL;
}

bool partition_is_at_place_of(const esp_partition_t *a, const esp_partition_t *b)
{
    return a->flash_chip == b->flash_chip && a->address == b->address && a->size == b->size &&
           a->encrypted == b->encrypted;
}

const esp_partition_t *partition_list_verify(const otter_partition_list_t *list,
                                             const esp_partition_t *partition)
{
    const char *label = partition->label[0] != '\0' ? partition->label : NULL;
    const esp_partition_t *item = NULL;
    do {
        item = partition_list_find(list, item, partition->type, partition->subtype, label);
    } while (item != NULL && !partition_is_at_place_of(item, partition));
    return item;
}
