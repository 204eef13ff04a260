/* Writes what comes through the gate into an update session, and keeps a record of it where it can be gone on with. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/session_stage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "ota/https_report.h"
#include "ota/update.h"
#include "ota/slot_io.h"

#include "otter/promise.h"
#include "otter/system.h"

static const char TAG[] = "esp_https_ota";

/** Begins the session and what goes with it: all or nothing. Holds OTTER_LOCK_UPDATES. */
static esp_err_t begin_session(session_stage_t *s, const ota_flow_t *flow)
{
    const ota_target_t *target = s->target;
    otter_device_t *device = target->device;
    const esp_partition_t *staging = target->staging;
    size_t erase = OTA_WITH_SEQUENTIAL_WRITES;
    if (s->bulk_erase && !s->resumed) {
        erase = target->size > 0 ? (size_t)target->size : OTA_SIZE_UNKNOWN;
    }
    if (otter_flash_unit(staging->flash_chip) > OTTER_UPDATE_UNIT_MAX && s->tail == NULL) {
        s->tail = malloc(otter_flash_unit(staging->flash_chip)); /* without it begin tells */
    }
    esp_err_t err = s->resumed ? update_resume(&s->update, device, staging, erase, (size_t)s->written,
                                               s->unproved == 0, s->tail, NULL)
                               : update_begin(&s->update, device, staging, erase, s->tail, NULL);
    if (err != ESP_OK) {
        return otter_fault(flow->fault, err, "esp_ota_begin failed (%s)", esp_err_to_name(err));
    }
    if (target->final != staging) {
        err = otter_update_set_final_partition(&s->update, target->final, target->copies, NULL);
    }
    if (err != ESP_OK) {
        (void)otter_update_abort(&s->update); /* is open: cannot fail */
        return otter_fault(flow->fault, err, "preparing %s failed (%s)", staging->label,
                           esp_err_to_name(err));
    }
    s->begun = true;
    /* Asked for or not: whoever is interrupted may want to go on. A download whose beginning is unproved has nothing to keep. */
    if (s->can_go_on && !s->resumed && resume_record_start(&s->record, device, staging, &s->file) != ESP_OK) {
        ESP_LOGW(TAG, "progress cannot be kept in %s", staging->label);
    }
    return ESP_OK;
}

/** These bytes of the image are in flash, the last ones of `written`. */
static void count(session_stage_t *s, uint64_t written, const uint8_t *data, size_t len)
{
    otter_update_report_t *report = &s->target->device->report;
    const esp_partition_t *staging = s->target->staging;
    OTTER_ASSERT(written - len == s->written && s->written >= report->bytes_resumed);
    s->written = written;
    report->bytes_written = s->written - report->bytes_resumed;
    if (s->written > staging->size - resume_record_size(s->target->device->flash)) {
        s->record.active = false; /* the image, longer than its file, lies where the record was */
    }
    if (resume_record_take(&s->record, data, len) != ESP_OK) {
        ESP_LOGW(TAG, "progress can no longer be kept in %s", staging->label);
    }
    OTTER_ASSERT(!s->record.active || s->record.taken <= s->written);
}

static esp_err_t feed(ota_stage_t *stage, ota_flow_t *flow)
{
    session_stage_t *s = (session_stage_t *)stage;
    otter_device_t *device = s->target->device;
    esp_err_t err = ESP_OK;
    if (!s->begun) {
        https_report_enter_kept(device, OTTER_STAGE_DOWNLOAD);
        otter_lock(OTTER_LOCK_UPDATES);
        err = begin_session(s, flow);
        otter_unlock(OTTER_LOCK_UPDATES);
    }
    if (err != ESP_OK || flow->len == 0) {
        return err;
    }
    otter_lock(OTTER_LOCK_UPDATES);
    err = otter_update_write(&s->update, flow->in, flow->len, NULL);
    const uint64_t written = otter_update_written(&s->update);
    otter_unlock(OTTER_LOCK_UPDATES);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "Error: esp_ota_write failed! err=0x%x", (unsigned)err);
        return otter_fault(flow->fault, err, "esp_ota_write failed at byte %" PRIu64 " of %s (%s)",
                           s->written, s->target->staging->label, esp_err_to_name(err));
    }
    count(s, written, flow->in, flow->len);
    flow->used = flow->len;
    return ESP_OK;
}

