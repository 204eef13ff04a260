/*
 * The pipeline: pulled from its end. Who needs input asks the link in front of it, down to the source; each call asks once, so
 * one fill costs one read at most, and each stage one call.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "esp_https_ota.h"
#include "ota/https_report.h"
#include "otter/promise.h"

esp_err_t ota_pipeline_add(ota_pipeline_t *p, ota_stage_t *stage)
{
    if (stage != NULL && p->count == OTA_STAGES_MAX) {
        stage->ops->free(stage);
    }
    if (stage == NULL || p->count == OTA_STAGES_MAX) {
        return ESP_ERR_NO_MEM;
    }
    p->links[p->count++].stage = stage;
    return ESP_OK;
}

esp_err_t ota_pipeline_allocate(ota_pipeline_t *p, size_t size, size_t ahead, uint8_t *lent)
{
    p->size = p->room = size;
    p->is_lent = lent != NULL;
    p->buffer = lent;
    if (!p->is_lent && ahead > 0) {
        p->buffer = malloc(size + ahead);
        p->room += p->buffer != NULL ? ahead : 0;
    }
    if (p->buffer == NULL) {
        p->buffer = malloc(size);
    }
    bool enough = p->buffer != NULL;
    for (size_t i = 0; i < p->count && enough; i++) {
        p->links[i].in = malloc(size);
        enough = p->links[i].in != NULL;
    }
    return enough ? ESP_OK : ESP_ERR_NO_MEM;
}

/** A stage's own code, but for those that say how far the pipeline is. */
static esp_err_t fail_for_good(ota_pipeline_t *p, esp_err_t err)
{
    bool reserved =
        err == ESP_ERR_NOT_FOUND || err == ESP_ERR_NOT_FINISHED || err == ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    p->failed = reserved ? ESP_FAIL : err;
    return https_report_failure(p->report, OTTER_STAGE_DOWNLOAD, p->failed, "%s",
                                otter_fault_text(&p->fault, err));
}

bool ota_pipeline_can_resume(const ota_pipeline_t *p)
{
    size_t i = 0;
    while (i < p->count && p->links[i].stage->ops->resume != NULL) {
        i++;
    }
    return i == p->count;
}

ota_stage_t *ota_pipeline_knowing(const ota_pipeline_t *p)
{
    return p->count == 1 && p->links[0].stage->ops->about != NULL ? p->links[0].stage : NULL;
}

ota_about_t ota_pipeline_about(const ota_pipeline_t *p)
{
    const ota_stage_t *stage = ota_pipeline_knowing(p);
    return stage != NULL ? stage->ops->about(stage) : (ota_about_t){.image = -1};
}

uint64_t ota_pipeline_resume(ota_pipeline_t *p, const ota_resume_t *from)
{
    uint64_t at = from->made;
    OTTER_ASSERT(ota_pipeline_can_resume(p));
    for (size_t i = p->count; i-- > 0 && (at > 0 || (i + 1 == p->count && from->kept != NULL));) {
        ota_stage_t *stage = p->links[i].stage;
        ota_resume_t here = {.made = at};
        uint64_t used = 0;
        if (i + 1 == p->count) {
            here = *from;
        }
        esp_err_t err = stage->ops->resume(stage, &here, &used);
        at = err == ESP_OK ? used : 0;
    }
    for (size_t i = 0; i < p->count && at == 0; i++) {
        ota_stage_t *stage = p->links[i].stage;
        const ota_resume_t nowhere = {.made = 0};
        uint64_t used;
        esp_err_t err = stage->ops->resume(stage, &nowhere, &used);
        if (err != ESP_OK) {
            (void)fail_for_good(p, err); /* which the next fill tells */
        }
    }
    return at;
}

static esp_err_t pull(ota_pipeline_t *p, size_t count, uint8_t *out, size_t room, size_t *got);

/**
 * Input for a stage that has none and needs some. One that knows its format makes no more of it than it takes: it is brought no
 * more than there is room for, so that what was read and is not in flash at a reset is as little as without a stage.
 * @return as ota_pipeline_fill()
 */
static esp_err_t pull_input(ota_pipeline_t *p, size_t index, size_t room)
{
    ota_link_t *link = &p->links[index];
    if (link->len > 0 || link->full || link->ended) {
        return ESP_OK;
    }
    link->at = 0;
    const size_t most = ota_pipeline_knowing(p) != NULL && room < p->size ? room : p->size;
    esp_err_t err = pull(p, index, link->in, most, &link->len);
    link->ended = err == ESP_ERR_NOT_FOUND;
    return link->ended ? ESP_OK : err;
}

