/*
 * The update session: one open update writes one partition and knows, when the last byte is in flash, whether what is
 * there is an image.
 *
 * Invariants
 * 1. Nothing outside the staging partition is programmed or erased, except otadata at begin (ota_release_slot, and with
 *    rollback the record of the slot before the running one), and the final partition once the journal of its copy is
 *    durable (staged_copy_run).
 * 2. What is on flash when a write returns is the slot writer's promise (slot_writer.h).
 * 3. The verdict is about bytes that were read back from flash: by the follower while they came, or all of them at the end
 *    when they came in another order or a write failed half-way (image_follower_verify).
 * 4. Every handle is in device->updates exactly while it is open, and no open handle has the number 0.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/switch.h"
#include "ota/update.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/le.h"
#include "boot/copy_journal.h"
#include "boot/staged_copy.h"
#include "boot/trust.h"
#include "esp_log.h"
#include "flash/external_partitions.h"
#include "flash/partition_kind.h"
#include "flash/partition_list.h"
#include "otter/partition_table.h"
#include "otter/image.h"
#include "image/misfit.h"
#include "otter/system.h"
#include "ota/image_follower.h"
#include "ota/resume_record.h"
#include "ota/slot_io.h"
#include "ota/slot_writer.h"

static const char TAG[] = "esp_ota_ops";

struct ota_update {
    struct ota_update *next;
    esp_ota_handle_t handle;
    /** What is written: a row of the table, or `registered`. */
    const esp_partition_t *staging;
    /** What the bytes are, and where they go if they are copied: a row of the table, or `meant`. */
    const esp_partition_t *final;
    /** Partitions of the application's, which may be gone before the update is. */
    esp_partition_t registered, meant;
    bool copy_to_final;
    bool resumed;
    bool used;          /* a write has touched flash, or may have */
    uint32_t image_len; /* of a judged image */
    slot_writer_t writer;
    image_follower_t follower;
    io_buffer_t buffer; /* for both */
};

/* ---- the list of open updates ---- */

/** The link that points to the update, or to NULL at the end of the list. */
static struct ota_update **find_link(otter_device_t *device, esp_ota_handle_t handle)
{
    struct ota_update **link = &device->updates;
    while (*link != NULL && (*link)->handle != handle) {
        link = &(*link)->next;
    }
    return link;
}

static struct ota_update *find_update(otter_device_t *device, esp_ota_handle_t handle)
{
    return *find_link(device, handle);
}

static void free_update(struct ota_update *update)
{
    slot_writer_end(&update->writer);
    image_follower_end(&update->follower);
    free(update->buffer.bytes);
    free(update);
}

static void close_update(otter_device_t *device, esp_ota_handle_t handle)
{
    struct ota_update **link = find_link(device, handle), *update = *link;
    *link = update->next;
    free_update(update);
}

void ota_drop_updates(otter_device_t *device)
{
    while (device->updates != NULL) {
        close_update(device, device->updates->handle);
    }
}

static bool is_same(const esp_partition_t *a, const esp_partition_t *b)
{
    return a == b || (a->type == b->type && a->subtype == b->subtype && partition_is_at_place_of(a, b));
}

/** The update that stands in the way of another one to `partition`, NULL: none. */
static const struct ota_update *update_of(const otter_device_t *device, const esp_partition_t *partition)
{
    const struct ota_update *u = device->updates;
    while (u != NULL && !is_same(u->staging, partition) &&
           !(u->copy_to_final && is_same(u->final, partition))) {
        u = u->next;
    }
    return u;
}

/* ---- begin ---- */

const esp_partition_t *ota_find_partition(const otter_device_t *device, const esp_partition_t *partition)
{
    const esp_partition_t *row = partition_list_verify(&device->partitions, partition);
    return row != NULL ? row : external_partitions_verify(device, partition);
}

static bool is_registered(const otter_device_t *device, const esp_partition_t *partition)
{
    return partition_list_verify(&device->partitions, partition) == NULL;
}

static esp_err_t refuse(otter_device_t *device, esp_err_t code, const char *format, const char *label)
    __attribute__((format(printf, 3, 0)));
