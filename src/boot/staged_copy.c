/*
 * Copies from a staging partition: which may be made, making one, and finishing those that were cut.
 *
 * Invariants
 * 1. A journal is followed only if the same rules allow it that were asked before it was written (staged_copy_check,
 *    source_may_go), and only while its source has the digest that it names (resume_copy).
 * 2. Final is not touched before the journal is durable, and the journal is cleared after final was read back and is right
 *    and durable (copy_and_clear). Staging's other bytes are not touched at all.
 * 3. After a journal was read, it is followed or cleared (finish_or_clear, copy_journal_clear) before it is read again: where
 *    flash does not read stably, the next reading may say something else.
 * 4. While no MD5 proves the table only one journal counts: that of the table's own copy, if the table it brings names the
 *    partition that it lies in (is_table_journal).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/staged_copy.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "otter/bytes.h"
#include "boot/copy_job.h"
#include "boot/table_update.h"
#include "boot/trust.h"
#include "esp_log.h"
#include "flash/partition_kind.h"
#include "flash/partition_list.h"
#include "otter/image.h"

static const char TAG[] = "copy";

/* ---- the rules ---- */

static bool touch(const esp_partition_t *a, const esp_partition_t *b)
{
    return ranges_overlap(a->address, a->size, b->address, b->size);
}

/** The table in use. */
static bool is_primary_table(const otter_device_t *device, const esp_partition_t *p)
{
    return kind_is_primary_table(p->type, p->subtype) && p->address == device->config.table_offset;
}

bool staged_copy_bootloader_is_whole(const otter_device_t *device, esp_partition_subtype_t subtype,
                                     bool missing)
{
    const esp_partition_t *p =
        otter_partition_list_find(&device->partitions, NULL, ESP_PARTITION_TYPE_BOOTLOADER, subtype, NULL);
    if (p == NULL) {
        return missing;
    }
    const otter_image_rules_t rules = {.chip = &device->chip,
                                       .flash_offset = p->address,
                                       .size = p->size,
                                       .bootloader = true,
                                       .trust = otter_trust_to_boot(device, true)};
    return otter_image_verify(device->flash, &rules, NULL, NULL) == ESP_OK;
}

/** After a power cut the primary bootloader finishes the copy, unless the bootloader is not in this flash. */
bool staged_copy_boots_without_primary(const otter_device_t *device)
{
    return !otter_chip_is_espressif(device->chip.id) ||
           staged_copy_bootloader_is_whole(device, ESP_PARTITION_SUBTYPE_BOOTLOADER_RECOVERY, false);
}

static esp_err_t check_geometry(const otter_device_t *device, const esp_partition_t *staging,
                                const esp_partition_t *final, uint32_t len, otter_fault_t *fault)
{
    const otter_flash_t *flash = device->flash;
    uint32_t journal = copy_journal_size(flash);
    const esp_partition_t *both[] = {staging, final};
    for (unsigned i = 0; i < 2; i++) {
        const esp_partition_t *p = both[i];
        if (((p->address | p->size) & (flash->erase_size - 1)) != 0 || p->size == 0 ||
            !range_fits(p->address, p->size, flash->size)) {
            return otter_fault(fault, ESP_ERR_INVALID_SIZE, "%s is not made of whole sectors of this flash",
                               p->label);
        }
    }
    if (!copy_journal_may_lie_in(staging->type, staging->subtype)) {
        return otter_fault(fault, ESP_ERR_NOT_SUPPORTED, "%s cannot be the staging partition of a copy",
                           staging->label);
    }
    if (copy_journal_unit(flash, final->size) == 0) {
        return otter_fault(fault, ESP_ERR_NOT_SUPPORTED,
                           "sectors of %" PRIu32 " bytes are too small for a journal", flash->erase_size);
    }
    if (len > final->size) {
        return otter_fault(fault, ESP_ERR_INVALID_SIZE, "%" PRIu32 " bytes do not fit %s of %" PRIu32, len,
                           final->label, final->size);
    }
    if (staging->size < journal || len > staging->size - journal) {
        return otter_fault(fault, ESP_ERR_INVALID_SIZE,
                           "%" PRIu32 " bytes leave no sector of %s for the journal", len, staging->label);
    }
    return ESP_OK;
}

