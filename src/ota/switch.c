/*
 * The otadata calls: what boots next, what is confirmed, what is rejected. boot/switch_plan.c says which records change, and
 * boot/otadata_flash.c writes them; here is what lies between: reading, verifying images, carrying plans out.
 *
 * The order of every change, on which safety from power cuts rests:
 * 1. An image is verified from flash before a record may select it (otter_ota_set_boot_partition), and is durable before the
 *    record is: otadata_write_copy() begins with a barrier.
 * 2. Before the first sector of a slot is erased, no record selects that slot any more, and one selects what runs
 *    (ota_release_slot).
 * 3. Of two records to be erased, the active one goes last, so that the old decision stands until then; but if it selects what
 *    has not booted yet it goes first (select_factory).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "otter/bytes.h"
#include "boot/otadata_flash.h"
#include "boot/secure_version.h"
#include "boot/switch_plan.h"
#include "boot/trust.h"
#include "esp_log.h"
#include "flash/partition_kind.h"
#include "flash/partition_list.h"
#include "otter/image.h"
#include "image/misfit.h"
#include "ota/slot_io.h"
#include "ota/version_check.h"
#include "ota/switch.h"
#include "otter/promise.h"

static const char TAG[] = "esp_ota_ops";

/** otadata as the application sees it. */
typedef struct {
    const esp_partition_t *otadata;
    uint32_t slot_count;
    otadata_entry_t two[OTADATA_COPY_COUNT];
    int active; /* OTADATA_NONE when there are no slots */
} records_t;

static const esp_partition_t *find_app(const otter_device_t *device, uint32_t subtype)
{
    return otter_partition_list_find(&device->partitions, NULL, ESP_PARTITION_TYPE_APP,
                                     (esp_partition_subtype_t)subtype, NULL);
}

static const esp_partition_t *find_slot(const otter_device_t *device, uint32_t slot)
{
    return find_app(device, ESP_PARTITION_SUBTYPE_APP_OTA_MIN + slot);
}

static uint32_t slot_of(const esp_partition_t *partition)
{
    return otter_ota_is_slot(partition) ? (uint32_t)partition->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN
                                        : SWITCH_NO_SLOT;
}

bool otter_ota_is_slot(const esp_partition_t *partition)
{
    return partition != NULL && kind_is_slot(partition->type, partition->subtype);
}

bool ota_is_running(const otter_device_t *device, const esp_partition_t *partition)
{
    return device->running != NULL && partition->type == device->running->type &&
           partition->address == device->running->address;
}

