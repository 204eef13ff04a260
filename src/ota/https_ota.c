/*
 * esp_https_ota once it has begun: perform brings the image through the pipeline, finish judges and selects it.
 *
 * How far a handle is, is told by its gate and by `delivered`:
 *   the gate waits      begin succeeded, and nothing was written
 *   it is open          bytes arrive and are written
 *   it is shut          the image was refused: there is nothing to go on with
 *   delivered           everything came and is written; nothing is judged yet
 * A perform that fails changes none of this, but for what the gate refuses; finish and abort free the handle in any state.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/https_ota.h"

#include <inttypes.h>

#include "esp_log.h"
#include "ota/https_handle.h"
#include "ota/https_report.h"
#include "ota/report_memory.h"
#include "ota/switch.h"
#include "ota/update.h"
#include "ota/update_target.h"
#include "otter/promise.h"

#include "otter/https_update.h"
#include "otter/system.h"

static const char TAG[] = "esp_https_ota";

/* ---- perform ---- */

/** Has the slot written what is in the buffer, as far as no other block of flash has to be erased for it. */
static esp_err_t write_buffer(https_ota_t *ota)
{
    esp_err_t err = ota_pipeline_drain(&ota->pipeline, session_stage_prepare(&ota->session));
    OTTER_ASSERT(ota->pipeline.count > 0 || ota->source.pos == ota->session.written + ota->pipeline.buffered);
    https_show_progress(ota); /* before the event that tells of it */
    int total = (int)ota->session.written;
    https_report_event(ota->device, ESP_HTTPS_OTA_WRITE_FLASH, &total, sizeof(total));
    return err == ESP_OK ? ESP_ERR_HTTPS_OTA_IN_PROGRESS : err;
}

/** Tells those behind the source what is known of the file, before the first of its bytes goes to them. */
static void introduce_file(https_ota_t *ota)
{
    const https_source_t *source = &ota->source;
    const ota_about_t about = ota_pipeline_about(&ota->pipeline);
    ota->target.size = ota->pipeline.count == 0 ? https_image_size(ota) : about.image;
    ota->session.file = (resume_file_t){.url = source->home.url,
                                        .validator = source->validator,
                                        .length = source->total,
                                        .image = about.kept != NULL ? about.image : source->total,
                                        .kept = about.kept,
                                        .kept_len = about.kept_len};
}

/** What a stage makes of the file must be in it: a file that is cut is told before anything is erased. */
static esp_err_t check_announced(https_ota_t *ota)
{
    const ota_about_t about = ota_pipeline_about(&ota->pipeline);
    const int64_t total = ota->source.total;
    if (total < 0 || about.image <= total - (int64_t)about.in_front) {
        return ESP_OK;
    }
    ota->gate.state = GATE_SHUT;
    return https_report_failure(&ota->device->report, OTTER_STAGE_GATE, ESP_ERR_OTA_VALIDATE_FAILED,
                                "the file has %" PRId64
                                " bytes, and its header announces an image of %" PRId64 " behind %" PRIu32,
                                total, about.image, about.in_front);
}

/** The head of the image passes the gate, its slot is prepared, and the first bytes are written. */
static esp_err_t begin_image(https_ota_t *ota)
{
    ota_pipeline_t *pipeline = &ota->pipeline;
    ota->gate.wants_head = ota_is_image(ota->target.final) && !ota->session.resumed;
    esp_err_t err = ota->gate.wants_head ? https_read_head(ota) : ESP_OK;
    if (err != ESP_OK) {
        return err;
    }
    introduce_file(ota);
    err = check_announced(ota);
    err = err == ESP_OK ? ota_pipeline_drain(pipeline, pipeline->buffered) : err;
    if (err != ESP_OK) {
        return err;
    }
    /* A large buffer is filled up, so that the writes that follow start where sectors start. */
    if (pipeline->buffered == GATE_HEAD_MAX && pipeline->size > GATE_HEAD_MAX) {
        err = ota_pipeline_fill(pipeline, pipeline->size);
        if (err != ESP_OK && err != ESP_ERR_NOT_FINISHED && err != ESP_ERR_NOT_FOUND) {
            return err;
        }
    }
    return pipeline->buffered > 0 ? write_buffer(ota) : ESP_ERR_HTTPS_OTA_IN_PROGRESS;
}

