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
 * 4. An update is in device->updates exactly while it is open, and knows its device exactly then.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/update.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "otter/bytes.h"
#include "boot/copy_journal.h"
#include "boot/staged_copy.h"
#include "esp_log.h"
#include "flash/partition_list.h"
#include "otter/image.h"
#include "otter/system.h"
#include "ota/image_follower.h"
#include "ota/resume_record.h"
#include "ota/slot_io.h"
#include "ota/slot_writer.h"
#include "ota/switch.h"
#include "ota/update_target.h"
#include "ota/update_verdict.h"

static const char TAG[] = "esp_ota_ops";

/* ---- the list of open updates ---- */

static bool is_open(const otter_update_t *update)
{
    return update != NULL && update->device != NULL;
}

static void close_update(otter_update_t *update)
{
    otter_update_t **link = &update->device->updates;
    while (*link != update) {
        link = &(*link)->next;
    }
    *link = update->next;
    image_follower_end(&update->follower);
    update->device = NULL;
    if (update->closed != NULL) {
        update->closed(update);
    }
}

void update_drop_all(otter_device_t *device)
{
    while (device->updates != NULL) {
        close_update(device->updates);
    }
}

/* ---- begin ---- */

/** One of ESP-IDF's two constants of 32 bits, which also reach us sign-extended from int; no other size is one. */
static bool is_constant(size_t size, uint32_t constant)
{
    return size == constant || size == (size_t)(int32_t)constant;
}

/** Bytes to erase at begin. @return ESP_OK, ESP_ERR_INVALID_SIZE: the image does not fit */
static esp_err_t bytes_to_erase(const esp_partition_t *partition, size_t image_size, uint32_t *len,
                                otter_fault_t *fault)
{
    if (is_constant(image_size, OTA_WITH_SEQUENTIAL_WRITES)) {
        *len = 0;
    } else if (image_size == 0 || is_constant(image_size, OTA_SIZE_UNKNOWN)) {
        *len = partition->size;
    } else if (image_size > partition->size) {
        return otter_fault(fault, ESP_ERR_INVALID_SIZE, "an image of %zu bytes does not fit %s of %" PRIu32,
                           image_size, partition->label, partition->size);
    } else {
        *len = align_up_u32((uint32_t)image_size, partition->flash_chip->erase_size);
    }
    return *len <= partition->size ? ESP_OK
                                   : otter_fault(fault, ESP_ERR_INVALID_SIZE,
                                                 "%s is not made of whole sectors", partition->label);
}

/** What is written will be judged by the bootloader's rules for `final`. */
static void set_final(const otter_device_t *device, otter_update_t *update, const esp_partition_t *final)
{
    update->final = final;
    if (!ota_is_image(update->final)) {
        image_follower_end(&update->follower);
        update->follower = (image_follower_t){0};
        return;
    }
    const otter_image_rules_t rules = ota_image_rules(device, update->staging, final);
    image_follower_begin(&update->follower, update->staging, &rules);
}

/** An update that is not open yet. @param at  position of the first byte. @return ESP_OK, ESP_ERR_NOT_SUPPORTED (write_size) */
static esp_err_t prepare_update(otter_update_t *update, const otter_device_t *device,
                                const esp_partition_t *staging, bool erase_ahead, uint32_t at, uint8_t *tail,
                                otter_fault_t *fault)
{
    memset(update, 0, sizeof(*update));
    update->registered = *staging;
    update->staging = ota_is_registered(device, staging) ? &update->registered : staging;
    set_final(device, update, update->staging);
    esp_err_t err = slot_writer_begin(&update->writer, update->staging, erase_ahead, at, tail);
    return err == ESP_OK
               ? ESP_OK
               : otter_fault(fault, err, "%s: a write unit of %" PRIu32 " bytes; updates take up to %u",
                             staging->label, otter_flash_unit(staging->flash_chip), OTTER_UPDATE_UNIT_MAX);
}

