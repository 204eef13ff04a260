/*
 * A stage of a download: bytes in, bytes out, in bounded pieces. A download is a pipeline of stages (pipeline.h):
 *
 *   source -> body ─> any number that change bytes ─> image bytes ─> gate ─> session -> slot
 *   https_source.c    decrypt_stage.c                 gate.c       session_stage.c
 *
 * A stage neither reads from the one before it nor writes to the one behind it: the pipeline brings its input and the room
 * for its output, and calls it again. So a stage is a state machine between two buffers, whatever stands around it.
 *
 * The calls, in their order: [resume] (feed)* [finish] free; about, again and is_whole at any time between these. Bounds: no
 * call takes more than flow->len or makes more than flow->room, however much the one makes of the other. What a stage cannot
 * give out yet it keeps, in its own memory, which it has from its making on: feed allocates nothing that grows with the image.
 *
 * feed: takes from `in`, gives to `out`, says in used and made how much.
 *   - It takes all of its input, unless `out` is full: what it needs more of before it can go on it keeps (a block of a
 *     cipher, the tag at the end). It may make nothing of much input, and much of little.
 *   - Where it fills `out` it may have more: it is called again, with what it has not taken (which may be no bytes: len is 0),
 *     before any new input comes.
 *   - Any chunking is possible, a byte at a time included; `in` and `out` are valid during the call only, and do not overlap.
 * finish: all input was fed. It gives out what is left, being called again as long as it fills `out`, and judges: a tag that
 *   does not fit, input that ends too early. Nothing is called after that but free.
 * resume: the first call if it comes at all, and NULL in stages that cannot: puts the stage where it had given out from->made
 *   bytes in an earlier run. from->slot, if not NULL, holds them, from its start on (the stage before the gate; nobody keeps
 *   what a stage in front of another one made). *used tells where its input goes on; it may be earlier than it was, if the stage
 *   itself swallows what it makes of that input. 0: it cannot go on from there. Whoever was asked and is started anew all the
 *   same, because the file changed or another stage cannot go on, is asked for 0 bytes: it is as after its making then.
 *   A download has a record of its progress only if all its stages can resume.
 * about, again, is_whole: of a stage that knows its format, and stands alone in its pipeline; else NULL.
 *   about: what it knows by now of what it makes, and of its input what resume must be given (ota_about_t).
 *   again: as feed, of what a server sends for the second time: from the input's beginning (`first`), and as far as it was fed.
 *     It makes what feed made of it, without a word on what is made anew.
 *   is_whole: its input is complete, and proved.
 * free: once, in any state.
 *
 * Errors: anything but ESP_OK ends the update, with the cause in flow->fault (otter_fault): perform returns the code, and the
 * report tells the cause. Nothing that the failing call made is used, the stage is not fed again, and no image is selected.
 * Only the end of the pipeline (gate and session) is called again with the same bytes, when the application performs again:
 * it says with used = 0 that it took nothing.
 *
 * Threads: a stage belongs to one handle, whose task makes all calls, without a lock of otter/system.h held. A call may read
 * flash (a patch reads the running slot with ota_read_range()) but must not use the handle, and returns in bounded time: the
 * application gives up, and the watchdog is fed, between calls.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_partition.h"
#include "otter/fault.h"

/** What one call of feed or finish works on. */
typedef struct {
    const uint8_t *in;
    size_t len;  /* bytes of input; 0 in finish */
    size_t used; /* of these, by the stage */
    uint8_t *out;
    size_t room;          /* for output, above 0; the end of the pipeline has none (out is NULL) */
    size_t made;          /* bytes of output, by the stage */
    otter_fault_t *fault; /* receives the cause of an error; zeros before each call */
} ota_flow_t;

typedef struct ota_stage {
    const struct ota_stage_ops *ops;
} ota_stage_t;

/** Where an earlier run had come to. */
typedef struct {
    uint64_t made;               /* bytes of output; 0 and nothing kept: nowhere */
    const esp_partition_t *slot; /* where they are, NULL: nowhere */
    const uint8_t *kept;         /* of the input's beginning, as `about` had it; NULL: nothing was kept */
    uint32_t kept_len;
} ota_resume_t;

/** What a stage knows of its file. */
typedef struct {
    int64_t image;       /* bytes that it makes of all of it, -1: not known yet */
    uint32_t in_front;   /* bytes of input that it makes nothing of */
    const uint8_t *kept; /* the stage's; NULL: not there yet */
    uint32_t kept_len;
} ota_about_t;

/** A stage is a structure of its own that begins with an ota_stage_t. */
typedef struct ota_stage_ops {
    esp_err_t (*feed)(ota_stage_t *stage, ota_flow_t *flow);
    esp_err_t (*finish)(ota_stage_t *stage, ota_flow_t *flow);
    esp_err_t (*resume)(ota_stage_t *stage, const ota_resume_t *from, uint64_t *used);
    void (*free)(ota_stage_t *stage);
    ota_about_t (*about)(const ota_stage_t *stage);
    esp_err_t (*again)(ota_stage_t *stage, bool first, ota_flow_t *flow);
    bool (*is_whole)(const ota_stage_t *stage);
} ota_stage_ops_t;