/** What was there before byte `unproved` is not the beginning of this image: the whole of it is fetched, from the start. */
static esp_err_t begin_anew(https_ota_t *ota)
{
    otter_update_report_t *report = &ota->device->report;
    ESP_LOGW(TAG, "what was in %s is not the beginning of this image: restarting download from beginning",
             ota->target.staging->label);
    otter_ignore(session_stage_drop(&ota->session)); /* is open: cannot fail */
    ota->session.resumed = false;
    ota->session.unproved = 0;
    ota->session.written = report->bytes_written = report->bytes_resumed = 0;
    ota->gate.state = GATE_WAITS;
    report->stage = OTTER_STAGE_CONFIG;
    esp_err_t err = https_source_restart(&ota->source);
    report->image_size = https_image_size(ota);
    https_report_enter(report, OTTER_STAGE_GATE);
    return err == ESP_OK ? begin_image(ota) : err;
}

/** Everything came and is written. */
static esp_err_t end_download(https_ota_t *ota)
{
    session_stage_t *session = &ota->session;
    /* The image must be good, and one: its hash covers what was there before as well as what came behind it. */
    if (session->unproved > 0 &&
        !(session_stage_verify(session) == ESP_OK && session_stage_image_len(session) > session->unproved)) {
        return begin_anew(ota);
    }
    ESP_LOGI(TAG, "all data received: %" PRIu64 " bytes", session->written);
    ota->delivered = true;
    return ESP_OK;
}

/** There is something to write, and flash is not at work on the block that it needs; or there is no room to go on without it. */
static bool may_write(https_ota_t *ota)
{
    const ota_pipeline_t *pipeline = &ota->pipeline;
    if (pipeline->buffered == 0 || pipeline->buffered == pipeline->room || pipeline->room == pipeline->size) {
        return pipeline->buffered > 0;
    }
    (void)session_stage_prepare(&ota->session); /* how much can be written is asked when it is */
    return !otter_flash_is_busy(ota->target.staging->flash_chip);
}

/** One buffer more. What a failed write left, or flash that was at work, goes first. */
static esp_err_t continue_image(https_ota_t *ota)
{
    ota_pipeline_t *pipeline = &ota->pipeline;
    if (may_write(ota)) {
        return write_buffer(ota);
    }
    const size_t left = pipeline->room - pipeline->buffered;
    esp_err_t err =
        ota_pipeline_fill(pipeline, pipeline->buffered + (left < pipeline->size ? left : pipeline->size));
    switch (err) {
    case ESP_OK:
        return may_write(ota) ? write_buffer(ota) : ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    case ESP_ERR_NOT_FINISHED:
        return ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    case ESP_ERR_NOT_FOUND:
        return pipeline->buffered > 0 ? write_buffer(ota) : end_download(ota);
    default:
        if (pipeline->buffered > 0) {
            (void)write_buffer(ota); /* what came before it failed; the next call would tell of flash */
        }
        return err;
    }
}

