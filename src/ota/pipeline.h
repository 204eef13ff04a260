/* The pipeline of a download: brings the bytes of a source through its stages (stage.h) to its end, a buffer at a time. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ota/https_source.h"
#include "ota/stage.h"
#include "otter/promise.h"

#define OTA_STAGES_MAX 4u /* that change bytes: the application's callback, decrypt, decompress, patch */

/** Where the bytes come from. @return as ota_pipeline_fill() */
typedef esp_err_t (*ota_read_t)(void *ctx, uint8_t *buf, size_t room, size_t *got);

/** A stage that changes bytes, and its input. */
typedef struct {
    ota_stage_t *stage; /* ours */
    uint8_t *in;        /* of the pipeline's size */
    size_t at, len;     /* what it has not taken: where it begins, how much it is */
    bool full;          /* it filled its room: it may have more to give before it gets more */
    bool ended;         /* nothing comes behind its input */
    bool finished;      /* all of its output was given out */
} ota_link_t;

typedef struct {
    ota_read_t read;
    void *ctx;
    ota_link_t links[OTA_STAGES_MAX];
    size_t count;
    ota_stage_t *end;              /* takes the image; the owner's */
    otter_update_report_t *report; /* the owner's; receives the causes */
    uint8_t *buffer;               /* image bytes that the end has not taken */
    size_t size;                   /* bytes that are read at a time; of all other buffers */
    size_t room, buffered;         /* bytes: of this buffer, at least as large; in it */
    bool is_lent;                  /* this one */
    /* A stage failed, with this code, for good: what it gave out may be forged, however much of it is an image. */
    esp_err_t failed;
    otter_fault_t fault; /* of the last call of a stage, or of the end */
} ota_pipeline_t;

/**
 * Puts a stage behind those that are there. It is the pipeline's from now on, also after an error.
 * @return ESP_OK, ESP_ERR_NO_MEM (also for a stage that is NULL, since there was none to make it)
 */
OTTER_MUST_CHECK esp_err_t ota_pipeline_add(ota_pipeline_t *p, ota_stage_t *stage);

/**
 * Memory for the pipeline: `size` bytes for what is read at a time, in front of each stage and of the end.
 * @param ahead  bytes more for the end, to be filled while it cannot take any; where there is no memory for them it has none
 * @param lent   `size` bytes for the end, the owner's; NULL: ours
 * @return as _add
 */
OTTER_MUST_CHECK esp_err_t ota_pipeline_allocate(ota_pipeline_t *p, size_t size, size_t ahead, uint8_t *lent);

/** All stages could go on where an earlier run ended. */
bool ota_pipeline_can_resume(const ota_pipeline_t *p);

/**
 * Has all stages go on where the last one had given out from->made bytes; 0 and nothing kept: from the beginning, all of them.
 * @return offset in the file that goes with it; 0: they cannot, and are at their beginning (one that cannot even do that ends
 *         the update)
 */
uint64_t ota_pipeline_resume(ota_pipeline_t *p, const ota_resume_t *from);

/** The stage that knows its format, if the pipeline is of one such; else NULL. */
ota_stage_t *ota_pipeline_knowing(const ota_pipeline_t *p);

/** As ota_stage_ops_t.about; where no stage knows anything `image` is -1, and nothing is kept. */
ota_about_t ota_pipeline_about(const ota_pipeline_t *p);

/**
 * One read of the source at most: image bytes into the buffer, up to `upto` in it (of `room`), which are more than there are.
 * @return ESP_OK (bytes came), ESP_ERR_NOT_FINISHED (none yet: call again), ESP_ERR_NOT_FOUND (that was all), or how it
 *         failed: what the source said, or a stage (ESP_FAIL where its code is one of these), for good
 */
OTTER_MUST_CHECK esp_err_t ota_pipeline_fill(ota_pipeline_t *p, size_t upto);

/** Offers `most` bytes of the buffer, even none, to the end: what it takes is gone. @return ESP_OK, or what the end said */
OTTER_MUST_CHECK esp_err_t ota_pipeline_drain(ota_pipeline_t *p, size_t most);

/** The end's verdict; everything was drained. */
OTTER_MUST_CHECK esp_err_t ota_pipeline_finish(ota_pipeline_t *p);

/** Frees the stages and all buffers. */
void ota_pipeline_free(ota_pipeline_t *p);
