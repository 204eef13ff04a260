/*
 * Encrypts plain flash in place, as ESP-IDF's bootloader does at the first boot with flash encryption.
 *
 * Invariants
 * 1. A sector is erased only while its new bytes lie whole, and durably, in the journal: it is never in one place alone and torn
 *    there (put_aside before put_in_place).
 * 2. Which batch is in work is told by the newest head whose bytes have its digest. The slot that the next batch will take is of
 *    the one before, which is in its place, durably, when the newest head is written.
 * 3. Bits that a cut has left hanging are made sure before anything rests on how they read (make_sure): what reads whole is
 *    programmed over itself, which clears what hangs and lifts nothing; a head that may still come up from the other slot goes.
 * 4. The plan is durable before the first batch, and goes after the eFuses say that flash is encrypted (finish). Where it lies
 *    follows from what is in flash, so a plan that was torn is found and written again by the next boot (may_begin_at).
 * 5. The bootloader is the last, and the table the one before: where a chip's ROM needs its bootloader plain until the eFuse is
 *    burned, only a cut between the two stops it.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/first_encryption.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "boot/encryption_journal.h"
#include "esp_flash_partitions.h"
#include "esp_log.h"
#include "flash/partition_kind.h"
#include "otter/bootloader.h"
#include "otter/bytes.h"
#include "otter/image.h"
#include "otter/system.h"

static const char TAG[] = "flash_encrypt";

#define PIECE 4096u /* bytes that are in memory at once, at most */

typedef struct {
    otter_device_t *device;
    otter_flash_t *flash;
    encryption_plan_t plan;
    uint8_t raw[(ENCRYPTION_PLAN_MAX + OTTER_FLASH_UNIT_MAX - 1) / OTTER_FLASH_UNIT_MAX *
                OTTER_FLASH_UNIT_MAX]; /* the plan as it lies in flash */
    uint32_t raw_len;                  /* whole write units */
    uint32_t piece;
    uint8_t bytes[PIECE];
    otter_partition_entry_t rows[OTTER_PARTITIONS_MAX]; /* while the plan is made */
    uint32_t row_count;
} job_t;

static uint32_t write_units(const job_t *job, uint32_t len)
{
    return align_up_u32(len, job->flash->write_size);
}

/* ---- the journal in flash ---- */

/** In memory, as the cipher of the flash that waits will have it at `off`. */
static esp_err_t encrypt(const job_t *job, uint32_t off, uint8_t *data, uint32_t len)
{
    const otter_flash_cipher_t *cipher = job->flash->waiting;
    otter_lock(OTTER_LOCK_FLASH);
    bool ok = cipher->crypt(cipher->ctx, false, off, data, len);
    otter_unlock(OTTER_LOCK_FLASH);
    return ok ? ESP_OK : ESP_ERR_NO_MEM;
}

/** The seal of the plan in `raw`, which says that who made it has the key. */
static esp_err_t make_seal(const job_t *job, uint32_t len, uint8_t seal[OTTER_FLASH_CIPHER_BLOCK])
{
    uint8_t digest[OTTER_SHA256_LEN];
    if (!encryption_plan_digest(job->raw, len, digest)) {
        return ESP_ERR_NO_MEM;
    }
    memcpy(seal, digest, OTTER_FLASH_CIPHER_BLOCK);
    return encrypt(job, job->plan.at, seal, OTTER_FLASH_CIPHER_BLOCK);
}

/** The plan as it goes to flash, with its seal. */
static esp_err_t encode_plan(job_t *job)
{
    uint32_t len = encryption_plan_encode(&job->plan, job->raw);
    esp_err_t err = make_seal(job, len, job->plan.seal);
    if (err == ESP_OK) {
        memset(job->raw, ERASED_BYTE, sizeof(job->raw));
        len = encryption_plan_encode(&job->plan, job->raw);
        job->raw_len = write_units(job, len);
    }
    return err;
}

