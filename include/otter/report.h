/* Why an update went the way it did: one structure, filled as it goes, readable after the handle is gone. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "esp_err.h"
#include "otter/fault.h"
#include "otter/promise.h"
#include "otter/transport.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * How far the update came, set as each stage begins; the stage in which it failed, if it did. A connection that is lost and
 * made anew in the middle does not set it back.
 */
typedef enum {
    OTTER_STAGE_CONFIG,   /* arguments and configuration; nothing was sent */
    OTTER_STAGE_CONNECT,  /* name look-up, TCP, TLS, certificate */
    OTTER_STAGE_REQUEST,  /* request, redirects, response head, status */
    OTTER_STAGE_GATE,     /* begin is done; the first bytes: image magic, chip, revision, size */
    OTTER_STAGE_DOWNLOAD, /* body and flash */
    OTTER_STAGE_VERIFY,   /* the image as it stands in flash */
    OTTER_STAGE_SWITCH,   /* otadata */
    OTTER_STAGE_DONE,
} otter_stage_t;

typedef struct {
    otter_stage_t stage;
    otter_fault_t fault; /* what the failing call returned, and why; zeros while nothing has failed */
    int http_status;     /* of the last response, 0: none yet */
    otter_transport_error_t transport; /* cause of a connection failure */
    char url[256]; /* the last one asked for, after redirects, without credentials; "...": it did not fit */
    char slot[17]; /* label of the partition written */
    uint64_t bytes_downloaded, bytes_written;
    uint64_t bytes_resumed; /* were in flash already, from an earlier update */
    int64_t image_size;     /* as the server announced it, -1: unknown */
    uint32_t attempts;      /* connections made for this update */
} otter_update_report_t;

/**
 * How the last HTTPS update of the current device went: of this run, or of the run before a reset if the device has memory
 * that survives one. While an update runs only its own task may ask.
 * @return ESP_OK, ESP_ERR_NOT_FOUND (none is known), ESP_ERR_INVALID_ARG (NULL), ESP_ERR_INVALID_STATE (no device)
 */
OTTER_MUST_CHECK esp_err_t otter_update_last_report(otter_update_report_t *report);

/** "config", "connect", ... as in `otter update --json`. */
const char *otter_stage_name(otter_stage_t stage);

#ifdef __cplusplus
}
#endif