/** Nothing boots `partition` or copies into it any more; a copy that was staged in it is finished. */
static esp_err_t take_out_of_use(otter_device_t *device, const esp_partition_t *partition)
{
    if (partition->readonly) {
        return ESP_ERR_NOT_ALLOWED;
    }
    if (ota_is_registered(device, partition)) {
        return ESP_OK; /* nothing that boots or copies knows it */
    }
    esp_err_t err = device->config.copies != NULL ? device->config.copies->release(device, partition)
                                                  : copy_journal_refuse(device, &device->fault);
    return err == ESP_OK && otter_ota_is_slot(partition) ? ota_release_slot(device, partition) : err;
}

/** Takes the slot out of use, then erases what is to be erased now. */
static esp_err_t prepare_slot(otter_device_t *device, const esp_partition_t *partition, uint32_t erase_len,
                              bool keep_record)
{
    esp_err_t err = take_out_of_use(device, partition);
    if (err == ESP_OK && copy_journal_may_lie_in(partition->type, partition->subtype)) {
        err = copy_journal_remove(partition->flash_chip, partition->address,
                                  partition->address + partition->size);
    }
    if (err == ESP_OK && otter_ota_is_slot(partition) && !keep_record) {
        err = resume_record_forget(device, partition);
    }
    if (err == ESP_OK && otter_ota_is_slot(partition) && device->config.rollback) {
        /* The slot being overwritten stops being a rollback target; that there is none is no error. */
        err = otter_ota_invalidate_inactive_ota_data_slot(device);
        err = err == ESP_FAIL ? ESP_OK : err;
    }
    return err == ESP_OK ? ota_erase_range(partition->flash_chip, partition, 0, erase_len) : err;
}

/** Prepares the slot, and the update is open. update_check_target() has allowed it. */
static esp_err_t open_update(otter_device_t *device, otter_update_t *update, uint32_t erase_len,
                             bool keep_record)
{
    const esp_partition_t *staging = update->staging;
    otter_update_t *unused = update_of(device, staging);
    if (unused != NULL) {
        ESP_LOGW(TAG, "the open update of %s has written nothing and is replaced", staging->label);
        device->replaced_handle = unused->handle;
        close_update(unused);
    }
    esp_err_t err = prepare_slot(device, staging, erase_len, keep_record);
    if (err != ESP_OK) {
        return err;
    }
    update->device = device;
    update->next = device->updates;
    device->updates = update;
    return ESP_OK;
}