/** Is `final` something that must not be replaced this way? */
static esp_err_t check_target(const otter_device_t *device, const esp_partition_t *final,
                              otter_fault_t *fault)
{
    uint32_t table = device->config.table_offset;
    if (device->config.emulated_efuses != NULL && kind_is_emulated_efuse(final->type, final->subtype)) {
        return otter_fault(fault, ESP_ERR_NOT_ALLOWED,
                           "%s holds the device's secure version, which never goes back", final->label);
    }
    if (final->readonly) {
        return otter_fault(fault, ESP_ERR_NOT_ALLOWED, "%s is read-only", final->label);
    }
    if (!is_primary_table(device, final) &&
        ranges_overlap(final->address, final->size, table, OTTER_PARTITION_TABLE_SECTOR)) {
        return otter_fault(fault, ESP_ERR_NOT_ALLOWED, "%s covers the partition table", final->label);
    }
    if (final->address < table && final->type != ESP_PARTITION_TYPE_BOOTLOADER) {
        return otter_fault(fault, ESP_ERR_NOT_ALLOWED, "%s covers the bootloader's place", final->label);
    }
    if (kind_is_primary_bootloader(final->type, final->subtype) &&
        !staged_copy_boots_without_primary(device)) {
        return otter_fault(fault, ESP_ERR_NOT_ALLOWED,
                           "%s is the only bootloader: after a power cut nothing could finish the copy",
                           final->label);
    }
    if (final->type == ESP_PARTITION_TYPE_DATA && final->subtype == ESP_PARTITION_SUBTYPE_DATA_OTA) {
        return otter_fault(fault, ESP_ERR_OTA_PARTITION_CONFLICT, "%s says what boots", final->label);
    }
    return ESP_OK;
}

static esp_err_t check_neighbours(const otter_device_t *device, const esp_partition_t *staging,
                                  const esp_partition_t *final, const esp_partition_t *boots,
                                  otter_fault_t *fault)
{
    if (touch(final, staging)) {
        return otter_fault(fault, ESP_ERR_OTA_PARTITION_CONFLICT, "%s overlaps %s", final->label,
                           staging->label);
    }
    if (boots != NULL && (touch(final, boots) || touch(staging, boots))) {
        return otter_fault(fault, ESP_ERR_OTA_PARTITION_CONFLICT, "%s is the application that runs",
                           boots->label);
    }
    for (uint32_t i = 0; i < device->partitions.count; i++) {
        const esp_partition_t *p = &device->partitions.items[i];
        if ((p != final && touch(p, final)) || (p != staging && touch(p, staging))) {
            return otter_fault(fault, ESP_ERR_OTA_PARTITION_CONFLICT, "%s overlaps %s", p->label,
                               p != final && touch(p, final) ? final->label : staging->label);
        }
    }
    return ESP_OK;
}

esp_err_t staged_copy_check(const otter_device_t *device, const esp_partition_t *staging,
                            const esp_partition_t *final, uint32_t len, const esp_partition_t *boots,
                            otter_fault_t *fault)
{
    esp_err_t err = check_neighbours(device, staging, final, boots, fault);
    if (err != ESP_OK) {
        return err;
    }
    err = check_geometry(device, staging, final, len, fault);
    if (err != ESP_OK) {
        return err;
    }
    return check_target(device, final, fault);
}

/** The new table, still in staging. */
static esp_err_t check_new_table(const otter_device_t *device, const copy_journal_t *journal,
                                 const esp_partition_t *const *keep, uint32_t keep_count,
                                 otter_fault_t *fault)
{
    if (journal->len < OTTER_PARTITION_TABLE_LEN) {
        return otter_fault(fault, ESP_ERR_INVALID_SIZE, "%" PRIu32 " bytes are no whole table", journal->len);
    }
    return table_update_check(device, journal->staging_off, keep, keep_count, fault);
}