esp_err_t esp_https_ota_perform(esp_https_ota_handle_t https_ota_handle)
{
    https_ota_t *ota = https_ota_handle;
    if (ota == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = ESP_FAIL; /* where nothing is left to do */
    if (ota->gate.state == GATE_WAITS) {
        err = begin_image(ota);
    } else if (ota->gate.state == GATE_OPEN && !ota->delivered) {
        err = continue_image(ota);
    }
    if (ota->pipeline.failed != ESP_OK) {
        otter_ignore(session_stage_discard(&ota->session)); /* what perform says is the cause of it */
    }
    https_show_progress(ota);
    if (err != ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
        report_memory_keep(ota->device);
    }
    return err;
}

/* ---- the end ---- */

/** The verdict on what is written, whether everything came or not. */
static esp_err_t judge_image(https_ota_t *ota)
{
    if (ota->pipeline.failed != ESP_OK) {
        otter_ignore(session_stage_drop(&ota->session)); /* the cause is what the stage said */
        return ESP_FAIL;
    }
    if (ota->gate.state == GATE_WAITS) {
        return ESP_OK;
    }
    if (ota->gate.state == GATE_SHUT) {
        return ESP_ERR_INVALID_ARG; /* refused before the first write */
    }
    ota->session.incomplete = !ota->delivered;
    return ota_pipeline_finish(&ota->pipeline);
}

/** The image boots next, if it is in a slot. */
static esp_err_t select_image(https_ota_t *ota)
{
    otter_device_t *device = ota->device;
    const esp_partition_t *boots = ota->target.copies ? ota->target.final : ota->target.staging;
    const bool later = device->https != NULL && device->https->select_later;
    const bool slot = !later && otter_ota_is_slot(ota->target.final);
    if (slot) {
        https_report_enter_kept(device, OTTER_STAGE_SWITCH);
        otter_lock(OTTER_LOCK_UPDATES);
        esp_err_t err = otter_ota_set_boot_partition(device, boots, NULL);
        otter_unlock(OTTER_LOCK_UPDATES);
        if (err != ESP_OK) {
            ESP_LOGE(TAG, "esp_ota_set_boot_partition failed! err=0x%x", (unsigned)err);
            return https_report_failure(&device->report, OTTER_STAGE_SWITCH, err,
                                        "esp_ota_set_boot_partition failed (%s)", esp_err_to_name(err));
        }
    }
    session_stage_forget(
        &ota->session); /* last, so that a reset before the switch costs no second download */
    if (slot) {
        esp_partition_subtype_t subtype = boots->subtype;
        https_report_event(device, ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION, &subtype, sizeof(subtype));
    }
    https_report_done(&device->report);
    return ESP_OK;
}

esp_err_t esp_https_ota_finish(esp_https_ota_handle_t https_ota_handle)
{
    https_ota_t *ota = https_ota_handle;
    if (ota == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = judge_image(ota);
    if (err == ESP_OK && ota->delivered) {
        err = select_image(ota);
    }
    otter_device_t *device = ota->device;
    report_memory_keep(device);
    https_free(ota);
    https_report_event(device, ESP_HTTPS_OTA_FINISH, NULL, 0);
    return err;
}

esp_err_t esp_https_ota_abort(esp_https_ota_handle_t https_ota_handle)
{
    https_ota_t *ota = https_ota_handle;
    if (ota == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    https_report_event(ota->device, ESP_HTTPS_OTA_ABORT, NULL, 0);
    /* What an application decrypts itself it may have found forged; and nothing can be gone on with. */
    const bool unproved = ota->pipeline.count > 0 && !ota->session.can_go_on;
    esp_err_t err = unproved ? session_stage_discard(&ota->session) : session_stage_drop(&ota->session);
    https_free(ota);
    return err;
}

/** Whoever follows the update has given it up. */
static bool is_given_up(const otter_device_t *device)
{
    const otter_https_options_t *https = device->https;
    return https != NULL && https->on_progress != NULL && !https->on_progress(https->ctx, &device->report);
}

esp_err_t https_ota_complete(esp_https_ota_handle_t handle)
{
    otter_device_t *device = ((https_ota_t *)handle)->device;
    esp_err_t err;
    do {
        err = esp_https_ota_perform(handle);
        if (is_given_up(device) && err == ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
            err = https_report_failure(&device->report, device->report.stage, ESP_FAIL,
                                       "given up by the caller");
        }
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    if (err != ESP_OK) {
        (void)esp_https_ota_abort(handle); /* the cause is what perform said */
        return err;
    }
    return esp_https_ota_finish(handle);
}

esp_err_t otter_https_ota(otter_device_t *device, const esp_https_ota_config_t *config,
                          const otter_https_options_t *options)
{
    esp_https_ota_handle_t handle = NULL;
    esp_err_t err = otter_https_ota_begin(device, config, options, &handle);
    return err == ESP_OK ? https_ota_complete(handle) : err;
}
