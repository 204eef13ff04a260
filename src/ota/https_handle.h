/* The inside of an esp_https_ota handle: what its source files share. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ota/gate.h"
#include "ota/https_ota.h"
#include "ota/https_source.h"
#include "ota/pipeline.h"
#include "ota/session_stage.h"
#include "otter/promise.h"

/** What any task may ask for while another one performs: written by https_show_progress(), under OTTER_LOCK_SYSTEM. */
typedef struct {
    int len_read, image_size, status; /* -1: not known */
    bool complete;
} https_progress_t;

/** source -> pipeline -> gate -> session; all in here but the stages of the pipeline. */
typedef struct {
    otter_device_t *device;
    esp_http_client_handle_t client;
    https_source_t source;
    uint16_t header_size; /* bytes of the file that are no image, by the configuration */
    ota_target_t target;
    ota_pipeline_t pipeline;
    ota_gate_t gate;
    session_stage_t session;
    uint64_t image_again; /* bytes of the image that were made of what a server sends for the second time */
    bool delivered;       /* everything came and is written; nothing is judged yet */
    https_progress_t shown;
} https_ota_t;

/* https_begin.c */
void https_free(https_ota_t *ota);

/* https_body.c: callbacks, whose `ctx` is the handle */
/** Reads the source for the pipeline, and compares what comes again. */
OTTER_MUST_CHECK esp_err_t https_read_body(void *ctx, uint8_t *buf, size_t room, size_t *got);
/** The image ends at byte `pos` of the stream, by what the session has read of it in flash. */
bool https_image_is_whole(void *ctx, uint64_t pos);

/* https_query.c */
/** Bytes of the image as far as the server told, -1: it did not. What stages make of them may be more, or less. */
int64_t https_image_size(const https_ota_t *ota);
/** The application, or whoever waits with it, has not given up; `left_ms` of a pause are left. `ctx` is the handle. */
bool https_may_wait(void *ctx, uint32_t left_ms);
/** What the queries answer from now on. */
void https_show_progress(https_ota_t *ota);
/**
 * Reads until the head of the image is in the pipeline's buffer, or all there is; nothing is written then.
 * @return ESP_OK, or how reading failed
 */
OTTER_MUST_CHECK esp_err_t https_read_head(https_ota_t *ota);