/** Would the copy put something into final's last sector that the next boot takes for a journal? */
static esp_err_t check_no_journal_inside(const otter_device_t *device, const copy_journal_t *journal,
                                         otter_fault_t *fault)
{
    uint32_t size = copy_journal_size(device->flash), at = journal->final_size - size;
    uint8_t raw[4];
    if (!copy_journal_may_lie_in(journal->final_type, journal->final_subtype) || journal->final_size < size ||
        !range_fits(at, sizeof(raw), journal->len)) {
        return ESP_OK;
    }
    esp_err_t err = otter_flash_read(device->flash, journal->staging_off + at, raw, sizeof(raw));
    return err == ESP_OK && copy_journal_has_magic(raw)
               ? otter_fault(fault, ESP_ERR_OTA_VALIDATE_FAILED,
                             "the last sector would pass for a copy's journal")
               : err;
}

/** May these very bytes go to final? It comes before there is a copy_job_t, which is large: it is the deepest that boot goes. */
static esp_err_t source_may_go(const otter_device_t *device, const copy_journal_t *journal,
                               const esp_partition_t *staging, const esp_partition_t *final,
                               const esp_partition_t *boots, otter_fault_t *fault)
{
    esp_err_t err = check_no_journal_inside(device, journal, fault);
    if (err != ESP_OK) {
        return err;
    }
    if (is_primary_table(device, final)) {
        const esp_partition_t *const keep[] = {
            staging, final, boots,
            otter_partition_list_find(&device->partitions, NULL, ESP_PARTITION_TYPE_DATA,
                                      ESP_PARTITION_SUBTYPE_DATA_OTA, NULL),
            device->config.emulated_efuses != NULL
                ? otter_partition_list_find(&device->partitions, NULL, ESP_PARTITION_TYPE_DATA,
                                            ESP_PARTITION_SUBTYPE_DATA_EFUSE_EM, NULL)
                : NULL};
        return check_new_table(device, journal, keep, sizeof(keep) / sizeof(keep[0]), fault);
    }
    if (journal->final_type != ESP_PARTITION_TYPE_BOOTLOADER) {
        return ESP_OK;
    }
    /* The new bootloader, still in staging. A copy that was begun was judged then by the app's trust, if that is another. */
    const otter_image_rules_t rules = {.chip = &device->chip,
                                       .flash_offset = journal->staging_off,
                                       .size = journal->len,
                                       .bootloader = true,
                                       .trust = device->running != NULL ? trust_to_update(device, true)
                                                                        : otter_trust_to_boot(device, true)};
    return otter_image_verify(device->flash, &rules, NULL, fault);
}

/* ---- one copy ---- */

/** The journal is durable, so this copy will be finished: now, or after the next reset. */
static esp_err_t copy_and_clear(copy_job_t *job, bool resumed)
{
    esp_err_t err = copy_job_run(job, resumed);
    return err == ESP_OK ? copy_journal_clear(job->flash, copy_journal_end(&job->journal)) : err;
}

/** True if the error tells nothing about what is in flash. */
static bool says_nothing(esp_err_t err)
{
    return otter_flash_failed(err) || err == ESP_ERR_NO_MEM;
}

/** Makes the copy that has no journal yet. */
static esp_err_t start_copy(copy_job_t *job)
{
    /* the bytes must be on the medium before the journal that orders their copy */
    esp_err_t err = otter_flash_sync(job->flash);
    if (err == ESP_OK) {
        err = copy_job_source_digest(job, job->journal.digest);
    }
    bool done = false;
    if (err == ESP_OK && job->flash->stable_reads) {
        err = copy_job_is_done(job, &done);
    }
    if (err != ESP_OK || done) {
        return err;
    }
    err = copy_journal_write(job->flash, &job->journal);
    return err == ESP_OK ? copy_and_clear(job, false) : err;
}

