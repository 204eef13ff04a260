/*
 * What a partition is to an update: whether it may be written now, whether it may be the goal of a copy, and by whose rules the
 * image in it is judged.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/update_target.h"

#include "boot/copy_journal.h"
#include "boot/staged_copy.h"
#include "boot/trust.h"
#include "esp_log.h"
#include "flash/external_partitions.h"
#include "flash/partition_kind.h"
#include "flash/partition_list.h"
#include "otter/partition_table.h"
#include "ota/switch.h"

static const char TAG[] = "esp_ota_ops";

const esp_partition_t *ota_find_partition(const otter_device_t *device, const esp_partition_t *partition)
{
    const esp_partition_t *row = partition_list_verify(&device->partitions, partition);
    return row != NULL ? row : external_partitions_verify(device, partition);
}

bool ota_is_registered(const otter_device_t *device, const esp_partition_t *partition)
{
    return partition_list_verify(&device->partitions, partition) == NULL;
}

bool ota_is_same_partition(const esp_partition_t *a, const esp_partition_t *b)
{
    return a == b || (a->type == b->type && a->subtype == b->subtype && partition_is_at_place_of(a, b));
}

otter_update_t *update_of(const otter_device_t *device, const esp_partition_t *partition)
{
    otter_update_t *u = device->updates;
    while (u != NULL && !ota_is_same_partition(u->staging, partition) &&
           !(u->copy_to_final && ota_is_same_partition(u->final, partition))) {
        u = u->next;
    }
    return u;
}

bool ota_is_image(const esp_partition_t *final)
{
    // A session and a download have their partitions: NOLINTNEXTLINE(clang-analyzer-core.NullDereference)
    return final->type == ESP_PARTITION_TYPE_APP || final->type == ESP_PARTITION_TYPE_BOOTLOADER;
}

otter_image_rules_t ota_image_rules(const otter_device_t *device, const esp_partition_t *staging,
                                    const esp_partition_t *final)
{
    const bool app = final->type == ESP_PARTITION_TYPE_APP;
    return (otter_image_rules_t){.chip = &device->chip,
                                 .flash_offset = staging->address,
                                 .size = staging->size,
                                 .loading = app,
                                 .hashed = app && device->config.require_hash,
                                 .bootloader = !app,
                                 .trust = trust_to_update(device, !app)};
}

esp_err_t update_refuse(otter_fault_t *fault, esp_err_t code, const char *format, const char *label)
{
    otter_fault_t own = {0};
    otter_fault_t *to = fault != NULL ? fault : &own;
    otter_fault(to, code, format, label);
    ESP_LOGE(TAG, "%s", to->why);
    return code;
}

/** Of the two bootloaders one is whole at any time, if there are two. */
static esp_err_t check_bootloader(otter_device_t *device, const esp_partition_t *partition,
                                  otter_fault_t *fault)
{
    const bool starts = kind_starts_devices(partition->type, partition->subtype);
    for (const otter_update_t *u = device->updates; u != NULL && starts; u = u->next) {
        if (kind_starts_devices(u->staging->type, u->staging->subtype) &&
            !ota_is_same_partition(u->staging, partition)) {
            return update_refuse(fault, ESP_ERR_OTA_ALREADY_IN_PROGRESS,
                                 "%s has to wait: the other bootloader is written", partition->label);
        }
    }
    if (kind_is_primary_bootloader(partition->type, partition->subtype) &&
        !staged_copy_boots_without_primary(device)) {
        return update_refuse(
            fault, ESP_ERR_NOT_ALLOWED,
            "%s is the only copy: stage the update in another partition, to be copied at the end",
            partition->label);
    }
    if (partition->subtype == ESP_PARTITION_SUBTYPE_BOOTLOADER_RECOVERY &&
        otter_chip_is_espressif(device->chip.id) &&
        !staged_copy_bootloader_is_whole(device, ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY, true)) {
        return update_refuse(fault, ESP_ERR_NOT_ALLOWED,
                             "%s is what starts this device: the primary bootloader is not whole",
                             partition->label);
    }
    return ESP_OK;
}

/**
 * What an application has registered, which the boot step does not know: data anywhere but at the place of bootloader and
 * table, and the primary bootloader.
 */