static esp_err_t refuse(otter_device_t *device, esp_err_t code, const char *format, const char *label)
{
    otter_fault(&device->fault, code, format, label);
    ESP_LOGE(TAG, "%s", device->fault.why);
    return code;
}

/** Of the two bootloaders one is whole at any time, if there are two. */
static esp_err_t check_bootloader(otter_device_t *device, const esp_partition_t *partition)
{
    const bool starts = kind_starts_devices(partition->type, partition->subtype);
    for (const struct ota_update *u = device->updates; u != NULL && starts; u = u->next) {
        if (kind_starts_devices(u->staging->type, u->staging->subtype) && !is_same(u->staging, partition)) {
            return refuse(device, ESP_ERR_OTA_ALREADY_IN_PROGRESS,
                          "%s has to wait: the other bootloader is written", partition->label);
        }
    }
    if (kind_is_primary_bootloader(partition->type, partition->subtype) &&
        !staged_copy_boots_without_primary(device)) {
        return refuse(device, ESP_ERR_NOT_ALLOWED,
                      "%s is the only copy: stage the update in another partition, to be copied at the end",
                      partition->label);
    }
    if (partition->subtype == ESP_PARTITION_SUBTYPE_BOOTLOADER_RECOVERY &&
        otter_chip_is_espressif(device->chip.id) &&
        !staged_copy_bootloader_is_whole(device, ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY, true)) {
        return refuse(device, ESP_ERR_NOT_ALLOWED,
                      "%s is what starts this device: the primary bootloader is not whole", partition->label);
    }
    return ESP_OK;
}

/**
 * What an application has registered, which the boot step does not know: data anywhere but at the place of bootloader and
 * table, and the primary bootloader.
 */
static esp_err_t check_registered(otter_device_t *device, const esp_partition_t *partition)
{
    if (kind_is_primary_bootloader(partition->type, partition->subtype)) {
        return ESP_OK;
    }
    if (partition->type != ESP_PARTITION_TYPE_DATA) {
        return refuse(device, ESP_ERR_NOT_FOUND, "%s is not in the partition table", partition->label);
    }
    if (partition->flash_chip == device->flash &&
        partition->address < device->config.table_offset + OTTER_PARTITION_TABLE_SECTOR) {
        return refuse(device, ESP_ERR_NOT_ALLOWED, "%s covers the place of bootloader and partition table",
                      partition->label);
    }
    return ESP_OK;
}

/** May `partition`, a record of the device's list or a registered one, be overwritten now? */
static esp_err_t check_target(otter_device_t *device, const esp_partition_t *partition)
{
    esp_err_t allowed = is_registered(device, partition) ? check_registered(device, partition) : ESP_OK;
    if (allowed == ESP_OK && partition->type == ESP_PARTITION_TYPE_BOOTLOADER) {
        allowed = check_bootloader(device, partition);
    } else if (allowed == ESP_OK && kind_is_primary_table(partition->type, partition->subtype)) {
        allowed =
            refuse(device, ESP_ERR_NOT_ALLOWED,
                   "%s is the only copy: stage the update in another partition, to be copied at the end",
                   partition->label);
    }
    if (allowed != ESP_OK) {
        return allowed;
    }
    if (partition->type == ESP_PARTITION_TYPE_APP) {
        if (!ota_is_slot(partition)) {
            return ESP_ERR_INVALID_ARG;
        }
        if (ota_is_running(device, partition)) {
            return ESP_ERR_OTA_PARTITION_CONFLICT;
        }
        esp_err_t err = ota_check_fallback(device, partition);
        if (err != ESP_OK) {
            return err;
        }
    }
    const struct ota_update *update = update_of(device, partition);
    /* Callers begin, fail to connect, and begin again: a session that has written nothing gives way to the next one. */
    bool may = update == NULL || (is_same(update->staging, partition) && !update->used);
    return may ? ESP_OK : ESP_ERR_OTA_ALREADY_IN_PROGRESS;
}

/** One of ESP-IDF's two constants of 32 bits, which also reach us sign-extended from int; no other size is one. */
static bool is_constant(size_t size, uint32_t constant)
{
    return size == constant || size == (size_t)(int32_t)constant;
}