/** Finishes the copy of an allowed journal, if its source is still what it was. @return ESP_ERR_INVALID_CRC: it is not */
static esp_err_t resume_copy(copy_job_t *job)
{
    uint8_t digest[OTTER_SHA256_LEN];
    esp_err_t err = copy_job_source_digest(job, digest);
    if (err != ESP_OK) {
        return err;
    }
    if (memcmp(digest, job->journal.digest, sizeof(digest)) != 0) {
        return ESP_ERR_INVALID_CRC;
    }
    err = copy_journal_confirm(job->flash, copy_journal_end(&job->journal));
    if (err == ESP_OK) {
        err = copy_and_clear(job, true);
    }
    return err == ESP_ERR_INVALID_CRC ? ESP_ERR_FLASH_OP_FAIL : err; /* the source could be read before */
}

/** What start_copy() or resume_copy() says, whose job lives no longer than they do. */
static esp_err_t copy_now(const otter_device_t *device, const copy_journal_t *journal,
                          const esp_partition_t *final, bool resumed)
{
    copy_job_t job;
    copy_job_begin(&job, device->flash, journal, is_primary_table(device, final));
    esp_err_t err = resumed ? resume_copy(&job) : start_copy(&job);
    copy_job_end(&job);
    return err;
}

static esp_err_t check_and_copy(otter_device_t *device, const esp_partition_t *staging,
                                const esp_partition_t *final, uint32_t len, otter_fault_t *fault)
{
    esp_err_t err = staged_copy_check(device, staging, final, len, device->running, fault);
    if (err != ESP_OK) {
        return err;
    }
    const copy_journal_t journal = {.staging_off = staging->address,
                                    .staging_size = staging->size,
                                    .final_off = final->address,
                                    .final_size = final->size,
                                    .final_type = (uint8_t) final->type,
                                    .final_subtype = (uint8_t) final->subtype,
                                    .len = len,
                                    .unit = copy_journal_unit(device->flash, final->size)};
    err = source_may_go(device, &journal, staging, final, device->running, fault);
    if (err != ESP_OK) {
        return says_nothing(err) ? err : ESP_ERR_OTA_VALIDATE_FAILED;
    }
    return copy_now(device, &journal, final, false);
}

esp_err_t staged_copy_run(otter_device_t *device, const esp_partition_t *staging,
                          const esp_partition_t *final, uint32_t len, otter_fault_t *fault)
{
    esp_err_t err = check_and_copy(device, staging, final, len, fault);
    if (err == ESP_OK) {
        ESP_LOGI(TAG, "%s: %" PRIu32 " bytes copied from %s", final->label, len, staging->label);
        return ESP_OK;
    }
    if (fault->why[0] == '\0') {
        otter_fault(fault, err, "%s could not be copied to %s: %s", staging->label, final->label,
                    esp_err_to_name(err));
    }
    ESP_LOGE(TAG, "%s", fault->why);
    return err;
}

/* ---- after a cut ---- */

/** The partition of the list that a journal calls final. A journal knows no wildcards. */
static const esp_partition_t *final_of(const otter_device_t *device, const copy_journal_t *journal)
{
    for (uint32_t i = 0; i < device->partitions.count; i++) {
        const esp_partition_t *p = &device->partitions.items[i];
        if (p->type == journal->final_type && p->subtype == journal->final_subtype &&
            p->address == journal->final_off && p->size == journal->final_size) {
            return p;
        }
    }
    return NULL;
}

/** Judges and follows one journal. @return ESP_OK, a failure of flash or memory, or why it must not be followed */
static esp_err_t try_journal(otter_device_t *device, const esp_partition_t *staging,
                             const copy_journal_t *journal, const esp_partition_t *boots,
                             otter_fault_t *fault)
{
    const esp_partition_t *final = final_of(device, journal);
    if (final == NULL || journal->staging_off != staging->address || journal->staging_size != staging->size) {
        return otter_fault(fault, ESP_ERR_NOT_FOUND, "it names partitions that do not exist");
    }
    esp_err_t err = staged_copy_check(device, staging, final, journal->len, boots, fault);
    if (err != ESP_OK) {
        return err;
    }
    err = source_may_go(device, journal, staging, final, boots, fault);
    if (err == ESP_OK) {
        err = copy_now(device, journal, final, true);
    }
    return err == ESP_ERR_INVALID_CRC
               ? otter_fault(fault, err, "what it copies from %s was overwritten", staging->label)
               : err;
}

