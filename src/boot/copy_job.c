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

#include <string.h>

#include "otter/bytes.h"
#include "flash/flash_buffer.h"
#include "otter/partition_table.h"
#include "otter/system.h"

#define PIECE_SIZE 4096u /* bytes, at most */

void copy_job_begin(copy_job_t *job, otter_flash_t *flash, const copy_journal_t *journal, bool is_table)
{
    *job = (copy_job_t){.flash = flash,
                        .journal = *journal,
                        .is_table = is_table,
                        .piece = min_u32(flash->erase_size, PIECE_SIZE),
                        .lent = flash_borrow_buffer(flash)};
    job->src = job->lent.bytes;
    if (job->lent.size < 2 * job->piece) {
        job->piece = min_u32(flash->erase_size, COPY_JOB_PIECE_MIN);
        job->src = job->own;
    }
    job->now = job->src + job->piece;
}

void copy_job_end(copy_job_t *job)
{
    otter_digest_end(&job->sha);
    flash_return_buffer(job->flash, &job->lent);
}

/** Bytes of the `size` from `at` on that are copied; the others are erased. */
static uint32_t copied_of(const copy_job_t *job, uint32_t at, uint32_t size)
{
    return at < job->journal.len ? min_u32(job->journal.len - at, size) : 0;
}

/** What the piece at `at` of final shall hold. */
static esp_err_t read_source(copy_job_t *job, uint32_t at)
{
    uint32_t have = copied_of(job, at, job->piece);
    memset(job->src + have, ERASED_BYTE, job->piece - have);
    return otter_flash_read(job->flash, job->journal.staging_off + at, job->src, have);
}

static esp_err_t read_final(copy_job_t *job, uint32_t at)
{
    return otter_flash_read_torn(job->flash, job->journal.final_off + at, job->now, job->piece);
}

/**
 * Is final erased from byte `from` of the piece at `at` on, which was read? What fills up a block of the cipher is not, and reads
 * so; what is erased does not read so through the cipher.
 */
static bool rest_is_erased(copy_job_t *job, uint32_t at, uint32_t from)
{
    const uint32_t whole = min_u32(align_up_u32(from, otter_flash_unit(job->flash)), job->piece);
    if (!bytes_are_erased(job->now + from, whole - from)) {
        return false;
    }
    return job->flash->cipher == NULL
               ? bytes_are_erased(job->now + whole, job->piece - whole)
               : otter_flash_reads_blank(job->flash, job->journal.final_off + at + whole, job->piece - whole);
}

esp_err_t copy_job_source_digest(copy_job_t *job, uint8_t digest[OTTER_SHA256_LEN])
{
    if (!otter_sha256_begin(&job->sha)) {
        return ESP_ERR_NO_MEM;
    }
    for (uint32_t at = 0; at < job->journal.len; at += job->piece) {
        esp_err_t err = read_source(job, at);
        if (err != ESP_OK) {
            return err;
        }
        otter_digest_update(&job->sha, job->src, copied_of(job, at, job->piece));
        otter_system_alive();
    }
    otter_digest_finish(&job->sha, digest);
    return ESP_OK;
}

esp_err_t copy_job_is_done(copy_job_t *job, bool *done)
{
    *done = false;
    if (!otter_sha256_begin(&job->sha)) {
        return ESP_ERR_NO_MEM;
    }
    for (uint32_t at = 0; at < job->journal.final_size; at += job->piece) {
        esp_err_t err = read_final(job, at);
        if (err != ESP_OK) {
            return err;
        }
        uint32_t copied = copied_of(job, at, job->piece);
        if (!rest_is_erased(job, at, copied)) {
            return ESP_OK;
        }
        otter_digest_update(&job->sha, job->now, copied);
        otter_system_alive();
    }
    uint8_t digest[OTTER_SHA256_LEN];
    otter_digest_finish(&job->sha, digest);
    *done = memcmp(digest, job->journal.digest, sizeof(digest)) == 0;
    return ESP_OK;
}

/** How the sector at `at` of final reads: as it shall be, or blank. Neither is known where flash does not read stably. */
static esp_err_t look_at_sector(copy_job_t *job, uint32_t at, bool *right, bool *blank)
{
    *right = *blank = job->flash->stable_reads;
    for (uint32_t done = 0; done < job->flash->erase_size && (*right || *blank); done += job->piece) {
        esp_err_t err = read_source(job, at + done);
        if (err == ESP_OK) {
            err = read_final(job, at + done);
        }
        if (err != ESP_OK) {
            return err;
        }
        const uint32_t copied = copied_of(job, at + done, job->piece);
        *right = *right && memcmp(job->src, job->now, copied) == 0 && rest_is_erased(job, at + done, copied);
        *blank = *blank && rest_is_erased(job, at + done, 0);
    }
    return ESP_OK;
}

/** Programs what the sector at `at` shall hold, but for the first `skip` bytes of it. */
static esp_err_t program_sector(copy_job_t *job, uint32_t at, uint32_t skip)
{
    otter_flash_t *flash = job->flash;
    const uint32_t used = align_up_u32(copied_of(job, at, flash->erase_size), otter_flash_unit(flash));
    for (uint32_t done = 0; done < used; done += job->piece) {
        const uint32_t from = done == 0 ? skip : 0, len = min_u32(used - done, job->piece);
        esp_err_t err = read_source(job, at + done);
        if (err == ESP_OK && len > from) {
            err = otter_flash_program(flash, job->journal.final_off + at + done + from, job->src + from,
                                      len - from);
        }
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}

/**
 * Erases and programs the first sector of the table in use, with its first record invalid all the while. Where units are
 * programmed once it cannot be made so before the erase: the boot step trusts no table there but one with a right MD5.
 */
static esp_err_t put_table_sector(copy_job_t *job)
{
    otter_flash_t *flash = job->flash;
    uint32_t off = job->journal.final_off;
    uint32_t head = align_up_u32(OTTER_PARTITION_RECORD_SIZE, otter_flash_unit(flash));
    memset(job->now, 0, head);
    esp_err_t err = flash->write_once ? ESP_OK : otter_flash_program_raw(flash, off, job->now, head);
    if (err == ESP_OK) {
        err = otter_flash_sync(flash);
    }
    if (err == ESP_OK) {
        err = otter_flash_erase(flash, off, flash->erase_size);
    }
    if (err == ESP_OK) {
        err = program_sector(job, 0, head);
    }
    if (err == ESP_OK) {
        err = otter_flash_sync(flash);
    }
    if (err == ESP_OK) {
        err = read_source(job, 0);
    }
    return err == ESP_OK ? otter_flash_program(flash, off, job->src, head) : err;
}

/** Writes the sector at `at`. If it reads right already it is left alone, but only where flash reads stably. */
static esp_err_t put_sector(copy_job_t *job, uint32_t at)
{
    otter_flash_t *flash = job->flash;
    bool right, blank;
    esp_err_t err = look_at_sector(job, at, &right, &blank);
    if (err != ESP_OK || right) {
        return err;
    }
    if (job->is_table && at == 0) {
        return put_table_sector(job);
    }
    if (!blank) {
        err = otter_flash_erase(flash, job->journal.final_off + at, flash->erase_size);
    }
    return err == ESP_OK ? program_sector(job, at, 0) : err;
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
    /* Where units are programmed once, a mark that a cut left hanging could not be made sure before its unit is written again. */
    const bool marks = !job->flash->write_once;
    esp_err_t err = resumed && marks ? copy_journal_count_done(job->flash, &job->journal, &first) : ESP_OK;
    if (err == ESP_OK) {
        err = copy_from(job, first, marks);
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