static esp_err_t call(ota_pipeline_t *p, esp_err_t (*entry)(ota_stage_t *, ota_flow_t *), ota_stage_t *stage,
                      ota_flow_t *flow)
{
    p->fault = (otter_fault_t){0};
    flow->fault = &p->fault;
    return entry(stage, flow);
}

/** One call of a stage. */
static esp_err_t call_stage(ota_pipeline_t *p, ota_link_t *link, uint8_t *out, size_t room, size_t *made)
{
    const ota_stage_ops_t *ops = link->stage->ops;
    ota_flow_t flow = {.in = link->in + link->at, .len = link->len, .out = out, .room = room};
    esp_err_t err = call(p, link->ended ? ops->finish : ops->feed, link->stage, &flow);
    if (err != ESP_OK) {
        return fail_for_good(p, err);
    }
    OTTER_ASSERT(flow.used <= flow.len && flow.made <= flow.room);
    OTTER_ASSERT(flow.used == flow.len || flow.made == flow.room);
    link->at += flow.used;
    link->len -= flow.used;
    link->full = flow.made == flow.room;
    link->finished = link->ended && !link->full;
    *made = flow.made;
    return ESP_OK;
}

/** What leaves the first `count` stages, up to `room` bytes. @return as ota_pipeline_fill() */
static esp_err_t pull(ota_pipeline_t *p, size_t count, uint8_t *out, size_t room, size_t *got)
{
    if (count == 0) {
        return p->read(p->ctx, out, room, got);
    }
    ota_link_t *link = &p->links[count - 1];
    bool had_more = true;
    while (*got == 0 && had_more && !link->finished) {
        had_more = link->full; /* or so it may be: if it was all, there is new input */
        esp_err_t err = pull_input(p, count - 1, room);
        if (err == ESP_OK) {
            err = call_stage(p, link, out, room, got);
        }
        if (err != ESP_OK) {
            return err;
        }
    }
    return *got > 0 ? ESP_OK : link->finished ? ESP_ERR_NOT_FOUND : ESP_ERR_NOT_FINISHED;
}

esp_err_t ota_pipeline_fill(ota_pipeline_t *p, size_t upto)
{
    OTTER_ASSERT(p->buffered < upto && upto <= p->room);
    if (p->failed != ESP_OK) {
        return p->failed;
    }
    size_t got = 0;
    esp_err_t err = pull(p, p->count, p->buffer + p->buffered, upto - p->buffered, &got);
    OTTER_ASSERT(got <= upto - p->buffered && (err == ESP_OK) == (got > 0));
    p->buffered += got;
    return err;
}

/** One call of the end. The stage of the report is where it is: at the gate, in the slot, at the verdict. */
static esp_err_t call_end(ota_pipeline_t *p, esp_err_t (*entry)(ota_stage_t *, ota_flow_t *),
                          ota_flow_t *flow)
{
    esp_err_t err = call(p, entry, p->end, flow);
    return err == ESP_OK ? ESP_OK
                         : https_report_failure(p->report, p->report->stage, err, "%s",
                                                otter_fault_text(&p->fault, err));
}

esp_err_t ota_pipeline_drain(ota_pipeline_t *p, size_t most)
{
    if (p->failed != ESP_OK) {
        return p->failed;
    }
    ota_flow_t flow = {.in = p->buffer, .len = p->buffered < most ? p->buffered : most};
    esp_err_t err = call_end(p, p->end->ops->feed, &flow);
    OTTER_ASSERT(flow.used == 0 || flow.used == flow.len);
    p->buffered -= flow.used;
    if (flow.used > 0 && p->buffered > 0) {
        memmove(p->buffer, p->buffer + flow.used, p->buffered);
    }
    return err;
}

esp_err_t ota_pipeline_finish(ota_pipeline_t *p)
{
    ota_flow_t flow = {.len = 0};
    return call_end(p, p->end->ops->finish, &flow);
}

void ota_pipeline_free(ota_pipeline_t *p)
{
    for (size_t i = 0; i < p->count; i++) {
        p->links[i].stage->ops->free(p->links[i].stage);
        free(p->links[i].in);
    }
    if (!p->is_lent) {
        free(p->buffer);
    }
}