/** Is what lies at `at` this device's plan? @return ESP_ERR_NOT_FOUND: no; ESP_ERR_INVALID_STATE: by another key */
static esp_err_t read_plan(job_t *job, uint32_t at)
{
    const otter_flash_t *flash = job->flash;
    uint32_t count = 0;
    const uint32_t size = min_u32(sizeof(job->raw), flash->erase_size);
    esp_err_t err = otter_flash_read_raw(job->flash, at, job->raw, size);
    if (err == ESP_OK) {
        err = job->device->efuse.read_crypt_count(job->device->efuse.dev, &count);
    }
    if (err != ESP_OK) {
        return err;
    }
    if (!encryption_plan_decode(job->raw, size, &job->plan) || job->plan.at != at ||
        job->plan.sector != flash->erase_size || job->plan.crypt_count != count) {
        return ESP_ERR_NOT_FOUND;
    }
    bool fits = range_fits(at, encryption_plan_sectors(&job->plan) * job->plan.sector, flash->size);
    for (uint32_t i = 0; i < job->plan.range_count; i++) {
        fits = fits && range_fits(job->plan.ranges[i].offset, job->plan.ranges[i].len, flash->size);
    }
    if (!fits) {
        return ESP_ERR_NOT_FOUND;
    }
    uint8_t seal[OTTER_FLASH_CIPHER_BLOCK];
    const uint32_t len = encryption_plan_encode(&job->plan, job->raw);
    job->raw_len = write_units(job, len);
    err = make_seal(job, len, seal);
    return err != ESP_OK || memcmp(seal, job->plan.seal, sizeof(seal)) == 0
               ? err
               : otter_fault(&job->device->fault, ESP_ERR_INVALID_STATE,
                             "this flash is encrypted in part, by another key than the eFuses hold");
}