/**
 * The journal is not followed, and never will be. Where units are programmed once it may be what a cut erase has left, which
 * takes no more flags; then what it copies went before it (copy_journal_remove), and the erase is done again.
 */
static esp_err_t discard(const otter_device_t *device, const copy_journal_t *journal, uint32_t end)
{
    uint8_t digest[OTTER_SHA256_LEN];
    if (!device->flash->write_once) {
        return copy_journal_clear(device->flash, end);
    }
    copy_job_t job;
    copy_job_begin(&job, device->flash, journal, false);
    esp_err_t err = copy_job_source_digest(&job, digest);
    copy_job_end(&job);
    if (err == ESP_ERR_INVALID_CRC ||
        (err == ESP_OK && memcmp(digest, journal->digest, sizeof(digest)) != 0)) {
        return copy_journal_erase(device->flash, end);
    }
    return err == ESP_OK ? copy_journal_clear(device->flash, end) : err;
}

/** One journal to its end: finished, or cleared. @return ESP_OK, or what keeps it for the next boot */
static esp_err_t finish_or_clear(otter_device_t *device, const esp_partition_t *staging,
                                 const copy_journal_t *journal, const esp_partition_t *boots)
{
    otter_fault_t fault = {0};
    ESP_LOGI(TAG, "%s holds an unfinished copy to 0x%" PRIx32, staging->label, journal->final_off);
    esp_err_t err = try_journal(device, staging, journal, boots, &fault);
    if (err == ESP_OK) {
        ESP_LOGI(TAG, "the copy to 0x%" PRIx32 " is finished", journal->final_off);
        return ESP_OK;
    }
    if (says_nothing(err)) {
        ESP_LOGE(TAG, "the copy to 0x%" PRIx32 " could not be finished: %s", journal->final_off,
                 esp_err_to_name(err));
        return err;
    }
    ESP_LOGW(TAG, "the journal in %s is not followed: %s", staging->label, fault.why);
    return discard(device, journal, staging->address + staging->size);
}

static esp_err_t reload_list(otter_device_t *device)
{
    return partition_list_load(&device->partitions, device->flash, device->config.table_offset,
                               device->config.allow_no_md5, NULL);
}

esp_err_t staged_copy_finish_all(otter_device_t *device, const esp_partition_t *boots)
{
    esp_err_t result = ESP_OK;
    bool table_copied = false;
    for (uint32_t i = 0; i < device->partitions.count; i++) {
        const esp_partition_t *p = &device->partitions.items[i];
        copy_journal_t journal;
        esp_err_t err = copy_journal_read_in(device->flash, p, &journal);
        if (err == ESP_OK) {
            err = finish_or_clear(device, p, &journal, boots);
            table_copied |= journal.final_off == device->config.table_offset;
        } else if (err == ESP_ERR_INVALID_STATE) {
            err = discard(device, &journal, p->address + p->size);
        }
        if (err != ESP_OK && err != ESP_ERR_NOT_FOUND && result == ESP_OK) {
            result = err;
        }
    }
    if (table_copied) {
        esp_err_t err = reload_list(device);
        result = result == ESP_OK ? err : result;
    }
    return result;
}

/** Can this be the journal of the copy of a table? `end` is where it ends. */
static bool is_table_journal(const otter_device_t *device, const copy_journal_t *journal, uint32_t end)
{
    return kind_is_primary_table(journal->final_type, journal->final_subtype) &&
           journal->final_off == device->config.table_offset && journal->staging_off < end &&
           journal->staging_size == end - journal->staging_off;
}

