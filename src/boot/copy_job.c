/*
 * The work of one copy.
 *
 * Invariants
 * 1. Only final and, for marks, the journal's sector are written.
 * 2. A unit is marked after its bytes were programmed (copy_from). A mark that is lost, or is there too early, does no harm.
 * 3. While the table in use is replaced, its first record is invalid from before the erase until all else is in place
 *    (put_table_sector): a torn table is never taken for a shorter or older one, and the boot step looks for the journal.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/copy_job.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/le.h"
#include "otter/partition_table.h"
#include "otter/system.h"

esp_err_t copy_job_begin(copy_job_t *job, otter_flash_t *flash, const copy_journal_t *journal, bool is_table)
{
    *job = (copy_job_t){.flash = flash, .journal = *journal, .is_table = is_table};
    job->src = malloc(flash->erase_size);
    job->now = malloc(flash->erase_size);
    job->sha = otter_sha256_new();
    return job->src != NULL && job->now != NULL && job->sha != NULL ? ESP_OK : ESP_ERR_NO_MEM;
}

void copy_job_end(copy_job_t *job)
{
    otter_sha256_free(job->sha);
    free(job->now);
    free(job->src);
    memset(job, 0, sizeof(*job));
}

/** Bytes of the sector at `at` that are copied; the others are erased. */
static uint32_t copied_of_sector(const copy_job_t *job, uint32_t at)
{
    return at < job->journal.len ? min_u32(job->journal.len - at, job->flash->erase_size) : 0;
}

/** What the sector at `at` of final shall hold. */
static esp_err_t read_source(copy_job_t *job, uint32_t at)
{
    uint32_t have = copied_of_sector(job, at);
    memset(job->src + have, ERASED_BYTE, job->flash->erase_size - have);
    return otter_flash_read(job->flash, job->journal.staging_off + at, job->src, have);
}

static esp_err_t read_final(copy_job_t *job, uint32_t at)
{
    return otter_flash_read(job->flash, job->journal.final_off + at, job->now, job->flash->erase_size);
}

esp_err_t copy_job_source_digest(copy_job_t *job, uint8_t digest[OTTER_SHA256_LEN])
{
    if (!otter_sha256_reset(job->sha)) {
        return ESP_ERR_NO_MEM;
    }
    for (uint32_t at = 0; at < job->journal.len; at += job->flash->erase_size) {
        esp_err_t err = read_source(job, at);
        if (err != ESP_OK) {
            return err;
        }
        otter_sha256_update(job->sha, job->src, copied_of_sector(job, at));
        otter_system_alive();
    }
    otter_sha256_finish(job->sha, digest);
    return ESP_OK;
}

esp_err_t copy_job_is_done(copy_job_t *job, bool *done)
{
    uint32_t sector = job->flash->erase_size;
    *done = false;
    if (!otter_sha256_reset(job->sha)) {
        return ESP_ERR_NO_MEM;
    }
    for (uint32_t at = 0; at < job->journal.final_size; at += sector) {
        esp_err_t err = read_final(job, at);
        if (err != ESP_OK) {
            return err;
        }
        uint32_t copied = copied_of_sector(job, at);
        if (!bytes_are_erased(job->now + copied, sector - copied)) {
            return ESP_OK;
        }
        otter_sha256_update(job->sha, job->now, copied);
        otter_system_alive();
    }
    uint8_t digest[OTTER_SHA256_LEN];
    otter_sha256_finish(job->sha, digest);
    *done = memcmp(digest, job->journal.digest, sizeof(digest)) == 0;
    return ESP_OK;
}

/** Erases and programs the first sector of the table in use, with its first record invalid all the while. */
static esp_err_t put_table_sector(copy_job_t *job)
{
    otter_flash_t *flash = job->flash;
    uint32_t off = job->journal.final_off;
    uint32_t head = align_up_u32(OTTER_PARTITION_RECORD_SIZE, flash->write_size);
    memset(job->now, 0, head);
    esp_err_t err = otter_flash_program(flash, off, job->now, head);
    if (err == ESP_OK) {
        err = otter_flash_sync(flash);
    }
    if (err == ESP_OK) {
        err = otter_flash_erase(flash, off, flash->erase_size);
    }
    if (err == ESP_OK) {
        err = otter_flash_program(flash, off + head, job->src + head, flash->erase_size - head);
    }
    if (err == ESP_OK) {
        err = otter_flash_sync(flash);
    }
    return err == ESP_OK ? otter_flash_program(flash, off, job->src, head) : err;
}

/** Writes the sector at `at`. If it reads right already it is left alone, but only where flash reads stably. */
static esp_err_t put_sector(copy_job_t *job, uint32_t at)
{
    otter_flash_t *flash = job->flash;
    uint32_t sector = flash->erase_size, off = job->journal.final_off + at;
    esp_err_t err = read_source(job, at);
    if (err == ESP_OK) {
        err = read_final(job, at);
    }
    if (err != ESP_OK || (flash->stable_reads && memcmp(job->src, job->now, sector) == 0)) {
        return err;
    }
    if (job->is_table && at == 0) {
        return put_table_sector(job);
    }
    if (!flash->stable_reads || !bytes_are_erased(job->now, sector)) {
        err = otter_flash_erase(flash, off, sector);
    }
    uint32_t used = align_up_u32(copied_of_sector(job, at), flash->write_size);
    return err == ESP_OK ? otter_flash_program(flash, off, job->src, used) : err;
}

/** Copies from unit `first` on. `mark`: note progress. */
static esp_err_t copy_from(copy_job_t *job, uint32_t first, bool mark)
{
    const copy_journal_t *journal = &job->journal;
    uint32_t unit = first;
    for (uint32_t at = first * journal->unit; at < journal->final_size; unit++) {
        uint32_t end = min_u32(journal->unit, journal->final_size - at) + at;
        for (; at < end; at += job->flash->erase_size) {
            esp_err_t err = put_sector(job, at);
            if (err != ESP_OK) {
                return err;
            }
            otter_system_alive();
        }
        /* Where flash does not read stably, a mark must not be on the medium before the unit that it stands for. */
        esp_err_t err = mark && !job->flash->stable_reads ? otter_flash_sync(job->flash) : ESP_OK;
        if (err == ESP_OK && mark) {
            err = copy_journal_mark(job->flash, journal, unit);
        }
        if (err != ESP_OK) {
            return err;
        }
    }
    return otter_flash_sync(job->flash);
}

esp_err_t copy_job_run(copy_job_t *job, bool resumed)
{
    uint32_t first = 0;
    esp_err_t err = resumed ? copy_journal_count_done(job->flash, &job->journal, &first) : ESP_OK;
    if (err == ESP_OK) {
        err = copy_from(job, first, true);
    }
    bool done = false;
    if (err == ESP_OK) {
        err = copy_job_is_done(job, &done);
    }
    if (err != ESP_OK || done) {
        return err;
    }
    err = copy_from(job, 0, false); /* the marks promised too much, or flash lost something */
    if (err == ESP_OK) {
        err = copy_job_is_done(job, &done);
    }
    return err == ESP_OK && !done ? ESP_ERR_FLASH_OP_FAIL : err;
}