static esp_err_t check_registered(otter_device_t *device, const esp_partition_t *partition,
                                  otter_fault_t *fault)
{
    if (kind_is_primary_bootloader(partition->type, partition->subtype)) {
        return ESP_OK;
    }
    if (partition->type != ESP_PARTITION_TYPE_DATA) {
        return update_refuse(fault, ESP_ERR_NOT_FOUND, "%s is not in the partition table", partition->label);
    }
    if (partition->flash_chip == device->flash &&
        partition->address < device->config.table_offset + OTTER_PARTITION_TABLE_SECTOR) {
        return update_refuse(fault, ESP_ERR_NOT_ALLOWED,
                             "%s covers the place of bootloader and partition table", partition->label);
    }
    return ESP_OK;
}

static esp_err_t check_app(otter_device_t *device, const esp_partition_t *partition, otter_fault_t *fault)
{
    if (!otter_ota_is_slot(partition)) {
        return otter_fault(fault, ESP_ERR_INVALID_ARG, "%s is no update slot", partition->label);
    }
    if (ota_is_running(device, partition)) {
        return otter_fault(fault, ESP_ERR_OTA_PARTITION_CONFLICT, "%s is what runs", partition->label);
    }
    return ota_check_fallback(device, partition, fault);
}

static esp_err_t check_kind(otter_device_t *device, const esp_partition_t *partition, otter_fault_t *fault)
{
    if (partition->type == ESP_PARTITION_TYPE_APP) {
        return check_app(device, partition, fault);
    }
    if (partition->type == ESP_PARTITION_TYPE_BOOTLOADER) {
        return check_bootloader(device, partition, fault);
    }
    if (device->config.emulated_efuses != NULL &&
        kind_is_emulated_efuse(partition->type, partition->subtype)) {
        return update_refuse(fault, ESP_ERR_NOT_ALLOWED,
                             "%s holds the device's secure version, which never goes back", partition->label);
    }
    return kind_is_primary_table(partition->type, partition->subtype)
               ? update_refuse(
                     fault, ESP_ERR_NOT_ALLOWED,
                     "%s is the only copy: stage the update in another partition, to be copied at the end",
                     partition->label)
               : ESP_OK;
}

esp_err_t update_check_target(otter_device_t *device, const esp_partition_t *partition, otter_fault_t *fault)
{
    if ((partition->address & (partition->flash_chip->erase_size - 1)) != 0) {
        return update_refuse(fault, ESP_ERR_NOT_SUPPORTED, "%s does not begin with a sector of its flash",
                             partition->label);
    }
    esp_err_t err =
        ota_is_registered(device, partition) ? check_registered(device, partition, fault) : ESP_OK;
    if (err == ESP_OK) {
        err = check_kind(device, partition, fault);
    }
    if (err != ESP_OK) {
        return err;
    }
    const otter_update_t *update = update_of(device, partition);
    /* Callers begin, fail to connect, and begin again: a session that has written nothing gives way to the next one. */
    bool may = update == NULL || (ota_is_same_partition(update->staging, partition) && !update->used);
    return may ? ESP_OK
               : otter_fault(fault, ESP_ERR_OTA_ALREADY_IN_PROGRESS, "another update is writing %s",
                             partition->label);
}

esp_err_t update_check_final(const otter_update_t *update, const esp_partition_t *final, otter_fault_t *fault)
{
    otter_device_t *device = update->device;
    otter_fault_t own = {0}, *to = fault != NULL ? fault : &own;
    if (ota_is_registered(device, final) || ota_is_registered(device, update->staging)) {
        return update_refuse(
            fault, ESP_ERR_NOT_SUPPORTED,
            "%s: the boot step knows the table only, and could not finish a copy that was cut",
            ota_is_registered(device, final) ? final->label : update->staging->label);
    }
    if (device->config.copies == NULL) {
        return update_refuse(fault, ESP_ERR_NOT_SUPPORTED,
                             "%s: this program has no staged copies (otter_staged_copies)", final->label);
    }
    esp_err_t err = device->config.copies->check(device, update->staging, final, 0, device->running, to);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "%s", to->why);
        return err;
    }
    err = final->type == ESP_PARTITION_TYPE_APP ? ota_check_fallback(device, final, fault) : ESP_OK;
    if (err != ESP_OK) {
        return err;
    }
    /* An update that asks for the same final twice does not stand in its own way. */
    return !ota_is_same_partition(final, update->final) && update_of(device, final) != NULL
               ? ESP_ERR_OTA_ALREADY_IN_PROGRESS
               : ESP_OK;
}