/** @return ESP_OK, ESP_ERR_NOT_FOUND (no otadata partition), ESP_ERR_INVALID_SIZE, ESP_ERR_FLASH_OP_* */
static esp_err_t read_records(otter_device_t *device, records_t *records, otter_fault_t *fault)
{
    *records = (records_t){.active = OTADATA_NONE};
    records->otadata = otter_partition_list_find(&device->partitions, NULL, ESP_PARTITION_TYPE_DATA,
                                                 ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
    if (records->otadata == NULL) {
        (void)otter_fault(fault, ESP_ERR_NOT_FOUND, "the table has no otadata partition");
        return ESP_ERR_NOT_FOUND;
    }
    esp_err_t err =
        otadata_read(device->flash, records->otadata->address, records->otadata->size, records->two);
    if (err != ESP_OK) {
        return err;
    }
    records->slot_count = otter_ota_get_app_partition_count(device);
    records->active = records->slot_count != 0 ? otadata_active(records->two) : OTADATA_NONE;
    return ESP_OK;
}

esp_err_t otter_ota_read_records(otter_device_t *device, otter_ota_record_t records[2], int *active,
                                 otter_fault_t *fault)
{
    records_t read;
    esp_err_t err = read_records(device, &read, fault);
    if (err != ESP_OK) {
        return err;
    }
    for (uint32_t copy = 0; copy < OTADATA_COPY_COUNT; copy++) {
        const otadata_entry_t *entry = &read.two[copy];
        records[copy] = (otter_ota_record_t){
            .erased = entry->seq == OTADATA_SEQ_ERASED,
            .whole = entry->seq != OTADATA_SEQ_ERASED && otadata_crc_matches(entry),
            .counts = otadata_is_valid(entry),
            .seq = entry->seq,
            .state = entry->state,
            .crc = entry->crc,
            .seq_crc = otadata_crc(entry->seq),
            .slot = read.slot_count > 0 ? otadata_slot(entry->seq, read.slot_count) : 0,
        };
    }
    *active = read.active;
    return ESP_OK;
}

const char *otter_ota_state_name(uint32_t state)
{
    return otadata_state_name(state);
}

/** As read_records, and ESP_FAIL when no record is active. */
static esp_err_t read_active(otter_device_t *device, records_t *records, otter_fault_t *fault)
{
    esp_err_t err = read_records(device, records, fault);
    if (err == ESP_OK && records->active == OTADATA_NONE) {
        (void)otter_fault(fault, ESP_FAIL, "no record of otadata is active");
        return ESP_FAIL;
    }
    return err;
}

static const esp_partition_t *slot_of_copy(const otter_device_t *device, const records_t *records,
                                           uint32_t copy)
{
    return find_slot(device, otadata_slot(records->two[copy].seq, records->slot_count));
}

/** By the copy whose sequence number has its CRC and selects `slot`. @return ESP_OK, ESP_ERR_NOT_FOUND */
static esp_err_t state_of_slot(const records_t *records, uint32_t slot, esp_ota_img_states_t *state)
{
    uint32_t first = records->active == 1 ? 1 : 0; /* two records of one slot: the one that counts */
    for (uint32_t i = 0; i < OTADATA_COPY_COUNT; i++) {
        uint32_t copy = first ^ i;
        const otadata_entry_t *entry = &records->two[copy];
        if (!otadata_is_uninitialised(entry) && otadata_slot(entry->seq, records->slot_count) == slot) {
            *state = (esp_ota_img_states_t)entry->state; /* whatever it is, also INVALID or ABORTED */
            return ESP_OK;
        }
    }
    return ESP_ERR_NOT_FOUND;
}

/** True if a record says that what runs is on trial. */
static bool is_trial_running(const otter_device_t *device, const records_t *records)
{
    esp_ota_img_states_t state;
    return records->slot_count != 0 && state_of_slot(records, slot_of(device->running), &state) == ESP_OK &&
           state == ESP_OTA_IMG_PENDING_VERIFY;
}

static esp_err_t carry_out_change(otter_flash_t *flash, uint32_t offset, const switch_change_t *change)
{
    switch (change->kind) {
    case CHANGE_ERASE:
        return otadata_erase_copy(flash, offset, change->copy);
    case CHANGE_CONFIRM:
        return otadata_confirm_copy(flash, offset, change->copy);
    case CHANGE_WRITE:
        break;
    }
    return otadata_write_copy(flash, offset, change->copy, &change->entry);
}

/**
 * Makes the changes durable, one after the other. If flash fails half-way, the record of a running trial may be gone, and then
 * nothing in flash says any more that the fallback is needed: device->verdict_lost does, until the restart.
 */
static esp_err_t carry_out(otter_device_t *device, const records_t *records, const switch_plan_t *plan)
{
    const uint32_t offset = records->otadata->address;
    esp_err_t err = ESP_OK;
    for (uint32_t i = 0; i < plan->count && err == ESP_OK; i++) {
        err = carry_out_change(device->flash, offset, &plan->changes[i]);
    }
    if (plan->count != 0) {
        device->verdict_lost = err != ESP_OK && (device->verdict_lost || is_trial_running(device, records));
    }
    return err;
}

/**
 * Verifies the image in a partition as the bootloader does; what was verified in this slot and not written since is not read
 * again.
 * @param hashed  an image without SHA-256 is refused
 */
static esp_err_t verify_image(otter_device_t *device, const esp_partition_t *partition, bool hashed,
                              otter_fault_t *fault)
{
    const uint32_t start = partition->address;
    const otter_trust_t trust = trust_to_update(device, false);
    const otter_image_rules_t rules = {.chip = &device->chip,
                                       .flash_offset = start,
                                       .size = partition->size,
                                       .loading = true,
                                       .hashed = hashed,
                                       .trust = trust,
                                       .known =
                                           trust_is_same(&trust, &device->verified_by) &&
                                           otter_flash_is_unwritten(device->flash, device->verified, start)};
    uint32_t watch =
        rules.known ? device->verified : otter_flash_watch(device->flash, 0, start, partition->size);
    esp_err_t err = otter_image_verify(device->flash, &rules, NULL, fault);
    if (err == ESP_OK) {
        device->verified = watch;
        device->verified_by = trust;
        image_log_signed(&trust);
    }
    if (err == ESP_FAIL) {
        image_log_misfit_at(device->flash, partition->address, &device->chip, false);
    }
    return err;
}

/* ---- selecting ---- */

/** Factory is what boots when no record selects a slot. */
static esp_err_t select_factory(otter_device_t *device, otter_fault_t *fault)
{
    records_t records;
    esp_err_t err = read_records(device, &records, fault);
    if (err != ESP_OK) {
        return err;
    }
    /* The active record last, until then the old decision stands; but what has not booted yet is taken back first. */
    uint32_t last = records.active == 1 ? 1 : 0;
    if (records.active != OTADATA_NONE && records.two[records.active].state == ESP_OTA_IMG_NEW) {
        last ^= 1u;
    }
    switch_plan_t plan = {0};
    const uint32_t order[OTADATA_COPY_COUNT] = {last ^ 1u, last};
    for (uint32_t i = 0; i < OTADATA_COPY_COUNT; i++) {
        if (!otadata_is_blank(&records.two[order[i]])) {
            OTTER_ASSERT(plan.count < SWITCH_CHANGES_MAX);
            plan.changes[plan.count++] = (switch_change_t){.kind = CHANGE_ERASE, .copy = order[i]};
        }
    }
    return carry_out(device, &records, &plan);
}

static bool is_factory(const esp_partition_t *partition)
{
    return partition->type == ESP_PARTITION_TYPE_APP &&
           partition->subtype == ESP_PARTITION_SUBTYPE_APP_FACTORY;
}

/** Anti-rollback: an application that is too old is erased, so that no fallback can find it either; not the factory's. */
static esp_err_t refuse_old_version(otter_device_t *device, const esp_partition_t *partition,
                                    otter_fault_t *fault)
{
    uint32_t version = 0, device_version = 0;
    esp_err_t err = secure_version_of_app(device->flash, partition->address, partition->size, &version);
    if (err == ESP_OK) {
        err = ota_check_version(device, version, fault);
    }
    if (err != ESP_ERR_OTA_SMALL_SEC_VER || is_factory(partition)) {
        return err;
    }
    otter_ignore(secure_version_read(device, &device_version)); /* as the check has just done */
    ESP_LOGE(TAG, "New firmware security version is less than eFuse programmed, %u < %u", (unsigned)version,
             (unsigned)device_version);
    ESP_LOGE(TAG,
             "This a new partition can not be booted due to a secure version is lower than stored in efuse. "
             "Partition will be erased.");
    if (!ota_is_running(device, partition)) {
        err = ota_erase_range(device->flash, partition, 0, partition->size);
    }
    return err != ESP_OK ? err : ESP_ERR_OTA_SMALL_SEC_VER;
}

static switch_wish_t wish_for(const otter_device_t *device, const records_t *records,
                              const esp_partition_t *partition)
{
    return (switch_wish_t){.slot = slot_of(partition),
                           .state = device->config.rollback ? ESP_OTA_IMG_NEW : ESP_OTA_IMG_UNDEFINED,
                           .running = slot_of(device->running),
                           .slot_count = records->slot_count,
                           .factory = find_app(device, ESP_PARTITION_SUBTYPE_APP_FACTORY) != NULL};
}

static esp_err_t select_slot(otter_device_t *device, const esp_partition_t *partition, otter_fault_t *fault)
{
    records_t records;
    esp_err_t err = read_records(device, &records, fault);
    if (err != ESP_OK) {
        return err;
    }
    const switch_wish_t wish = wish_for(device, &records, partition);
    if (wish.slot >= wish.slot_count) {
        return otter_fault(fault, ESP_ERR_INVALID_ARG,
                           "%s comes behind a gap in the OTA slots, so no record can select it",
                           partition->label);
    }
    switch_plan_t plan;
    err = switch_plan_select(records.two, &wish, &plan);
    if (err != ESP_OK) {
        return otter_fault(fault, err, "the sequence numbers of otadata are used up");
    }
    return carry_out(device, &records, &plan);
}

esp_err_t otter_ota_set_boot_partition(otter_device_t *device, const esp_partition_t *partition,
                                       otter_fault_t *fault)
{
    otter_fault_t own = {0};
    fault = fault != NULL ? fault : &own;
    if (partition == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    const esp_partition_t *given = partition;
    partition = partition_list_verify(&device->partitions, given);
    if (partition == NULL) {
        return otter_fault(fault, ESP_ERR_INVALID_ARG, "%.16s is not in the partition table", given->label);
    }
    esp_err_t err = verify_image(device, partition, device->config.require_hash, fault);
    if (err != ESP_OK) {
        image_log_fault(partition->address, fault->why);
        ESP_LOGE(TAG, "%s holds no image that boots: %s", partition->label, fault->why);
        return err == ESP_ERR_NO_MEM ? err : ESP_ERR_OTA_VALIDATE_FAILED;
    }
    if (!is_factory(partition) && !otter_ota_is_slot(partition)) {
        return otter_fault(fault, ESP_ERR_INVALID_ARG, "%s is nothing that is selected", partition->label);
    }
    if (device->config.anti_rollback) {
        err = refuse_old_version(device, partition, fault);
    }
    if (err != ESP_OK) {
        return err;
    }
    return is_factory(partition) ? select_factory(device, fault) : select_slot(device, partition, fault);
}

/** Writes a record that selects the running slot, in the copy that is not active. It is the active one from now on. */
static esp_err_t add_fallback_record(otter_device_t *device, records_t *records, uint32_t state)
{
    switch_plan_t plan;
    esp_err_t err =
        switch_plan_fallback(records->two, slot_of(device->running), records->slot_count, state, &plan);
    if (err == ESP_OK) {
        err = carry_out(device, records, &plan);
    }
    if (err == ESP_OK) {
        records->active = (int)plan.changes[0].copy;
        records->two[records->active] = plan.changes[0].entry;
    }
    return err;
}

static bool selects_running(const otter_device_t *device, const records_t *records, int copy)
{
    return copy != OTADATA_NONE &&
           otadata_selects(&records->two[copy], slot_of(device->running), records->slot_count);
}

/** Replaces a half written record: by one that selects the running slot if the other record does not, else by nothing. */
static esp_err_t replace_torn_record(otter_device_t *device, records_t *records, uint32_t copy)
{
    if (slot_of(device->running) >= records->slot_count ||
        selects_running(device, records, records->active)) {
        return otadata_erase_copy(device->flash, records->otadata->address, copy);
    }
    bool confirmed = records->two[copy].state == ESP_OTA_IMG_VALID;
    return add_fallback_record(device, records, confirmed ? ESP_OTA_IMG_VALID : ESP_OTA_IMG_UNDEFINED);
}

/**
 * A record that a power cut left half written may read as whole at another time, since its bits can hang between 0 and 1. It
 * may have booted the running image, and it must not come back when the next update has been selected. So it is replaced
 * before anything else changes.
 */
static esp_err_t replace_torn_records(otter_device_t *device, records_t *records)
{
    esp_err_t err = ESP_OK;
    for (uint32_t copy = 0; copy < OTADATA_COPY_COUNT && err == ESP_OK; copy++) {
        if (otadata_is_torn(&records->two[copy])) {
            err = replace_torn_record(device, records, copy);
        } else if (device->flash->write_once && otadata_is_blank(&records->two[copy])) {
            err = otadata_erase_copy(device->flash, records->otadata->address,
                                     copy); /* half erased, it reads so, too */
        }
    }
    return err;
}

static esp_err_t fallback_is_needed(otter_fault_t *fault, const char *why)
{
    ESP_LOGE(TAG, "%s", why);
    return otter_fault(fault, ESP_ERR_OTA_ROLLBACK_INVALID_STATE, "%s", why);
}

esp_err_t ota_check_fallback(otter_device_t *device, const esp_partition_t *partition, otter_fault_t *fault)
{
    records_t records;
    if (!device->config.rollback || device->running == NULL) {
        return ESP_OK;
    }
    if (device->verdict_lost) {
        return fallback_is_needed(fault,
                                  "The verdict on the running app was not written: confirm again or restart");
    }
    esp_err_t err = read_records(device, &records, NULL);
    if (err != ESP_OK || records.slot_count == 0) {
        return otter_flash_failed(err) ? err : ESP_OK;
    }
    if (is_trial_running(device, &records)) {
        return fallback_is_needed(fault, "Running app has not confirmed state (ESP_OTA_IMG_PENDING_VERIFY)");
    }
    const switch_wish_t wish = wish_for(device, &records, partition);
    if (switch_plan_is_fallback(records.two, &wish)) {
        return fallback_is_needed(fault,
                                  "The selected app is not confirmed and would fall back to this slot");
    }
    return ESP_OK;
}

/**
 * From the moment another slot is overwritten, the active record alone selects what runs, so no bit of it may hang. It is
 * programmed once more. Where flash cannot do that, a second record is written in place of the other one, unless that selects
 * what runs too; if power goes in that while the active one hangs, none may be left (docs/RELIABILITY.md).
 */
static esp_err_t make_sure(otter_device_t *device, const records_t *records)
{
    const otter_flash_t *flash = device->flash;
    const uint32_t active = (uint32_t)records->active;
    const otadata_entry_t *now = &records->two[active];
    const bool bytewise = flash->write_size == 1;
    if (flash->stable_reads || (!bytewise && selects_running(device, records, records->active ^ 1))) {
        return ESP_OK;
    }
    if (!bytewise && now->state == ESP_OTA_IMG_NEW) {
        return ESP_OK; /* two records of one trial would be two trials; the fallback does not depend on it */
    }
    if (bytewise) {
        return otadata_refresh_copy(device->flash, records->otadata->address, active, now);
    }
    switch_plan_t plan;
    esp_err_t err = switch_plan_fallback(records->two, otadata_slot(now->seq, records->slot_count),
                                         records->slot_count, now->state, &plan);
    return err == ESP_OK ? carry_out(device, records, &plan) : err;
}

esp_err_t ota_release_slot(otter_device_t *device, const esp_partition_t *partition)
{
    records_t records;
    esp_err_t err = read_records(device, &records, NULL);
    if (otter_flash_failed(err)) {
        return err; /* a record that could not be read now may be there at the next boot, and name this slot */
    }
    if (err != ESP_OK) {
        return ESP_OK; /* there is no otadata that a boot could look at */
    }
    err = replace_torn_records(device, &records);
    if (err != ESP_OK || records.active == OTADATA_NONE) {
        return err;
    }
    const switch_wish_t wish = wish_for(device, &records, partition);
    switch_plan_t plan;
    err = switch_plan_release(records.two, &wish, &plan);
    if (err == ESP_OK && plan.count != 0) {
        return carry_out(device, &records, &plan);
    }
    return err == ESP_OK ? make_sure(device, &records) : err;
}

/* ---- asking ---- */

uint8_t otter_ota_get_app_partition_count(otter_device_t *device)
{
    uint8_t count = 0;
    while (count < ESP_PARTITION_SUBTYPE_APP_OTA_MAX - ESP_PARTITION_SUBTYPE_APP_OTA_MIN &&
           find_slot(device, count) != NULL) {
        count++;
    }
    return count;
}

_Static_assert(ESP_PARTITION_SUBTYPE_APP_TEST == ESP_PARTITION_SUBTYPE_APP_OTA_MAX, "test follows the slots");

const esp_partition_t *otter_ota_get_boot_partition(otter_device_t *device)
{
    records_t records;
    esp_err_t err = read_active(device, &records, NULL);
    if (err == ESP_OK) {
        return slot_of_copy(device, &records, (uint32_t)records.active);
    }
    if (err != ESP_FAIL) {
        return NULL;
    }
    /* No record selects: factory, else the first slot there is, else test, whose subtype follows the slots'. */
    const esp_partition_t *found = find_app(device, ESP_PARTITION_SUBTYPE_APP_FACTORY);
    for (uint32_t subtype = ESP_PARTITION_SUBTYPE_APP_OTA_MIN;
         found == NULL && subtype <= ESP_PARTITION_SUBTYPE_APP_TEST; subtype++) {
        found = find_app(device, subtype);
    }
    return found;
}

const esp_partition_t *otter_ota_get_next_update_partition(otter_device_t *device,
                                                           const esp_partition_t *start_from)
{
    if (start_from == NULL) {
        start_from = device->running;
    } else if (partition_list_verify(&device->partitions, start_from) == NULL) {
        return NULL;
    }
    uint32_t start = slot_of(start_from);
    const esp_partition_t *first = NULL;
    for (uint32_t slot = 0; slot < ESP_PARTITION_SUBTYPE_APP_OTA_MAX - ESP_PARTITION_SUBTYPE_APP_OTA_MIN;
         slot++) {
        const esp_partition_t *found = find_slot(device, slot);
        if (found == NULL) {
            continue;
        }
        if (start != SWITCH_NO_SLOT && slot > start) {
            return found;
        }
        first = first != NULL ? first : found;
    }
    return first;
}

esp_err_t otter_ota_get_partition_description(otter_device_t *device, const esp_partition_t *partition,
                                              esp_app_desc_t *app_desc)
{
    if (partition == NULL || app_desc == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (partition->type != ESP_PARTITION_TYPE_APP) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    uint8_t raw[OTTER_IMAGE_DESC_SIZE];
    esp_err_t err = ota_read_range(device->flash, partition, OTTER_IMAGE_DESC_OFFSET, raw, sizeof(raw));
    if (err != ESP_OK) {
        return err;
    }
    memcpy(app_desc, raw, sizeof(*app_desc)); /* ESP-IDF's caller sees what is there, magic or not */
    return otter_image_decode_desc(raw, app_desc);
}

esp_err_t otter_ota_get_bootloader_description(otter_device_t *device, const esp_partition_t *partition,
                                               esp_bootloader_desc_t *desc)
{
    if (desc == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    const otter_chip_facts_t *facts = otter_chip_facts(device->chip.id);
    const esp_partition_t boots = {.address = facts != NULL ? facts->bootloader_offset : 0,
                                   .size = device->config.table_offset};
    uint8_t raw[sizeof(*desc)];
    esp_err_t err = ota_read_range(device->flash, partition != NULL ? partition : &boots,
                                   OTTER_IMAGE_DESC_OFFSET, raw, sizeof(raw));
    if (err != ESP_OK) {
        return err;
    }
    memcpy(desc, raw, sizeof(*desc));
    desc->version = le32_get(raw + offsetof(esp_bootloader_desc_t, version));
    return desc->magic_byte == ESP_BOOTLOADER_DESC_MAGIC_BYTE ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t otter_ota_get_state_partition(otter_device_t *device, const esp_partition_t *partition,
                                        esp_ota_img_states_t *ota_state)
{
    if (partition == NULL || ota_state == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!otter_ota_is_slot(partition)) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    records_t records;
    esp_err_t err = read_records(device, &records, NULL);
    if (err != ESP_OK) {
        return err;
    }
    if (records.slot_count == 0) {
        return ESP_ERR_NOT_FOUND;
    }
    return state_of_slot(&records, slot_of(partition), ota_state);
}

const esp_partition_t *otter_ota_get_last_invalid_partition(otter_device_t *device)
{
    records_t records;
    if (read_records(device, &records, NULL) != ESP_OK || records.slot_count == 0) {
        return NULL;
    }
    bool eligible[OTADATA_COPY_COUNT];
    for (uint32_t copy = 0; copy < OTADATA_COPY_COUNT; copy++) {
        eligible[copy] =
            !otadata_is_uninitialised(&records.two[copy]) && otadata_is_refused(&records.two[copy]);
    }
    int picked = otadata_pick(records.two, eligible, false);
    if (picked == OTADATA_NONE) {
        return NULL;
    }
    const esp_partition_t *partition = slot_of_copy(device, &records, (uint32_t)picked);
    return partition != NULL && verify_image(device, partition, false, NULL) == ESP_OK ? partition : NULL;
}

/* ---- confirming and rejecting ---- */

static bool version_is_acceptable(const otter_device_t *device, const esp_partition_t *partition)
{
    uint32_t version, device_version;
    return secure_version_of_app(device->flash, partition->address, partition->size, &version) == ESP_OK &&
           secure_version_read(device, &device_version) == ESP_OK && version >= device_version;
}

static bool rollback_is_possible(otter_device_t *device, const records_t *records)
{
    const uint32_t active = (uint32_t)records->active, other = active ^ 1u;
    const bool anti_rollback = device->config.anti_rollback;
    const uint32_t slot = otadata_slot(records->two[active].seq, records->slot_count);
    if (!otadata_is_valid(&records->two[other]) ||
        otadata_selects(&records->two[other], slot, records->slot_count)) {
        const esp_partition_t *factory = find_app(device, ESP_PARTITION_SUBTYPE_APP_FACTORY);
        return !anti_rollback && factory != NULL && verify_image(device, factory, false, NULL) == ESP_OK;
    }
    const esp_partition_t *previous = slot_of_copy(device, records, other);
    return previous != NULL && verify_image(device, previous, false, NULL) == ESP_OK &&
           (!anti_rollback || version_is_acceptable(device, previous));
}

esp_err_t otter_ota_secure_version(const otter_device_t *device, uint32_t *version)
{
    return secure_version_read(device, version);
}

bool otter_ota_check_rollback_is_possible(otter_device_t *device)
{
    records_t records;
    return read_active(device, &records, NULL) == ESP_OK && rollback_is_possible(device, &records);
}

/** Raises the device's secure version to that of the running application: nothing older boots from here on. */
static esp_err_t burn_running_version(otter_device_t *device)
{
    uint32_t version;
    if (device->running == NULL) {
        return ESP_FAIL;
    }
    esp_err_t err =
        secure_version_of_app(device->flash, device->running->address, device->running->size, &version);
    return err == ESP_OK ? secure_version_raise(device, version) : err;
}

/** True if an earlier attempt to confirm or reject failed and took the record of what runs with it. */
static bool must_record_anew(const otter_device_t *device, const records_t *records)
{
    return device->verdict_lost && slot_of(device->running) < records->slot_count &&
           !selects_running(device, records, 0) && !selects_running(device, records, 1);
}

/** Neither confirmed nor rejected can be what runs without a record. */
static esp_err_t refuse_factory(otter_fault_t *fault)
{
    ESP_LOGE(TAG, "Running firmware is factory");
    return otter_fault(fault, ESP_FAIL, "no record of otadata is active");
}

esp_err_t otter_ota_mark_app_valid_cancel_rollback(otter_device_t *device, otter_fault_t *fault)
{
    records_t records;
    switch_plan_t plan = {0};
    esp_err_t err = read_records(device, &records, fault);
    if (err != ESP_OK) {
        return err;
    }
    if (must_record_anew(device, &records)) {
        err = switch_plan_fallback(records.two, slot_of(device->running), records.slot_count,
                                   ESP_OTA_IMG_VALID, &plan);
    } else if (records.active == OTADATA_NONE) {
        err = refuse_factory(fault);
    } else {
        switch_plan_confirm(records.two, records.slot_count, otter_flash_unit(device->flash) == 1, &plan);
    }
    if (err == ESP_OK) {
        err = carry_out(device, &records, &plan);
    }
    if (err != ESP_OK || plan.count == 0 || !device->config.anti_rollback) {
        return err;
    }
    /* What was confirmed may be something that was selected and has not run yet. */
    bool runs = otadata_selects(&plan.changes[0].entry, slot_of(device->running), records.slot_count);
    return runs ? burn_running_version(device) : ESP_OK;
}

esp_err_t otter_ota_mark_app_invalid_rollback(otter_device_t *device, otter_fault_t *fault)
{
    records_t records;
    esp_err_t err = read_records(device, &records, fault);
    if (err != ESP_OK) {
        return err;
    }
    if (records.active == OTADATA_NONE) {
        return refuse_factory(fault);
    }
    if (must_record_anew(device, &records)) {
        return ESP_OK; /* without a record it does not boot again */
    }
    if (!rollback_is_possible(device, &records)) {
        ESP_LOGE(TAG, "Rollback is not possible, do not have any suitable apps in slots");
        return otter_fault(fault, ESP_ERR_OTA_ROLLBACK_FAILED, "there is nothing whole to fall back to");
    }
    switch_plan_t plan;
    switch_plan_reject(records.two, records.slot_count, &plan);
    err = carry_out(device, &records, &plan);
    if (err == ESP_OK) {
        ESP_LOGI(TAG, "Rollback to previously worked partition.");
    }
    return err;
}

/** Finds the copy that is not active, if it selects a slot that may be given up. @return ESP_OK, ESP_FAIL, ESP_ERR_FLASH_OP_* */
static esp_err_t find_previous(otter_device_t *device, records_t *records, uint32_t *copy,
                               const esp_partition_t **partition)
{
    esp_err_t err = read_active(device, records, NULL);
    if (err != ESP_OK) {
        return otter_flash_failed(err) ? err : ESP_FAIL;
    }
    *copy = (uint32_t)records->active ^ 1u;
    if (otadata_is_uninitialised(&records->two[*copy])) {
        return ESP_FAIL;
    }
    *partition = slot_of_copy(device, records, *copy);
    bool in_use = *partition == NULL || ota_is_running(device, *partition) ||
                  *partition == slot_of_copy(device, records, (uint32_t)records->active);
    return in_use ? ESP_FAIL : ESP_OK;
}

esp_err_t otter_ota_erase_last_boot_app_partition(otter_device_t *device)
{
    records_t records;
    uint32_t copy;
    const esp_partition_t *partition;
    esp_err_t err = find_previous(device, &records, &copy, &partition);
    if (err == ESP_OK) {
        err = ota_erase_range(device->flash, partition, 0, partition->size);
    }
    return err == ESP_OK ? otadata_erase_copy(device->flash, records.otadata->address, copy) : err;
}

esp_err_t otter_ota_invalidate_inactive_ota_data_slot(otter_device_t *device)
{
    records_t records;
    uint32_t copy;
    const esp_partition_t *partition;
    esp_err_t err = find_previous(device, &records, &copy, &partition);
    return err == ESP_OK ? otadata_erase_copy(device->flash, records.otadata->address, copy) : err;
}