esp_err_t update_begin(otter_update_t *update, otter_device_t *device, const esp_partition_t *partition,
                       size_t image_size, uint8_t *tail, otter_fault_t *fault)
{
    if (update == NULL || device == NULL || partition == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    update->device = NULL;
    const esp_partition_t *given = partition;
    partition = ota_find_partition(device, given);
    if (partition == NULL) {
        return otter_fault(fault, ESP_ERR_NOT_FOUND, "%.16s is no partition of this device", given->label);
    }
    uint32_t erase_len = 0;
    esp_err_t err = update_check_target(device, partition, fault);
    if (err != ESP_OK) {
        return err;
    }
    err = bytes_to_erase(partition, image_size, &erase_len, fault);
    if (err != ESP_OK) {
        return err;
    }
    const bool erase_ahead = is_constant(image_size, OTA_WITH_SEQUENTIAL_WRITES);
    err = prepare_update(update, device, partition, erase_ahead, 0, tail, fault);
    return err == ESP_OK ? open_update(device, update, erase_len, false) : err;
}

esp_err_t update_resume(otter_update_t *update, otter_device_t *device, const esp_partition_t *partition,
                        size_t erase_size, size_t image_offset, bool keep_record, uint8_t *tail,
                        otter_fault_t *fault)
{
    if (update == NULL || device == NULL || partition == NULL || image_offset > partition->size) {
        return ESP_ERR_INVALID_ARG;
    }
    update->device = NULL;
    const esp_partition_t *given = partition;
    partition = partition_list_verify(&device->partitions, given);
    if (partition == NULL) {
        return otter_fault(fault, ESP_ERR_NOT_FOUND, "%.16s is no partition of this device", given->label);
    }
    const uint32_t step =
        device->flash->write_once ? device->flash->erase_size : otter_flash_unit(device->flash);
    if (!otter_ota_is_slot(partition) || image_offset % step != 0) {
        return ESP_ERR_INVALID_ARG; /* what a cut left in a sector cannot be programmed over */
    }
    esp_err_t err = update_check_target(device, partition, fault);
    if (err == ESP_OK) {
        err = prepare_update(update, device, partition, is_constant(erase_size, OTA_WITH_SEQUENTIAL_WRITES),
                             (uint32_t)image_offset, tail, fault);
    }
    if (err != ESP_OK) {
        return err;
    }
    update->resumed = true;
    return open_update(device, update, 0, keep_record);
}

esp_err_t otter_update_begin(otter_update_t *update, otter_device_t *device, const esp_partition_t *partition,
                             size_t image_size, otter_fault_t *fault)
{
    return update_begin(update, device, partition, image_size, NULL, fault);
}

esp_err_t otter_update_resume(otter_update_t *update, otter_device_t *device,
                              const esp_partition_t *partition, size_t erase_size, size_t image_offset,
                              otter_fault_t *fault)
{
    return update_resume(update, device, partition, erase_size, image_offset, false, NULL, fault);
}

/* ---- write ---- */

/** The very first bytes show at once that something else was sent. */
static bool starts_right(const otter_update_t *update, const uint8_t *data, size_t size)
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
static uint32_t room_of(const otter_update_t *update)
{
    uint32_t size = update->staging->size;
    return update->copy_to_final
               ? min_u32(size - min_u32(size, copy_journal_size(update->device->flash)), update->final->size)
               : size;
}

/**
 * What comes from outside must not pass for the journal of a copy: it would be followed at the next boot, whether the rest is
 * an image or not. Looked at before it is in flash, together with what is there or on its way there already.
 */
static esp_err_t check_no_journal(const otter_update_t *update, uint32_t at, const uint8_t *data,
                                  uint32_t size, otter_fault_t *fault)
{
    const esp_partition_t *staging = update->staging;
    uint8_t over[4], both[4]; /* the data programmed into erased flash, and on top of what is there */
    const slot_writer_t *writer = &update->writer;
    uint32_t sector = copy_journal_size(staging->flash_chip), place = staging->size - sector;
    if (!copy_journal_may_lie_in(staging->type, staging->subtype) || staging->size < sector ||
        !ranges_overlap(at, size, place, sizeof(over))) {
        return ESP_OK;
    }
    esp_err_t err = otter_flash_read_torn(staging->flash_chip, staging->address + place, over, sizeof(over));
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
        return update_refuse(fault, ESP_ERR_OTA_VALIDATE_FAILED,
                             "%s: the last sector would pass for the journal of a copy", staging->label);
    }
    return err;
}

/**
 * Where a hash is required, an image that has none never comes to lie in a slot as a whole: refused at the end it would still
 * be there, and the bootloader, which asks for none, could fall back to it.
 */
static esp_err_t check_hash_flag(const otter_update_t *update, uint32_t at, const uint8_t *data,
                                 uint32_t size, otter_fault_t *fault)
{
    const uint32_t flag = offsetof(esp_image_header_t, hash_appended);
    if (!update->device->config.require_hash || update->final->type != ESP_PARTITION_TYPE_APP || at > flag ||
        size <= flag - at || data[flag - at] != 0) {
        return ESP_OK;
    }
    return update_refuse(fault, ESP_ERR_OTA_VALIDATE_FAILED,
                         "%s: the image has no SHA-256, which this device requires", update->staging->label);
}

/** What must not reach flash, whatever comes after it. */
static esp_err_t check_bytes(const otter_update_t *update, uint32_t at, const uint8_t *data, uint32_t size,
                             otter_fault_t *fault)
{
    esp_err_t err = check_hash_flag(update, at, data, size, fault);
    return err == ESP_OK ? check_no_journal(update, at, data, size, fault) : err;
}

