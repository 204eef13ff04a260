/* The partition list of one device. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "flash/partition_list.h"

#include <inttypes.h>
#include <string.h>

#include "esp_flash_partitions.h"
#include "esp_log.h"
#include "flash/partition_kind.h"
#include "otter/partition_table.h"

static const char TAG[] = "partition";

esp_err_t partition_check_flash(const otter_flash_t *flash, otter_fault_t *fault)
{
    if (flash->erase_size > OTTER_FLASH_ERASE_MAX) {
        return otter_fault(fault, ESP_ERR_NOT_SUPPORTED,
                           "the flash erases %" PRIu32 " bytes at once, a device's own flash at most %u",
                           flash->erase_size, OTTER_FLASH_ERASE_MAX);
    }
    esp_err_t err = otter_flash_check_geometry(flash, fault);
    if (err == ESP_OK && flash->write_size > OTTER_FLASH_UNIT_MAX) {
        err = otter_fault(fault, ESP_ERR_NOT_SUPPORTED,
                          "the flash writes %" PRIu32 " bytes at once, a device's own flash at most %u",
                          flash->write_size, OTTER_FLASH_UNIT_MAX);
    }
    return err;
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

/** A list being loaded. */
typedef struct {
    otter_partition_list_t *list;
    otter_flash_t *flash;
    otter_fault_t *fault;
} load_t;

static void add_item(void *arg, uint32_t index, const otter_partition_entry_t *entry)
{
    load_t *load = arg;
    otter_partition_list_t *list = load->list;
    if (index < OTTER_PARTITIONS_MAX) {
        const bool encrypted =
            load->flash->cipher != NULL &&
            ((entry->flags & PART_FLAG_ENCRYPTED) != 0 || kind_is_encrypted(entry->type, entry->subtype));
        list->items[index] = (esp_partition_t){.flash_chip = load->flash,
                                               .erase_size = load->flash->erase_size,
                                               .type = (esp_partition_type_t)entry->type,
                                               .subtype = (esp_partition_subtype_t)entry->subtype,
                                               .address = entry->offset,
                                               .size = entry->size,
                                               .encrypted = encrypted,
                                               .readonly = (entry->flags & PART_FLAG_READONLY) != 0};
        memcpy(list->items[index].label, entry->label, sizeof(list->items[index].label));
    }
    list->count = index + 1;
    if (load->fault->code == ESP_OK) {
        otter_ignore(partition_check_sectors(entry, load->flash, load->fault)); /* kept there */
    }
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
    load_t load = {.list = list, .flash = flash, .fault = fault};
    const otter_partition_taker_t taker = {add_item, &load};
    otter_partition_md5_t md5;
    err = otter_partition_table_decode_at(flash, table_offset, &taker, &md5);
    if (err != ESP_OK) {
        return err;
    }
    list->proven = md5 == OTTER_PARTITION_MD5_GOOD;
    if (md5 == OTTER_PARTITION_MD5_BAD || list->count > OTTER_PARTITIONS_MAX) {
        return ESP_ERR_INVALID_STATE;
    }
    if (!list->proven && !allow_no_md5) {
        return ESP_ERR_NOT_FOUND;
    }
    return list->proven || fault->code == ESP_OK ? fault->code : ESP_ERR_INVALID_STATE;
}

esp_err_t partition_list_load(otter_partition_list_t *list, otter_flash_t *flash, uint32_t table_offset,
                              bool allow_no_md5, otter_fault_t *fault)
{
    otter_fault_t why = {0};
    list->count = 0;
    list->proven = false;
    list->boot_end = table_offset + OTTER_PARTITION_TABLE_SECTOR;
    if (flash->cipher != NULL) {
        flash->partitions = list;
    }
    list->status = read_table(list, flash, table_offset, allow_no_md5, &why);
    if (why.code != ESP_OK && why.code == list->status) {
        ESP_LOGE(TAG, "%s", why.why);
        otter_fault(fault, why.code, "%s", why.why);
    }
    if (list->status != ESP_OK) {
        list->count = 0;
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

const esp_partition_t *otter_partition_list_find(const otter_partition_list_t *list,
                                                 const esp_partition_t *after, esp_partition_type_t type,
                                                 esp_partition_subtype_t subtype, const char *label)
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
        item = otter_partition_list_find(list, item, partition->type, partition->subtype, label);
    } while (item != NULL && !partition_is_at_place_of(item, partition));
    return item;
}