/** @return ESP_ERR_NOT_FOUND: it has not begun */
static esp_err_t find_plan(job_t *job)
{
    for (uint32_t at = 0; at < job->flash->size; at += job->flash->erase_size) {
        uint8_t magic[4];
        esp_err_t err = otter_flash_read_raw(job->flash, at, magic, sizeof(magic));
        if (err == ESP_OK && encryption_plan_has_magic(magic)) {
            err = read_plan(job, at);
            if (err != ESP_ERR_NOT_FOUND) {
                return err;
            }
        } else if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_ERR_NOT_FOUND;
}

/** SHA-256 of what lies at [off, off + len). */
static esp_err_t digest_of(job_t *job, uint32_t off, uint32_t len, uint8_t digest[OTTER_SHA256_LEN])
{
    otter_digest_t sha = {0};
    esp_err_t err = otter_sha256_begin(&sha) ? ESP_OK : ESP_ERR_NO_MEM;
    for (uint32_t done = 0; done < len && err == ESP_OK; done += job->piece) {
        err = otter_flash_read_raw(job->flash, off + done, job->bytes, job->piece);
        if (err == ESP_OK) {
            otter_digest_update(&sha, job->bytes, job->piece);
        }
    }
    if (err == ESP_OK) {
        otter_digest_finish(&sha, digest);
    }
    otter_digest_end(&sha);
    return err;
}

/** The same of a batch in its slot, or in its place. */
static esp_err_t digest_batch(job_t *job, uint32_t number, bool in_place, uint8_t digest[OTTER_SHA256_LEN])
{
    const encryption_range_t batch = encryption_plan_batch(&job->plan, number);
    return digest_of(job, in_place ? batch.offset : encryption_plan_slot(&job->plan, number), batch.len,
                     digest);
}

/** The head of a slot, if all that it says is there. @param[out] number  of the batch. @return ESP_ERR_NOT_FOUND: it is not */
static esp_err_t read_slot(job_t *job, uint32_t slot, uint32_t *number)
{
    uint8_t raw[ENCRYPTION_HEAD_SIZE], digest[OTTER_SHA256_LEN];
    encryption_head_t head;
    esp_err_t err =
        otter_flash_read_raw(job->flash, encryption_plan_head(&job->plan, slot), raw, sizeof(raw));
    if (err != ESP_OK) {
        return err;
    }
    if (!encryption_head_decode(raw, &head) || head.plan_crc != job->plan.crc || head.number % 2 != slot ||
        head.number >= encryption_plan_batches(&job->plan)) {
        return ESP_ERR_NOT_FOUND;
    }
    *number = head.number;
    err = digest_batch(job, head.number, false, digest);
    return err == ESP_OK && memcmp(digest, head.digest, sizeof(digest)) != 0 ? ESP_ERR_NOT_FOUND : err;
}

/** The batch in work: all before it are in their places. @return ESP_ERR_NOT_FOUND: none, and nothing is encrypted */
static esp_err_t find_batch(job_t *job, uint32_t *number)
{
    bool found = false;
    for (uint32_t slot = 0; slot < 2; slot++) {
        uint32_t has;
        esp_err_t err = read_slot(job, slot, &has);
        if (err != ESP_OK && err != ESP_ERR_NOT_FOUND) {
            return err;
        }
        if (err == ESP_OK && (!found || has > *number)) {
            found = true;
            *number = has;
        }
    }
    return found ? ESP_OK : ESP_ERR_NOT_FOUND;
}

/* ---- the work ---- */

static esp_err_t program_plan(const job_t *job)
{
    esp_err_t err = otter_flash_program_raw(job->flash, job->plan.at, job->raw, job->raw_len);
    return err == ESP_OK ? otter_flash_sync(job->flash) : err;
}

static esp_err_t program_head(job_t *job, uint32_t number, const uint8_t digest[OTTER_SHA256_LEN])
{
    encryption_head_t head = {.number = number, .plan_crc = job->plan.crc};
    const uint32_t len = write_units(job, ENCRYPTION_HEAD_SIZE);
    memcpy(head.digest, digest, sizeof(head.digest));
    memset(job->bytes, ERASED_BYTE, len);
    encryption_head_encode(&head, job->bytes);
    esp_err_t err =
        otter_flash_program_raw(job->flash, encryption_plan_head(&job->plan, number), job->bytes, len);
    return err == ESP_OK ? otter_flash_sync(job->flash) : err;
}

/** The batch as it will lie in flash, into its slot. @param sha  of it, begun */
static esp_err_t fill_slot(job_t *job, uint32_t number, otter_digest_t *sha)
{
    const encryption_range_t batch = encryption_plan_batch(&job->plan, number);
    const uint32_t slot = encryption_plan_slot(&job->plan, number);
    esp_err_t err = otter_flash_erase(job->flash, slot, batch.len);
    if (err == ESP_OK) {
        err = otter_flash_erase(job->flash, encryption_plan_head(&job->plan, number), job->plan.sector);
    }
    for (uint32_t done = 0; done < batch.len && err == ESP_OK; done += job->piece) {
        err = otter_flash_read_raw(job->flash, batch.offset + done, job->bytes, job->piece);
        err = err == ESP_OK ? encrypt(job, batch.offset + done, job->bytes, job->piece) : err;
        if (err == ESP_OK) {
            otter_digest_update(sha, job->bytes, job->piece);
            err = otter_flash_program_raw(job->flash, slot + done, job->bytes, job->piece);
        }
    }
    return err;
}

/** The batch beside its place, read back; then its head says so, and both are durable. A head without its bytes is none. */
static esp_err_t put_aside(job_t *job, uint32_t number)
{
    uint8_t wanted[OTTER_SHA256_LEN] = {0}, digest[OTTER_SHA256_LEN];
    otter_digest_t sha = {0};
    esp_err_t err = otter_sha256_begin(&sha) ? fill_slot(job, number, &sha) : ESP_ERR_NO_MEM;
    if (err == ESP_OK) {
        otter_digest_finish(&sha, wanted);
        err = digest_batch(job, number, false, digest);
    }
    otter_digest_end(&sha);
    if (err == ESP_OK && memcmp(digest, wanted, sizeof(digest)) != 0) {
        err = ESP_ERR_FLASH_OP_FAIL; /* this flash does not keep what is written */
    }
    return err == ESP_OK ? program_head(job, number, wanted) : err;
}

static esp_err_t copy_to_place(job_t *job, uint32_t number)
{
    const encryption_range_t batch = encryption_plan_batch(&job->plan, number);
    const uint32_t slot = encryption_plan_slot(&job->plan, number);
    esp_err_t err = ESP_OK;
    for (uint32_t done = 0; done < batch.len && err == ESP_OK; done += job->piece) {
        if ((done & (job->plan.sector - 1)) == 0) {
            err = otter_flash_erase(job->flash, batch.offset + done, job->plan.sector);
            otter_system_alive();
        }
        err = err == ESP_OK ? otter_flash_read_raw(job->flash, slot + done, job->bytes, job->piece) : err;
        err = err == ESP_OK ? otter_flash_program_raw(job->flash, batch.offset + done, job->bytes, job->piece)
                            : err;
    }
    return err == ESP_OK ? otter_flash_sync(job->flash) : err;
}

/** From the slot to where the batch belongs, read back: its slot is the next but one's. */
static esp_err_t put_in_place(job_t *job, uint32_t number)
{
    uint8_t aside[OTTER_SHA256_LEN], placed[OTTER_SHA256_LEN];
    esp_err_t err = copy_to_place(job, number);
    err = err == ESP_OK ? digest_batch(job, number, false, aside) : err;
    err = err == ESP_OK ? digest_batch(job, number, true, placed) : err;
    return err == ESP_OK && memcmp(aside, placed, sizeof(aside)) != 0 ? ESP_ERR_FLASH_OP_FAIL : err;
}

/** Plan and batch read whole: now they stay so, and nothing newer comes up any more. */
static esp_err_t make_sure(job_t *job, uint32_t number)
{
    const uint32_t slot = encryption_plan_slot(&job->plan, number),
                   len = encryption_plan_batch(&job->plan, number).len;
    uint8_t digest[OTTER_SHA256_LEN];
    esp_err_t err = digest_batch(job, number, false, digest);
    for (uint32_t done = 0; done < len && err == ESP_OK; done += job->piece) {
        err = otter_flash_read_raw(job->flash, slot + done, job->bytes, job->piece);
        if (err == ESP_OK) {
            err = otter_flash_program_raw(job->flash, slot + done, job->bytes, job->piece);
        }
    }
    err = err == ESP_OK ? otter_flash_sync(job->flash) : err;
    err = err == ESP_OK ? program_head(job, number, digest) : err;
    if (err == ESP_OK) {
        err = otter_flash_erase(job->flash, encryption_plan_head(&job->plan, number + 1), job->plan.sector);
    }
    return err == ESP_OK ? otter_flash_sync(job->flash) : err;
}

/** ESP-IDF's words, when the first batch of a range begins and when its last one is done. */
static void tell(const job_t *job, const encryption_range_t *batch, bool begins)
{
    const encryption_range_t *range = job->plan.ranges;
    while (batch->offset < range->offset || batch->offset - range->offset >= range->len) {
        range++;
    }
    if (begins && batch->offset == range->offset && range->row < OTTER_PARTITIONS_MAX) {
        ESP_LOGI(TAG, "Encrypting partition %" PRIu32 " at offset 0x%" PRIx32 " (length 0x%" PRIx32 ")...",
                 range->row, range->offset, range->len);
    }
    if (!begins && batch->offset + batch->len == range->offset + range->len) {
        ESP_LOGI(TAG, "%s",
                 range->row == ENCRYPTION_ROW_TABLE ? "partition table encrypted and loaded successfully"
                 : range->row == ENCRYPTION_ROW_BOOTLOADER ? "bootloader encrypted successfully"
                                                           : "Done encrypting");
    }
}

/** @param aside  the first one lies in its slot already */
static esp_err_t encrypt_from(job_t *job, uint32_t first, bool aside)
{
    const uint32_t count = encryption_plan_batches(&job->plan);
    esp_err_t err = ESP_OK;
    for (uint32_t number = first; number < count && err == ESP_OK; number++) {
        const encryption_range_t batch = encryption_plan_batch(&job->plan, number);
        tell(job, &batch, true);
        err = aside && number == first ? ESP_OK : put_aside(job, number);
        err = err == ESP_OK ? put_in_place(job, number) : err;
        if (err == ESP_OK) {
            tell(job, &batch, false);
        }
    }
    return err;
}

/** All is in its place: the eFuses say so, the flash has its cipher, and the journal is nothing any more. */
static esp_err_t finish(job_t *job)
{
    otter_flash_t *flash = job->flash;
    esp_err_t err = job->device->efuse.burn_crypt_count(job->device->efuse.dev);
    if (err != ESP_OK) {
        return err;
    }
    flash->cipher = flash->waiting;
    flash->waiting = NULL;
    ESP_LOGI(TAG, "Flash encryption completed");
    err = otter_flash_erase(flash, job->plan.at, encryption_plan_sectors(&job->plan) * job->plan.sector);
    otter_ignore(err == ESP_OK ? otter_flash_sync(flash) : err); /* nobody reads these sectors any more */
    return ESP_OK;
}

/* ---- the plan ---- */

static void take_row(void *arg, uint32_t index, const otter_partition_entry_t *entry)
{
    job_t *job = arg;
    if (index < OTTER_PARTITIONS_MAX) {
        job->rows[index] = *entry;
        job->row_count = index + 1;
    }
}

static esp_err_t read_rows(job_t *job)
{
    const otter_partition_taker_t taker = {take_row, job};
    return otter_partition_table_verify_at(job->flash, job->device->config.table_offset, job->flash->size,
                                           &taker, &job->device->fault);
}

/** As in the list of partitions: the table and what starts the device have ranges of their own. */
static bool is_itself(uint32_t row, const otter_partition_entry_t *entry)
{
    return (row == ENCRYPTION_ROW_TABLE && kind_is_primary_table(entry->type, entry->subtype)) ||
           (row == ENCRYPTION_ROW_BOOTLOADER && kind_is_primary_bootloader(entry->type, entry->subtype));
}

/** One more range, in whole sectors, which nobody else may have a part of. */
static esp_err_t add_range(job_t *job, uint32_t offset, uint32_t len, uint32_t row)
{
    const uint32_t sector = job->flash->erase_size;
    const char *name = row == ENCRYPTION_ROW_TABLE        ? "the partition table"
                       : row == ENCRYPTION_ROW_BOOTLOADER ? "the bootloader"
                                                          : job->rows[row].label;
    const uint32_t whole = align_up_u32(len, sector);
    if (len == 0) {
        return ESP_OK;
    }
    if ((offset & (sector - 1)) != 0 || !range_fits(offset, whole, job->flash->size)) {
        return otter_fault(&job->device->fault, ESP_ERR_INVALID_STATE,
                           "%s at 0x%" PRIx32 " does not begin with a sector of %" PRIu32
                           " bytes, so it cannot be encrypted in place",
                           name, offset, sector);
    }
    for (uint32_t i = 0; i < job->row_count; i++) {
        const otter_partition_entry_t *other = &job->rows[i];
        if (i != row && !is_itself(row, other) && other->size != 0 &&
            ranges_overlap(offset, whole, other->offset, other->size)) {
            return otter_fault(&job->device->fault, ESP_ERR_INVALID_STATE,
                               "%s and %s share a sector, so neither can be encrypted in place", name,
                               other->label);
        }
    }
    job->plan.ranges[job->plan.range_count++] =
        (encryption_range_t){.offset = offset, .len = whole, .row = row};
    return ESP_OK;
}

/** Does an image lie there that the device would take? @param[out] len  its bytes, with its signature */
static esp_err_t look_for_image(job_t *job, uint32_t offset, uint32_t size, bool bootloader, uint32_t *len)
{
    const otter_image_rules_t rules = {.chip = &job->device->chip,
                                       .flash_offset = offset,
                                       .size = size,
                                       .bootloader = bootloader,
                                       .trust = otter_trust_to_boot(job->device, bootloader)};
    otter_image_info_t info;
    esp_err_t err = otter_image_verify(job->flash, &rules, &info, NULL);
    *len = err == ESP_OK ? info.image_len : 0;
    return otter_flash_failed(err) || err == ESP_ERR_NO_MEM ? err : ESP_OK;
}

/** What is encrypted of a row: all of it, or nothing. */
static esp_err_t add_row(job_t *job, uint32_t row)
{
    const otter_partition_entry_t *entry = &job->rows[row];
    const bool bootloader = entry->type == PART_TYPE_BOOTLOADER;
    bool encrypted =
        (entry->flags & PART_FLAG_ENCRYPTED) != 0 || kind_is_encrypted(entry->type, entry->subtype);
    if (kind_is_primary(entry->type, entry->subtype) || entry->size == 0) {
        return ESP_OK;
    }
    if (entry->type == PART_TYPE_APP || bootloader) {
        uint32_t len;
        esp_err_t err = look_for_image(job, entry->offset, entry->size, bootloader, &len);
        if (err != ESP_OK) {
            return err;
        }
        encrypted = len != 0;
    } else if (entry->type == PART_TYPE_PARTITION_TABLE) {
        encrypted = entry->size >= OTTER_PARTITION_TABLE_LEN &&
                    otter_partition_table_verify_at(job->flash, entry->offset, job->flash->size, NULL,
                                                    NULL) == ESP_OK;
    }
    return encrypted ? add_range(job, entry->offset, entry->size, row) : ESP_OK;
}

/** The bootloader that the ROM starts. A device whose bootloader is not in this flash has none. */
static esp_err_t add_bootloader(job_t *job)
{
    const otter_device_t *device = job->device;
    const otter_chip_facts_t *chip = otter_chip_facts(device->chip.id);
    const uint32_t offset = chip != NULL ? chip->bootloader_offset : 0, table = device->config.table_offset;
    if (offset >= table || otter_bootloader_look(job->flash, offset, table).kind == OTTER_BOOTLOADER_BLANK) {
        return ESP_OK;
    }
    uint32_t len;
    esp_err_t err = look_for_image(job, offset, table - offset, true, &len);
    if (err == ESP_OK && len == 0 && otter_chip_is_espressif(device->chip.id)) {
        err = otter_fault(&job->device->fault, ESP_ERR_INVALID_STATE,
                          "what lies at 0x%" PRIx32 " is no valid bootloader", offset);
    }
    return err == ESP_OK ? add_range(job, offset, len, ENCRYPTION_ROW_BOOTLOADER) : err;
}

/** May the journal lie in this sector? In no partition but an app's that holds no image. */
static bool may_lie_at(const job_t *job, uint32_t at)
{
    const uint32_t sector = job->flash->erase_size;
    bool may = at >= job->device->config.table_offset + max_u32(sector, OTTER_PARTITION_TABLE_SECTOR);
    for (uint32_t i = 0; i < job->row_count && may; i++) {
        const otter_partition_entry_t *row = &job->rows[i];
        may = row->type == PART_TYPE_APP || !ranges_overlap(at, sector, row->offset, row->size);
    }
    for (uint32_t i = 0; i < job->plan.range_count && may; i++) {
        may = !ranges_overlap(at, sector, job->plan.ranges[i].offset, job->plan.ranges[i].len);
    }
    return may;
}

/**
 * May the plan be programmed here? Where a cut has torn it before, what lies there has every bit that this plan has, and is blank
 * behind it.
 */
static bool may_begin_at(job_t *job, uint32_t at)
{
    job->plan.at = at;
    if (!may_lie_at(job, at) || encode_plan(job) != ESP_OK ||
        !otter_flash_reads_blank(job->flash, at + job->raw_len, job->flash->erase_size - job->raw_len) ||
        otter_flash_read_raw(job->flash, at, job->bytes, job->raw_len) != ESP_OK) {
        return false;
    }
    uint8_t missing = 0;
    for (uint32_t i = 0; i < job->raw_len; i++) {
        missing |= (uint8_t)(job->raw[i] & ~job->bytes[i]);
    }
    return missing == 0;
}

/** The last sectors that are free and erased, as many as a batch of this size needs. */
static bool find_room(job_t *job)
{
    const uint32_t sector = job->flash->erase_size, needed = encryption_plan_sectors(&job->plan);
    uint32_t free = 0;
    for (uint32_t at = job->flash->size; at > 0;) {
        at -= sector;
        if (free + 1 >= needed && may_begin_at(job, at)) {
            return true;
        }
        free = may_lie_at(job, at) && otter_flash_reads_blank(job->flash, at, sector) ? free + 1 : 0;
        otter_system_alive();
    }
    return false;
}

static esp_err_t check_begin(const job_t *job)
{
    otter_flash_t encrypted = *job->flash;
    encrypted.cipher = job->flash->waiting;
    otter_fault_t *fault = &job->device->fault;
    if (job->flash->write_once || job->flash->erase_size < sizeof(job->raw)) {
        return otter_fault(fault, ESP_ERR_NOT_SUPPORTED,
                           "flash that is programmed once, or in sectors below %zu bytes, is not encrypted "
                           "in place: make it encrypted",
                           sizeof(job->raw));
    }
    return otter_flash_check_geometry(&encrypted, fault);
}

/** What is to be encrypted, and where the journal goes; nothing is written. */
static esp_err_t make_plan(job_t *job)
{
    otter_device_t *device = job->device;
    job->plan = (encryption_plan_t){.sector = job->flash->erase_size};
    esp_err_t err = check_begin(job);
    err = err == ESP_OK ? read_rows(job) : err;
    for (uint32_t row = 0; row < job->row_count && err == ESP_OK; row++) {
        err = add_row(job, row);
    }
    if (err == ESP_OK) {
        err = add_range(job, device->config.table_offset, OTTER_PARTITION_TABLE_SECTOR, ENCRYPTION_ROW_TABLE);
    }
    err = err == ESP_OK ? add_bootloader(job) : err;
    if (err == ESP_OK) {
        err = device->efuse.read_crypt_count(device->efuse.dev, &job->plan.crypt_count);
    }
    if (err != ESP_OK) {
        return err;
    }
    for (job->plan.batch = ENCRYPTION_BATCH_MAX; job->plan.batch > 0; job->plan.batch /= 2) {
        if (find_room(job)) {
            return ESP_OK;
        }
    }
    return otter_fault(&device->fault, ESP_ERR_INVALID_SIZE,
                       "there are no five erased sectors of %" PRIu32
                       " bytes in a row outside of all partitions, or in an app partition without an image: "
                       "to encrypt flash needs so many, erase a slot",
                       job->flash->erase_size);
}

static esp_err_t begin(job_t *job)
{
    esp_err_t err = make_plan(job);
    if (err == ESP_OK) {
        err = otter_flash_erase(job->flash, job->plan.at, job->plan.sector);
    }
    err = err == ESP_OK ? otter_flash_sync(job->flash) : err;
    err = err == ESP_OK ? program_plan(job) : err;
    return err == ESP_OK ? encrypt_from(job, 0, false) : err;
}

/** Of the sectors before a batch, and of all. */
static void count_sectors(const job_t *job, uint32_t number, otter_first_boot_t *state)
{
    for (uint32_t i = 0; i < encryption_plan_batches(&job->plan); i++) {
        const uint32_t sectors = encryption_plan_batch(&job->plan, i).len / job->plan.sector;
        state->sectors += sectors;
        state->done += i < number ? sectors : 0;
    }
}

static esp_err_t go_on(job_t *job)
{
    uint32_t number = 0;
    otter_first_boot_t state = {0};
    esp_err_t err = find_batch(job, &number);
    const bool aside = err == ESP_OK;
    err = err == ESP_ERR_NOT_FOUND ? ESP_OK : err;
    if (err == ESP_OK && !job->flash->stable_reads) {
        err = program_plan(job);
        err = err == ESP_OK && aside ? make_sure(job, number) : err;
    }
    if (err != ESP_OK) {
        return err;
    }
    count_sectors(job, number, &state);
    ESP_LOGW(TAG,
             "going on with an encryption that was broken off: %" PRIu32 " of %" PRIu32 " sectors are done",
             state.done, state.sectors);
    return encrypt_from(job, number, aside);
}

/** Memory for the work, which ends with free(). @return NULL: device->fault says why */
static job_t *new_job(otter_device_t *device)
{
    if (device->efuse.read_crypt_count == NULL || device->efuse.burn_crypt_count == NULL) {
        otter_fault(&device->fault, ESP_ERR_NOT_SUPPORTED,
                    "this device has no eFuses that say that its flash is encrypted");
        return NULL;
    }
    job_t *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        otter_fault(&device->fault, ESP_ERR_NO_MEM, "out of memory");
        return NULL;
    }
    job->device = device;
    job->flash = device->flash;
    job->piece = min_u32(device->flash->erase_size, PIECE);
    return job;
}

static esp_err_t look(otter_device_t *device, otter_first_boot_t *state)
{
    job_t *job = new_job(device);
    *state = (otter_first_boot_t){0};
    if (job == NULL) {
        return device->fault.code;
    }
    uint32_t number = 0;
    esp_err_t err = find_plan(job);
    state->begun = err == ESP_OK;
    if (state->begun) {
        err = find_batch(job, &number);
        count_sectors(job, number, state);
    }
    free(job);
    return err == ESP_ERR_NOT_FOUND ? ESP_OK : err;
}

static esp_err_t run(otter_device_t *device)
{
    job_t *job = new_job(device);
    if (job == NULL) {
        return device->fault.code;
    }
    esp_err_t err = find_plan(job);
    err = err == ESP_OK ? go_on(job) : err == ESP_ERR_NOT_FOUND ? begin(job) : err;
    err = err == ESP_OK ? finish(job) : err;
    free(job);
    return err;
}

const otter_first_encryption_t otter_first_encryption = {.look = look, .run = run};