/** Bytes, and an open update for them. */
static esp_err_t check_write(const otter_update_t *update, const void *data)
{
    if (data == NULL) {
        ESP_LOGE(TAG, "write data is invalid");
        return ESP_ERR_INVALID_ARG;
    }
    return is_open(update) ? ESP_OK : ESP_ERR_NOT_FOUND;
}

static esp_err_t refuse_start(const otter_update_t *update, const uint8_t *data, size_t size,
                              otter_fault_t *fault)
{
    otter_fault_t own = {0}, *to = fault != NULL ? fault : &own;
    if (update->final->type == ESP_PARTITION_TYPE_PARTITION_TABLE) {
        otter_fault(to, ESP_ERR_OTA_VALIDATE_FAILED,
                    "Partition table image has invalid magic word (expected 0x50AA, saw 0x%02x%02x)",
                    size > 1 ? data[1] : 0, data[0]);
    } else {
        otter_fault(to, ESP_ERR_OTA_VALIDATE_FAILED,
                    "OTA image has invalid magic byte (expected 0xE9, saw 0x%02x)", data[0]);
    }
    ESP_LOGE(TAG, "%s", to->why);
    return to->code;
}

esp_err_t otter_update_write(otter_update_t *update, const void *data, size_t size, otter_fault_t *fault)
{
    esp_err_t err = check_write(update, data);
    if (err != ESP_OK || size == 0) {
        return err;
    }
    slot_writer_t *writer = &update->writer;
    if (writer->written == 0 && !starts_right(update, data, size)) {
        return refuse_start(update, data, size, fault);
    }
    uint32_t room = room_of(update);
    if (writer->written > room || size > room - writer->written) {
        return otter_fault(fault, ESP_ERR_INVALID_SIZE, "%s has no room for more than %" PRIu32 " bytes",
                           update->staging->label, room);
    }
    err = check_bytes(update, writer->written, data, (uint32_t)size, fault);
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

uint32_t update_prepare(otter_update_t *update)
{
    return is_open(update) && update->used ? slot_writer_prepare(&update->writer) : UINT32_MAX;
}

esp_err_t otter_update_write_with_offset(otter_update_t *update, const void *data, size_t size,
                                         uint32_t offset, otter_fault_t *fault)
{
    esp_err_t err = check_write(update, data);
    if (err != ESP_OK || size == 0) {
        return err;
    }
    if (update->writer.erase_ahead || update->writer.tail_len != 0) {
        return ESP_ERR_INVALID_STATE;
    }
    if (update->staging->encrypted && (offset | size) % OTTER_FLASH_CIPHER_BLOCK != 0) {
        return ESP_ERR_INVALID_ARG;
    }
    if (size > update->staging->size ||
        (update->copy_to_final && !range_fits(offset, (uint32_t)size, room_of(update)))) {
        return ESP_ERR_INVALID_SIZE;
    }
    err = check_bytes(update, offset, data, (uint32_t)size, fault);
    if (err != ESP_OK) {
        return err;
    }
    update->used = true;
    return slot_writer_put(&update->writer, offset, data, (uint32_t)size);
}

/** Whoever stages a bootloader or a table and wants no copy made copies it himself, which ESP-IDF allows from here on. */
static void let_copy_by_hand(otter_device_t *device, const esp_partition_t *final)
{
    if (final->type == ESP_PARTITION_TYPE_BOOTLOADER || final->type == ESP_PARTITION_TYPE_PARTITION_TABLE) {
        otter_lock(OTTER_LOCK_LISTS);
        device->guard_lifted = true;
        otter_unlock(OTTER_LOCK_LISTS);
    }
}

esp_err_t otter_update_set_final_partition(otter_update_t *update, const esp_partition_t *final,
                                           bool finalize_with_copy, otter_fault_t *fault)
{
    if (final == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!is_open(update)) {
        return ESP_ERR_NOT_FOUND;
    }
    otter_device_t *device = update->device;
    if (update->writer.written != 0 && !update->resumed) {
        return ESP_ERR_INVALID_STATE;
    }
    final = ota_find_partition(device, final);
    if (final == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    if (ota_is_same_partition(final, update->staging)) {
        return ESP_OK;
    }
    esp_err_t err = finalize_with_copy ? update_check_final(update, final, fault) : ESP_OK;
    if (err != ESP_OK) {
        return err;
    }
    update->meant = *final;
    set_final(device, update, ota_is_registered(device, final) ? &update->meant : final);
    update->copy_to_final = finalize_with_copy;
    if (!finalize_with_copy) {
        let_copy_by_hand(device, final);
    }
    ESP_LOGI(TAG, "Staging partition - <%s>. Final partition - <%s>.", update->staging->label, final->label);
    return ESP_OK;
}

/* ---- end ---- */

uint32_t otter_update_written(const otter_update_t *update)
{
    return is_open(update) ? update->writer.written : 0;
}

uint32_t otter_update_image_len(otter_update_t *update)
{
    bool complete = is_open(update) && update->writer.in_order &&
                    image_follower_is_complete(&update->follower, slot_writer_on_flash(&update->writer));
    return complete ? update->follower.stream.info.image_len : 0;
}

/** The judged bytes go where they belong, with a journal: see staged_copy_run(). */
static esp_err_t copy_to_final(const otter_update_t *update, otter_fault_t *fault)
{
    const esp_partition_t *final = update->final;
    uint32_t len = max_u32(update->writer.end, update->image_len);
    if (final->type == ESP_PARTITION_TYPE_PARTITION_TABLE) {
        len = max_u32(len, OTTER_PARTITION_TABLE_LEN); /* judged as a whole, so copied as a whole */
    }
    ESP_LOGI(TAG, "Copy from <%s> staging partition to <%s>...", update->staging->label, final->label);
    esp_err_t err = take_out_of_use(update->device, final);
    return err == ESP_OK
               ? update->device->config.copies->run(update->device, update->staging, final, len, fault)
               : err;
}

static esp_err_t complete_and_judge(otter_update_t *update, otter_fault_t *fault)
{
    if (update->writer.written == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    return slot_writer_flush(&update->writer) == ESP_OK ? update_judge(update, fault) : ESP_ERR_INVALID_STATE;
}

esp_err_t otter_update_verify(otter_update_t *update, otter_fault_t *fault)
{
    otter_fault_t own = {0};
    return is_open(update) ? complete_and_judge(update, fault != NULL ? fault : &own) : ESP_ERR_NOT_FOUND;
}

/**
 * A bootloader that asks for no signature could fall back to what was refused for having none: it is to find no image there. The
 * slot is out of use since the update began. Whoever reads data asks for no signature either.
 */
static void spoil(const otter_update_t *update)
{
    const esp_partition_t *staging = update->staging;
    bool is_image = update->follower.rules.trust.signatures != NULL && otter_ota_is_slot(staging) &&
                    otter_trust_to_boot(update->device, false).signatures == NULL;
    if (is_image || (update_is_signed_data(update) && ota_is_same_partition(staging, update->final))) {
        otter_ignore(ota_erase_range(staging->flash_chip, staging, 0, staging->flash_chip->erase_size));
    }
}

esp_err_t otter_update_end(otter_update_t *update, otter_fault_t *fault)
{
    otter_fault_t own = {0};
    fault = fault != NULL ? fault : &own;
    if (!is_open(update)) {
        return ESP_ERR_NOT_FOUND;
    }
    esp_err_t err = complete_and_judge(update, fault);
    if (err == ESP_ERR_OTA_VALIDATE_FAILED) {
        spoil(update);
    }
    if (err == ESP_OK && update->copy_to_final) {
        err = copy_to_final(update, fault);
    }
    close_update(update);
    return err;
}

esp_err_t otter_update_abort(otter_update_t *update)
{
    if (!is_open(update)) {
        return ESP_ERR_NOT_FOUND;
    }
    close_update(update);
    return ESP_OK;
}
