/* The work of one copy with a journal, sector by sector. Whether it may be made is decided in staged_copy.c. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "boot/copy_journal.h"
#include "otter/promise.h"

#define COPY_JOB_PIECE_MIN OTTER_FLASH_UNIT_MAX /* bytes, where the flash lends no buffer */

/** One copy at work, which ends with copy_job_end(). It is not copied. */
typedef struct {
    otter_flash_t *flash;
    copy_journal_t journal;
    bool is_table;      /* final is the table in use: its first record is the last thing programmed */
    uint32_t piece;     /* bytes that are read or programmed at once: a sector, or a part of a large one */
    uint8_t *src, *now; /* one piece each: of the flash's buffer, or of `own` */
    otter_buffer_t lent;
    uint8_t own[2 * COPY_JOB_PIECE_MIN];
    otter_digest_t sha;
} copy_job_t;

/** Everything but the journal's digest must be set in `journal`. */
void copy_job_begin(copy_job_t *job, otter_flash_t *flash, const copy_journal_t *journal, bool is_table);

void copy_job_end(copy_job_t *job);

/** SHA-256 of what is to be copied, as it is in staging now. @return ESP_OK, ESP_ERR_FLASH_OP_* */
OTTER_MUST_CHECK esp_err_t copy_job_source_digest(copy_job_t *job, uint8_t digest[OTTER_SHA256_LEN]);

/** Does final hold all of it, and nothing behind it? @return ESP_OK, ESP_ERR_FLASH_OP_* */
OTTER_MUST_CHECK esp_err_t copy_job_is_done(copy_job_t *job, bool *done);

/**
 * Copy, after the journal was made durable. Units that are marked are left out at first. Where flash does not read stably, all
 * others are erased and written even if they read right, since their bits may hang. At the end the digest of final decides: if
 * it is wrong, every sector is compared and corrected once more.
 * @param resumed  after a cut
 * @return ESP_OK (durable, and read back right), ESP_ERR_FLASH_OP_FAIL (also: final does not keep what is written)
 */
OTTER_MUST_CHECK esp_err_t copy_job_run(copy_job_t *job, bool resumed);
