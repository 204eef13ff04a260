/* Questions while an update arrives: the application asks how far it is, and what it is; it is asked whether to wait. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "otter/bytes.h"
#include "esp_log.h"
#include "otter/image.h"
#include "ota/https_handle.h"
#include "ota/https_report.h"
#include "ota/update_target.h"
#include "otter/https_update.h"
#include "otter/system.h"

static const char TAG[] = "esp_https_ota";

/* ---- how far ---- */

int64_t https_image_size(const https_ota_t *ota)
{
    const ota_about_t about = ota_pipeline_about(&ota->pipeline);
    const int64_t total = ota->source.total;
    const uint32_t in_front = about.in_front > 0 ? about.in_front : ota->header_size;
    return about.image >= 0 ? about.image : total >= in_front ? total - in_front : total;
}

void https_show_progress(https_ota_t *ota)
{
    const https_progress_t now = {.len_read = ota->gate.state == GATE_WAITS ? -1 : (int)ota->session.written,
                                  .image_size = (int)https_image_size(ota),
                                  .status = esp_http_client_get_status_code(ota->client),
                                  .complete = https_source_is_complete(&ota->source)};
    otter_lock(OTTER_LOCK_SYSTEM);
    ota->shown = now;
    otter_unlock(OTTER_LOCK_SYSTEM);
}

static https_progress_t progress_of(const https_ota_t *ota)
{
    https_progress_t progress = {.len_read = -1, .image_size = -1, .status = -1};
    otter_lock(OTTER_LOCK_SYSTEM);
    if (ota != NULL) {
        progress = ota->shown;
    }
    otter_unlock(OTTER_LOCK_SYSTEM);
    return progress;
}

bool esp_https_ota_is_complete_data_received(esp_https_ota_handle_t https_ota_handle)
{
    return progress_of(https_ota_handle).complete;
}

int esp_https_ota_get_image_len_read(esp_https_ota_handle_t https_ota_handle)
{
    return progress_of(https_ota_handle).len_read;
}

int esp_https_ota_get_image_size(esp_https_ota_handle_t https_ota_handle)
{
    return progress_of(https_ota_handle).image_size;
}

int esp_https_ota_get_status_code(esp_https_ota_handle_t https_ota_handle)
{
    return progress_of(https_ota_handle).status;
}

/* ---- whether to wait ---- */

bool https_may_wait(void *ctx, uint32_t left_ms)
{
    const otter_https_options_t *https = ((const https_ota_t *)ctx)->device->https;
    return https == NULL || https->on_wait == NULL || https->on_wait(https->ctx, left_ms);
}

/* ---- what ---- */

esp_err_t https_read_head(https_ota_t *ota)
{
    while (ota->pipeline.buffered < GATE_HEAD_MAX) {
        esp_err_t err = ota_pipeline_fill(&ota->pipeline, GATE_HEAD_MAX);
        if (err == ESP_ERR_NOT_FOUND) {
            return ESP_OK; /* a small image; whoever looks at it sees if it is enough */
        }
        if (err != ESP_OK && err != ESP_ERR_NOT_FINISHED) {
            ESP_LOGE(TAG, "Complete headers were not received");
            return err;
        }
        if (err == ESP_ERR_NOT_FINISHED && !https_may_wait(ota, 0)) {
            return https_report_failure(&ota->device->report, OTTER_STAGE_GATE, ESP_FAIL,
                                        "given up while waiting for the first bytes");
        }
    }
    return ESP_OK;
}

/** The descriptor's bytes: from the buffer before the first write, from flash after it. */
static esp_err_t read_desc(https_ota_t *ota, uint8_t *raw, uint32_t len)
{
    https_report_event(ota->device, ESP_HTTPS_OTA_GET_IMG_DESC, NULL, 0);
    if (!ota_is_image(ota->target.final)) {
        return ESP_FAIL;
    }
    if (ota->session.written > 0) {
        return session_stage_read(&ota->session, OTTER_IMAGE_DESC_OFFSET, raw, len);
    }
    esp_err_t err = https_read_head(ota);
    https_show_progress(ota);
    if (err != ESP_OK) {
        return err;
    }
    if (ota->pipeline.buffered < OTTER_IMAGE_GATE_SIZE) {
        ESP_LOGE(TAG, "Complete headers were not received");
        ESP_LOGE(TAG, "the server sent %zu bytes, less than an image with a descriptor (%u)",
                 ota->pipeline.buffered, (unsigned)OTTER_IMAGE_GATE_SIZE);
        return ESP_FAIL;
    }
    memcpy(raw, ota->pipeline.buffer + OTTER_IMAGE_DESC_OFFSET, len); /* what is looked for is longer */
    return ESP_OK;
}

/* That there is no descriptor is no failure of the update: it is in the log, and in the report only what perform says of it. */

esp_err_t esp_https_ota_get_img_desc(esp_https_ota_handle_t https_ota_handle, esp_app_desc_t *new_app_info)
{
    https_ota_t *ota = https_ota_handle;
    if (ota == NULL || new_app_info == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    uint8_t raw[sizeof(esp_app_desc_t)];
    if (read_desc(ota, raw, sizeof(raw)) != ESP_OK) {
        return ESP_FAIL;
    }
    if (otter_image_decode_desc(raw, new_app_info) != ESP_OK) {
        ESP_LOGE(TAG, "Incorrect app descriptor magic");
        return ESP_FAIL;
    }
    return ESP_OK;
}

esp_err_t esp_https_ota_get_bootloader_img_desc(esp_https_ota_handle_t https_ota_handle,
                                                esp_bootloader_desc_t *new_img_info)
{
    https_ota_t *ota = https_ota_handle;
    if (ota == NULL || new_img_info == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    uint8_t raw[sizeof(esp_bootloader_desc_t)];
    if (read_desc(ota, raw, sizeof(raw)) != ESP_OK) {
        return ESP_FAIL;
    }
    if (raw[offsetof(esp_bootloader_desc_t, magic_byte)] != ESP_BOOTLOADER_DESC_MAGIC_BYTE) {
        ESP_LOGE(TAG, "Incorrect bootloader descriptor magic");
        return ESP_FAIL;
    }
    memcpy(new_img_info, raw, sizeof(*new_img_info));
    new_img_info->version = le32_get(raw + offsetof(esp_bootloader_desc_t, version));
    return ESP_OK;
}