/** Bytes to erase at begin. @return ESP_OK, ESP_ERR_INVALID_SIZE: the image does not fit */
static esp_err_t bytes_to_erase(const esp_partition_t *partition, size_t image_size, uint32_t *len)
{
    if (is_constant(image_size, OTA_WITH_SEQUENTIAL_WRITES)) {
        *len = 0;
    } else if (image_size == 0 || is_constant(image_size, OTA_SIZE_UNKNOWN)) {
        *len = partition->size;
    } else if (image_size > partition->size) {
        return ESP_ERR_INVALID_SIZE;
    } else {
        *len = align_up_u32((uint32_t)image_size, partition->flash_chip->erase_size);
    }
    return *len <= partition->size ? ESP_OK : ESP_ERR_INVALID_SIZE;
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
                                 .trust = device_trust(device, TRUST_TO_UPDATE, !app)};
}

/** What is written will be judged by the bootloader's rules for `final`. */
static void set_final(const otter_device_t *device, struct ota_update *update, const esp_partition_t *final)
{
    update->final = final;
    if (!ota_is_image(update->final)) {
        image_follower_end(&update->follower);
        update->follower = (image_follower_t){0};
        return;
    }
    const otter_image_rules_t rules = ota_image_rules(device, update->staging, final);
    image_follower_begin(&update->follower, update->staging, &rules, &update->buffer);
}

/** @param at  position of the first byte */
static struct ota_update *new_update(const otter_device_t *device, const esp_partition_t *staging,
                                     bool erase_ahead, uint32_t at)
{
    struct ota_update *update = calloc(1, sizeof(*update));
    if (update == NULL) {
        return NULL;
    }
    update->registered = *staging;
    update->staging = is_registered(device, staging) ? &update->registered : staging;
    if (slot_writer_begin(&update->writer, update->staging, erase_ahead, at, &update->buffer) != ESP_OK) {
        free(update);
        return NULL;
    }
    set_final(device, update, update->staging);
    return update;
}

/** Nothing boots `partition` or copies into it any more; a copy that was staged in it is finished. */
static esp_err_t take_out_of_use(otter_device_t *device, const esp_partition_t *partition)
{
    if (partition->readonly) {
        return ESP_ERR_NOT_ALLOWED;
    }
    if (is_registered(device, partition)) {
        return ESP_OK; /* nothing that boots or copies knows it */
    }
    esp_err_t err = staged_copy_release(device, partition);
    return err == ESP_OK && ota_is_slot(partition) ? ota_release_slot(device, partition) : err;
}

/** Takes the slot out of use, then erases what is to be erased now. */
static esp_err_t prepare_slot(otter_device_t *device, const esp_partition_t *partition, uint32_t erase_len,
                              bool keep_record)
{
    esp_err_t err = take_out_of_use(device, partition);
    if (err == ESP_OK && ota_is_slot(partition) && !keep_record) {
        err = resume_record_forget(device, partition);
    }
    if (err == ESP_OK && ota_is_slot(partition) && device->config.rollback) {
        /* The slot being overwritten stops being a rollback target; that there is none is no error. */
        err = ota_invalidate_inactive_ota_data_slot(device);
        err = err == ESP_FAIL ? ESP_OK : err;
    }
    return err == ESP_OK ? ota_erase_range(partition->flash_chip, partition, 0, erase_len) : err;
}

/** Prepares the slot and gives the update its handle, or frees it. check_target() has allowed it. */
static esp_err_t open_update(otter_device_t *device, struct ota_update *update, uint32_t erase_len,
                             bool keep_record, esp_ota_handle_t *out_handle)
{
    const esp_partition_t *staging = update->staging;
    const struct ota_update *unused = update_of(device, staging);
    if (unused != NULL) {
        ESP_LOGW(TAG, "the open update of %s has written nothing and is replaced", staging->label);
        device->replaced_handle = unused->handle;
        close_update(device, unused->handle);
    }
    esp_err_t err = prepare_slot(device, staging, erase_len, keep_record);
    if (err != ESP_OK) {
        free_update(update);
        return err;
    }
    do {
        device->last_update_handle++;
    } while (device->last_update_handle == 0 || find_update(device, device->last_update_handle) != NULL);
    update->handle = device->last_update_handle;
    update->next = device->updates;
    device->updates = update;
    device->fault = (otter_fault_t){0};
    *out_handle = update->handle;
    return ESP_OK;
}