/** The table that the journal would bring is taken as the device's, and must allow the journal. */
static esp_err_t try_table_journal(otter_device_t *device, const copy_journal_t *journal)
{
    esp_err_t err = partition_list_load(&device->partitions, device->flash, journal->staging_off,
                                        device->config.allow_no_md5, NULL);
    const esp_partition_t *staging = NULL;
    device->partitions.boot_end = device->config.table_offset + OTTER_PARTITION_TABLE_SECTOR;
    for (uint32_t i = 0; i < device->partitions.count && staging == NULL; i++) {
        const esp_partition_t *p = &device->partitions.items[i];
        staging = p->address == journal->staging_off && p->size == journal->staging_size ? p : NULL;
    }
    if (staging == NULL) {
        return err == ESP_OK ? ESP_ERR_NOT_FOUND : err;
    }
    return try_journal(device, staging, journal, NULL, NULL);
}

/**
 * The journal that ends at `end`. Nothing says whether the partition that it is in is encrypted, so it is tried: the list may be
 * of a table that is torn, and is gone when the journal's own is read (try_table_journal).
 */
static esp_err_t read_without_table(otter_device_t *device, uint32_t end, copy_journal_t *journal)
{
    otter_flash_t *flash = device->flash;
    device->partitions.count = 0;
    flash->plain.len = 0;
    esp_err_t err = copy_journal_read(flash, end, journal);
    if (err != ESP_ERR_NOT_FOUND || flash->cipher == NULL) {
        return err;
    }
    flash->plain.off = end - copy_journal_size(flash);
    flash->plain.len = copy_journal_size(flash);
    err = copy_journal_read(flash, end, journal);
    if (err == ESP_OK) {
        flash->plain.off = journal->staging_off;
        flash->plain.len = journal->staging_size;
    }
    return err;
}

static esp_err_t rescue_table(otter_device_t *device)
{
    otter_flash_t *flash = device->flash;
    for (uint32_t end = flash->erase_size; end <= flash->size; end += flash->erase_size) {
        copy_journal_t journal;
        esp_err_t err = read_without_table(device, end, &journal);
        if (err == ESP_OK) {
            err = is_table_journal(device, &journal, end) ? try_table_journal(device, &journal)
                                                          : ESP_ERR_NOT_FOUND;
        }
        if (err == ESP_OK || says_nothing(err)) {
            return err;
        }
    }
    return ESP_ERR_NOT_FOUND;
}

esp_err_t staged_copy_rescue_table(otter_device_t *device)
{
    esp_err_t err = rescue_table(device);
    device->flash->plain.len = 0;
    if (err == ESP_OK) {
        ESP_LOGI(TAG, "the copy of the partition table is finished");
        return reload_list(device);
    }
    otter_ignore(reload_list(device)); /* keeps its own status */
    return err;
}

/** What is to become of the journal at the end of `p` before `partition` is overwritten. */
static esp_err_t release_journal(otter_device_t *device, const esp_partition_t *p,
                                 const esp_partition_t *partition)
{
    copy_journal_t journal;
    esp_err_t err = copy_journal_read_in(device->flash, p, &journal);
    if (err == ESP_ERR_NOT_FOUND) {
        return ESP_OK;
    }
    bool writes_here = err == ESP_OK && ranges_overlap(journal.final_off, journal.final_size,
                                                       partition->address, partition->size);
    if (err == ESP_ERR_INVALID_STATE || writes_here) {
        return discard(device, &journal, p->address + p->size);
    }
    return err == ESP_OK && p == partition ? finish_or_clear(device, p, &journal, device->running) : err;
}

esp_err_t staged_copy_release(otter_device_t *device, const esp_partition_t *partition)
{
    esp_err_t err = ESP_OK;
    for (uint32_t i = 0; i < device->partitions.count && err == ESP_OK; i++) {
        err = release_journal(device, &device->partitions.items[i], partition);
    }
    return err;
}

const otter_staged_copies_t otter_staged_copies = {
    .check = staged_copy_check,
    .run = staged_copy_run,
    .finish_all = staged_copy_finish_all,
    .rescue_table = staged_copy_rescue_table,
    .release = staged_copy_release,
};