static esp_err_t finish(ota_stage_t *stage, ota_flow_t *flow)
{
    session_stage_t *s = (session_stage_t *)stage;
    otter_device_t *device = s->target->device;
    if (s->target->copies && !s->incomplete) {
        session_stage_forget(s); /* its sector is where the copy keeps its journal */
    }
    https_report_enter_kept(device, OTTER_STAGE_VERIFY);
    otter_lock(OTTER_LOCK_UPDATES);
    esp_err_t err = otter_update_end(&s->update, flow->fault);
    s->begun = false;
    otter_unlock(OTTER_LOCK_UPDATES);
    if (err != ESP_OK && !s->incomplete) {
        session_stage_forget(s); /* all of it came, and it is wrong */
    }
    return err;
}

void session_stage_init(session_stage_t *s, const ota_target_t *target)
{
    static const ota_stage_ops_t ops = {.feed = feed, .finish = finish};
    *s = (session_stage_t){.stage.ops = &ops, .target = target, .file = {.length = -1, .image = -1}};
}

size_t session_stage_prepare(session_stage_t *s)
{
    otter_lock(OTTER_LOCK_UPDATES);
    const uint32_t len = s->begun ? update_prepare(&s->update) : UINT32_MAX;
    otter_unlock(OTTER_LOCK_UPDATES);
    return len == UINT32_MAX ? SIZE_MAX : len;
}

esp_err_t session_stage_drop(session_stage_t *s)
{
    otter_lock(OTTER_LOCK_UPDATES);
    esp_err_t err = s->begun ? otter_update_abort(&s->update) : ESP_OK;
    otter_unlock(OTTER_LOCK_UPDATES);
    s->begun = false;
    return err;
}

esp_err_t session_stage_discard(session_stage_t *s)
{
    const esp_partition_t *staging = s->target->staging;
    const uint32_t erase = staging->flash_chip->erase_size;
    const uint64_t len = (s->written + erase - 1) / erase * erase;
    const uint32_t record = s->record.active ? resume_record_size(staging->flash_chip) : 0;
    session_stage_forget(s); /* before the bytes that it claims are gone */
    otter_lock(OTTER_LOCK_UPDATES);
    bool ours =
        s->begun && otter_update_abort(&s->update) == ESP_OK; /* else another update has the slot by now */
    esp_err_t err = ours && len > 0 ? ota_erase_all(staging->flash_chip, staging, 0,
                                                    len < staging->size ? (uint32_t)len : staging->size)
                                    : ESP_OK;
    if (ours && err == ESP_OK && record > 0) {
        err = ota_erase_all(staging->flash_chip, staging, staging->size - record, record);
    }
    otter_unlock(OTTER_LOCK_UPDATES);
    s->begun = false;
    return err;
}

void session_stage_end(session_stage_t *s)
{
    OTTER_ASSERT(!s->begun);
    free(s->tail);
}

uint32_t session_stage_image_len(session_stage_t *s)
{
    otter_lock(OTTER_LOCK_UPDATES);
    uint32_t len = otter_update_image_len(&s->update);
    otter_unlock(OTTER_LOCK_UPDATES);
    return len;
}

esp_err_t session_stage_verify(session_stage_t *s)
{
    otter_lock(OTTER_LOCK_UPDATES);
    esp_err_t err = otter_update_verify(&s->update, NULL);
    otter_unlock(OTTER_LOCK_UPDATES);
    return err;
}

esp_err_t session_stage_read(const session_stage_t *s, uint32_t offset, void *dst, uint32_t len)
{
    const esp_partition_t *staging = s->target->staging;
    return ota_read_range(staging->flash_chip, staging, offset, dst, len);
}

void session_stage_forget(session_stage_t *s)
{
    otter_ignore(resume_record_clear(&s->record)); /* what stays is checked before it is believed */
}
