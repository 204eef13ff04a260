/* The decrypt callback gives out as much as it likes at once; it is passed on as there is room. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/decrypt_stage.h"

#include <stdlib.h>
#include <string.h>

#include "ota/gate.h"
#include "ota/https_report.h"

typedef struct {
    ota_stage_t stage;
    const otter_device_t *device;
    decrypt_cb_t callback;
    void *ctx;
    char *out;      /* what the callback gave out last, ours; NULL: all of it was passed on */
    size_t len, at; /* bytes of it; and how many were passed on */
    bool called;    /* the first piece was long enough */
    uint8_t *head;  /* it is not yet; ours */
    size_t head_len;
} decrypt_stage_t;

/** Its output is the library's once it has succeeded, if there is any. */
static esp_err_t call(decrypt_stage_t *s, const uint8_t *in, size_t len, ota_flow_t *flow)
{
    https_report_event(s->device, ESP_HTTPS_OTA_DECRYPT_CB, NULL, 0);
    decrypt_cb_arg_t args = {.data_in = (const char *)in, .data_in_len = len};
    esp_err_t err = s->callback(&args, s->ctx);
    if (err != ESP_OK && err != ESP_ERR_NOT_FINISHED) {
        return otter_fault(flow->fault, ESP_FAIL, "Decrypt callback failed %d (%s)", err,
                           esp_err_to_name(err));
    }
    if (args.data_out_len > 0 && args.data_out == NULL) {
        return otter_fault(flow->fault, ESP_FAIL, "the decrypt callback gave out a length without bytes");
    }
    if (args.data_out_len > 0) {
        s->out = args.data_out;
        s->len = args.data_out_len;
        s->at = 0;
    }
    return ESP_OK;
}

static esp_err_t call_with_head(decrypt_stage_t *s, ota_flow_t *flow)
{
    esp_err_t err = call(s, s->head, s->head_len, flow);
    free(s->head);
    s->head = NULL;
    s->called = true;
    return err;
}

/**
 * As in ESP-IDF the first piece is GATE_HEAD_MAX bytes or more, if the file has as many: programs look for the head of their
 * image in it.
 */
static esp_err_t gather(decrypt_stage_t *s, ota_flow_t *flow)
{
    uint8_t *head = realloc(s->head, s->head_len + flow->len);
    if (head == NULL) {
        return otter_fault(flow->fault, ESP_ERR_NO_MEM, "out of memory");
    }
    memcpy(head + s->head_len, flow->in, flow->len);
    s->head = head;
    s->head_len += flow->len;
    return s->head_len < GATE_HEAD_MAX ? ESP_OK : call_with_head(s, flow);
}

/** Of what the callback gave out as much as there is room for. */
static void give_out(decrypt_stage_t *s, ota_flow_t *flow)
{
    if (s->out != NULL) {
        const size_t left = s->len - s->at;
        flow->made = left < flow->room ? left : flow->room;
        memcpy(flow->out, s->out + s->at, flow->made);
        s->at += flow->made;
        if (flow->made == left) {
            free(s->out);
            s->out = NULL;
        }
    }
}

static esp_err_t feed(ota_stage_t *stage, ota_flow_t *flow)
{
    decrypt_stage_t *s = (decrypt_stage_t *)stage;
    if (s->out == NULL && flow->len > 0) {
        const bool whole = s->called || (s->head_len == 0 && flow->len >= GATE_HEAD_MAX);
        esp_err_t err = whole ? call(s, flow->in, flow->len, flow) : gather(s, flow);
        if (err != ESP_OK) {
            return err;
        }
        s->called = s->called || whole;
        flow->used = flow->len;
    }
    give_out(s, flow);
    return ESP_OK;
}

/** The callback is not told of the end: what it holds back then is lost, as in ESP-IDF. */
static esp_err_t finish(ota_stage_t *stage, ota_flow_t *flow)
{
    decrypt_stage_t *s = (decrypt_stage_t *)stage;
    esp_err_t err = s->head_len > 0 && !s->called ? call_with_head(s, flow) : ESP_OK;
    if (err == ESP_OK) {
        give_out(s, flow);
    }
    return err;
}

static void free_stage(ota_stage_t *stage)
{
    free(((decrypt_stage_t *)stage)->out);
    free(((decrypt_stage_t *)stage)->head);
    free(stage);
}

ota_stage_t *decrypt_stage_new(const otter_device_t *device, decrypt_cb_t callback, void *ctx)
{
    static const ota_stage_ops_t ops = {.feed = feed, .finish = finish, .free = free_stage};
    decrypt_stage_t *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return NULL;
    }
    *s = (decrypt_stage_t){.stage.ops = &ops, .device = device, .callback = callback, .ctx = ctx};
    return &s->stage;
}