esp_err_t ota_begin(otter_device_t *device, const esp_partition_t *partition, size_t image_size,
                    esp_ota_handle_t *out_handle)
{
    if (partition == NULL || out_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    partition = ota_find_partition(device, partition);
    if (partition == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    uint32_t erase_len;
    esp_err_t err = check_target(device, partition);
    if (err == ESP_OK) {
        err = bytes_to_erase(partition, image_size, &erase_len);
    }
    if (err != ESP_OK) {
        return err;
    }
    struct ota_update *update =
        new_update(device, partition, is_constant(image_size, OTA_WITH_SEQUENTIAL_WRITES), 0);
    if (update == NULL) {
        return ESP_ERR_NO_MEM;
    }
    return open_update(device, update, erase_len, false, out_handle);
}

static esp_err_t resume(otter_device_t *device, const esp_partition_t *partition, size_t erase_size,
                        size_t image_offset, bool keep_record, esp_ota_handle_t *out_handle)
{
    if (partition == NULL || out_handle == NULL || image_offset > partition->size) {
        return ESP_ERR_INVALID_ARG;
    }
    partition = partition_list_verify(&device->partitions, partition);
    if (partition == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    if (!ota_is_slot(partition) || image_offset % device->flash->write_size != 0) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = check_target(device, partition);
    if (err != ESP_OK) {
        return err;
    }
    struct ota_update *update = new_update(
        device, partition, is_constant(erase_size, OTA_WITH_SEQUENTIAL_WRITES), (uint32_t)image_offset);
    if (update == NULL) {
        return ESP_ERR_NO_MEM;
    }
    update->resumed = true;
    return open_update(device, update, 0, keep_record, out_handle);
}

esp_err_t ota_resume(otter_device_t *device, const esp_partition_t *partition, size_t erase_size,
                     size_t image_offset, esp_ota_handle_t *out_handle)
{
    return resume(device, partition, erase_size, image_offset, false, out_handle);
}

esp_err_t ota_resume_recorded(otter_device_t *device, const esp_partition_t *partition, size_t erase_size,
                              size_t image_offset, esp_ota_handle_t *out_handle)
{
    return resume(device, partition, erase_size, image_offset, true, out_handle);
}

/* ---- write ---- */

/** The very first bytes show at once that something else was sent. */
static bool starts_right(const struct ota_update *update, const uint8_t *data, size_t size)
{
    if (ota_is_image(update->final)) {
        return data[0] == ESP_IMAGE_HEADER_MAGIC;
    }
    if (update->final->type == ESP_PARTITION_TYPE_PARTITION_TABLE) {
        return data[0] == (ESP_PARTITION_MAGIC & 0xFF) && (size < 2 || data[1] == ESP_PARTITION_MAGIC >> 8);
    }
    return true;
}

/** Room for bytes: all of staging; of a copy as much as final has, and without the last sector, where the journal goes. */
static uint32_t room_of(const otter_device_t *device, const struct ota_update *update)
{
    uint32_t size = update->staging->size;
    return update->copy_to_final
               ? min_u32(size - min_u32(size, copy_journal_size(device->flash)), update->final->size)
               : size;
}

/**
 * What comes from outside must not pass for the journal of a copy: it would be followed at the next boot, whether the rest is
 * an image or not. Looked at before it is in flash, together with what is there or on its way there already.
 */
static esp_err_t check_no_journal(otter_device_t *device, const struct ota_update *update, uint32_t at,
                                  const uint8_t *data, uint32_t size)
{
    const esp_partition_t *staging = update->staging;
    uint8_t over[4], both[4]; /* the data programmed into erased flash, and on top of what is there */
    const slot_writer_t *writer = &update->writer;
    uint32_t sector = copy_journal_size(staging->flash_chip), place = staging->size - sector;
    if (!copy_journal_may_lie_in(staging->type, staging->subtype) || staging->size < sector ||
        !ranges_overlap(at, size, place, sizeof(over))) {
        return ESP_OK;
    }
    esp_err_t err = ota_read_range(staging->flash_chip, staging, place, over, sizeof(over));
    for (uint32_t i = 0; i < sizeof(over) && err == ESP_OK; i++) {
        uint32_t pos = place + i, tail_pos = slot_writer_on_flash(writer);
        if (pos >= tail_pos && pos - tail_pos < writer->tail_len) {
            over[i] = writer->tail[pos - tail_pos];
        }
        both[i] = over[i];
        if (pos >= at && pos - at < size) {
            over[i] = data[pos - at];
            both[i] &= data[pos - at];
        }
    }
    if (err == ESP_OK && (copy_journal_has_magic(over) || copy_journal_has_magic(both))) {
        return refuse(device, ESP_ERR_OTA_VALIDATE_FAILED,
                      "%s: the last sector would pass for the journal of a copy", staging->label);
    }
    return err;
}

/**
 * Where a hash is required, an image that has none never comes to lie in a slot as a whole: refused at the end it would still
 * be there, and the bootloader, which asks for none, could fall back to it.
 */
static esp_err_t check_hash_flag(otter_device_t *device, const struct ota_update *update, uint32_t at,
                                 const uint8_t *data, uint32_t size)
{
    const uint32_t flag = offsetof(esp_image_header_t, hash_appended);
    if (!device->config.require_hash || update->final->type != ESP_PARTITION_TYPE_APP || at > flag ||
        size <= flag - at || data[flag - at] != 0) {
        return ESP_OK;
    }
    otter_fault(&device->fault, ESP_ERR_OTA_VALIDATE_FAILED,
                "the image has no SHA-256, which this device requires");
    ESP_LOGE(TAG, "%s", device->fault.why);
    return device->fault.code;
}

/** What must not reach flash, whatever comes after it. */
static esp_err_t check_bytes(otter_device_t *device, const struct ota_update *update, uint32_t at,
                             const uint8_t *data, uint32_t size)
{
    esp_err_t err = check_hash_flag(device, update, at, data, size);
    return err == ESP_OK ? check_no_journal(device, update, at, data, size) : err;
}

/** The update that bytes are for. @return NULL: a write ends with *err, which is ESP_OK if there are none */
static struct ota_update *update_for_bytes(otter_device_t *device, esp_ota_handle_t handle, const void *data,
                                           size_t size, esp_err_t *err)
{
    struct ota_update *update = data != NULL && size > 0 ? find_update(device, handle) : NULL;
    *err = data != NULL && size == 0 ? ESP_OK : ESP_ERR_INVALID_ARG;
    if (data == NULL) {
        ESP_LOGE(TAG, "write data is invalid");
    } else if (update == NULL && size > 0) {
        ESP_LOGE(TAG, "not found the handle");
        *err = handle != 0 && handle == device->replaced_handle ? ESP_ERR_NOT_FOUND : ESP_ERR_INVALID_ARG;
    }
    return update;
}

static void log_wrong_start(const struct ota_update *update, const uint8_t *data, size_t size)
{
    if (update->final->type == ESP_PARTITION_TYPE_PARTITION_TABLE) {
        ESP_LOGE(TAG, "Partition table image has invalid magic word (expected 0x50AA, saw 0x%02x%02x)",
                 size > 1 ? data[1] : 0, data[0]);
    } else {
        ESP_LOGE(TAG, "OTA image has invalid magic byte (expected 0xE9, saw 0x%02x)", data[0]);
    }
}

esp_err_t ota_write(otter_device_t *device, esp_ota_handle_t handle, const void *data, size_t size)
{
    esp_err_t err;
    struct ota_update *update = update_for_bytes(device, handle, data, size, &err);
    if (update == NULL) {
        return err;
    }
    slot_writer_t *writer = &update->writer;
    if (writer->written == 0 && !starts_right(update, data, size)) {
        log_wrong_start(update, data, size);
        return ESP_ERR_OTA_VALIDATE_FAILED;
    }
    uint32_t room = room_of(device, update);
    if (writer->written > room || size > room - writer->written) {
        return ESP_ERR_INVALID_SIZE;
    }
    err = check_bytes(device, update, writer->written, data, (uint32_t)size);
    if (err != ESP_OK) {
        return err;
    }
    update->used = true;
    err = slot_writer_append(writer, data, (uint32_t)size);
    if (err == ESP_OK && writer->in_order) {
        image_follower_sectors(&update->follower, slot_writer_on_flash(writer));
    }
    return err;
}

esp_err_t ota_write_with_offset(otter_device_t *device, esp_ota_handle_t handle, const void *data,
                                size_t size, uint32_t offset)
{
    esp_err_t err;
    struct ota_update *update = update_for_bytes(device, handle, data, size, &err);
    if (update == NULL) {
        return err;
    }
    if (update->writer.erase_ahead || update->writer.tail_len != 0) {
        return ESP_ERR_INVALID_STATE;
    }
    if (size > update->staging->size ||
        (update->copy_to_final && !range_fits(offset, (uint32_t)size, room_of(device, update)))) {
        return ESP_ERR_INVALID_SIZE;
    }
    err = check_bytes(device, update, offset, data, (uint32_t)size);
    if (err != ESP_OK) {
        return err;
    }
    update->used = true;
    return slot_writer_put(&update->writer, offset, data, (uint32_t)size);
}

/** May `final`, a record of the device's list, be what staging is copied to? Known before anything is downloaded. */
static esp_err_t check_final(otter_device_t *device, const struct ota_update *update,
                             const esp_partition_t *final)
{
    device->fault = (otter_fault_t){0};
    if (is_registered(device, final) || is_registered(device, update->staging)) {
        return refuse(device, ESP_ERR_NOT_SUPPORTED,
                      "%s: the boot step knows the table only, and could not finish a copy that was cut",
                      is_registered(device, final) ? final->label : update->staging->label);
    }
    esp_err_t err = staged_copy_check(device, update->staging, final, 0, device->running, &device->fault);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "%s", device->fault.why);
        return err;
    }
    err = final->type == ESP_PARTITION_TYPE_APP ? ota_check_fallback(device, final) : ESP_OK;
    if (err != ESP_OK) {
        return err;
    }
    /* An update that asks for the same final twice does not stand in its own way. */
    return !is_same(final, update->final) && update_of(device, final) != NULL
               ? ESP_ERR_OTA_ALREADY_IN_PROGRESS
               : ESP_OK;
}

esp_err_t ota_set_final_partition(otter_device_t *device, esp_ota_handle_t handle,
                                  const esp_partition_t *final, bool finalize_with_copy)
{
    if (final == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    struct ota_update *update = find_update(device, handle);
    if (update == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    if (update->writer.written != 0 && !update->resumed) {
        return ESP_ERR_INVALID_STATE;
    }
    final = ota_find_partition(device, final);
    if (final == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    if (is_same(final, update->staging)) {
        return ESP_OK;
    }
    esp_err_t err = finalize_with_copy ? check_final(device, update, final) : ESP_OK;
    if (err != ESP_OK) {
        return err;
    }
    update->meant = *final;
    set_final(device, update, is_registered(device, final) ? &update->meant : final);
    update->copy_to_final = finalize_with_copy;
    ESP_LOGI(TAG, "Staging partition - <%s>. Final partition - <%s>.", update->staging->label, final->label);
    return ESP_OK;
}

/* ---- end ---- */

uint32_t ota_written(otter_device_t *device, esp_ota_handle_t handle)
{
    const struct ota_update *update = find_update(device, handle);
    return update != NULL ? update->writer.written : 0;
}

uint32_t ota_image_len(otter_device_t *device, esp_ota_handle_t handle)
{
    struct ota_update *update = find_update(device, handle);
    bool complete = update != NULL && update->writer.in_order &&
                    image_follower_is_complete(&update->follower, slot_writer_on_flash(&update->writer));
    return complete ? update->follower.stream.info.image_len : 0;
}

static esp_err_t judge_table(otter_device_t *device, const struct ota_update *update)
{
    uint8_t raw[OTTER_PARTITION_TABLE_LEN];
    uint32_t count;
    esp_err_t err = ota_read_range(update->staging->flash_chip, update->staging, 0, raw, sizeof(raw));
    if (err == ESP_OK) {
        err = otter_partition_table_verify(raw, device->flash->size, &count, &device->fault);
    }
    return err;
}

/** Is what lies in staging what it should be? @return ESP_OK, ESP_ERR_NO_MEM, ESP_ERR_OTA_VALIDATE_FAILED */
static esp_err_t judge(otter_device_t *device, struct ota_update *update)
{
    esp_err_t err = ESP_OK;
    device->fault = (otter_fault_t){0};
    if (ota_is_image(update->final)) {
        const bool compared = update->final->type == ESP_PARTITION_TYPE_APP; /* a bootloader's hash is not */
        const otter_trust_t trust = device_trust(device, TRUST_TO_UPDATE, !compared);
        err = image_follower_verify(&update->follower, update->writer.in_order, &trust, &update->image_len,
                                    &device->fault);
        if (err == ESP_OK) {
            image_log_signed(&trust);
        }
        if (err == ESP_OK && compared && update->staging->flash_chip == device->flash) {
            device->verified = update->follower.watch;
            device->verified_by = trust;
        }
    } else if (update->final->type == ESP_PARTITION_TYPE_PARTITION_TABLE) {
        err = judge_table(device, update);
    }
    if (err == ESP_OK || err == ESP_ERR_NO_MEM) {
        return err;
    }
    if (device->fault.why[0] == '\0') {
        otter_fault(&device->fault, err, "%s", esp_err_to_name(err));
    }
    if (err == ESP_FAIL && ota_is_image(update->final)) {
        image_log_misfit_at(update->staging->flash_chip, update->staging->address, &device->chip,
                            update->final->type == ESP_PARTITION_TYPE_BOOTLOADER);
    }
    image_log_fault(update->staging->address, device->fault.why);
    ESP_LOGE(TAG, "New image failed verification");
    ESP_LOGE(TAG, "%s: %s", update->staging->label, device->fault.why);
    return ESP_ERR_OTA_VALIDATE_FAILED;
}

/** The judged bytes go where they belong, with a journal: see staged_copy_run(). */
static esp_err_t copy_to_final(otter_device_t *device, const struct ota_update *update)
{
    const esp_partition_t *final = update->final;
    uint32_t len = max_u32(update->writer.end, update->image_len);
    if (final->type == ESP_PARTITION_TYPE_PARTITION_TABLE) {
        len = max_u32(len, OTTER_PARTITION_TABLE_LEN); /* judged as a whole, so copied as a whole */
    }
    ESP_LOGI(TAG, "Copy from <%s> staging partition to <%s>...", update->staging->label, final->label);
    esp_err_t err = take_out_of_use(device, final);
    return err == ESP_OK ? staged_copy_run(device, update->staging, final, len) : err;
}

static esp_err_t complete_and_judge(otter_device_t *device, struct ota_update *update)
{
    if (update->writer.written == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    return slot_writer_flush(&update->writer) == ESP_OK ? judge(device, update) : ESP_ERR_INVALID_STATE;
}

esp_err_t ota_verify(otter_device_t *device, esp_ota_handle_t handle)
{
    struct ota_update *update = find_update(device, handle);
    return update != NULL ? complete_and_judge(device, update) : ESP_ERR_NOT_FOUND;
}

esp_err_t ota_end(otter_device_t *device, esp_ota_handle_t handle)
{
    struct ota_update *update = find_update(device, handle);
    if (update == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    esp_err_t err = complete_and_judge(device, update);
    if (err == ESP_OK && update->copy_to_final) {
        err = copy_to_final(device, update);
    }
    close_update(device, handle);
    return err;
}

esp_err_t ota_abort(otter_device_t *device, esp_ota_handle_t handle)
{
    if (find_update(device, handle) == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    close_update(device, handle);
    return ESP_OK;
}
