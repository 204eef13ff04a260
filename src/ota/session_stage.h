/* The end of a download's pipeline: an update session, and the record of its progress. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ota/resume_record.h"
#include "ota/stage.h"
#include "ota/target.h"
#include "otter/promise.h"
#include "otter/update.h"

/**
 * feed begins the session if none is open, and writes; no bytes: it only begins. finish ends it with its verdict.
 *
 * Image bytes are counted once, by the session: `written` is what it said last, and what others show follows from it:
 *   report.bytes_resumed + report.bytes_written == written     (this update's own, and those of an earlier one)
 *   record.taken <= written, and equal to it as long as units are left to mark
 *   source.pos == written + what the pipeline's buffers hold   (of a file that is the image as it is)
 */
typedef struct {
    ota_stage_t stage;
    const ota_target_t *target;
    bool bulk_erase;    /* at the beginning, for the whole image */
    bool can_go_on;     /* the progress is recorded, and may be gone on with */
    uint64_t written;   /* bytes of the image in flash */
    uint32_t unproved;  /* where this update goes on, by the application's count alone. 0: not so */
    bool resumed;       /* it goes on where an earlier one stopped */
    bool incomplete;    /* finish judges what is there, though more should have come */
    resume_file_t file; /* for the record */

    otter_update_t update;
    uint8_t *tail; /* ours: room for a write unit of the flash, NULL for a small one */
    bool begun;    /* it was, and not ended since; others may have replaced it meanwhile */
    resume_record_t record;
} session_stage_t;

/** Before all else; `target` is the caller's. */
void session_stage_init(session_stage_t *s, const ota_target_t *target);

/**
 * Has flash that is erased in blocks begin with the one that the next byte needs.
 * @return bytes that feed can write without waiting for another one, at least 1; SIZE_MAX: it does not wait for any
 */
size_t session_stage_prepare(session_stage_t *s);

/** Gives up what is open. @return ESP_OK, also if nothing is */
OTTER_MUST_CHECK esp_err_t session_stage_drop(session_stage_t *s);

/** The same of an image that may be forged: nothing of it stays in the slot. @return as drop, ESP_ERR_FLASH_OP_* */
OTTER_MUST_CHECK esp_err_t session_stage_discard(session_stage_t *s);

/** Frees what the stage has; nothing is open. */
void session_stage_end(session_stage_t *s);

/** Bytes of the image that is written, if it is whole to its last byte by its own account; else 0. */
uint32_t session_stage_image_len(session_stage_t *s);

/** The verdict on what is written, which stays open. @return as ota_end() */
OTTER_MUST_CHECK esp_err_t session_stage_verify(session_stage_t *s);

/** Bytes of the image that is arriving: of those that are written. */
OTTER_MUST_CHECK esp_err_t session_stage_read(const session_stage_t *s, uint32_t offset, void *dst,
                                              uint32_t len);

/** The download is done: there is nothing to go on with. Without a record nothing happens. */
void session_stage_forget(session_stage_t *s);
