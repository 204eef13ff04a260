/* What stands behind otter/https_update.h: a begin that takes stages, and what follows it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_https_ota.h"
#include "ota/pipeline.h"
#include "otter/device.h"
#include "otter/promise.h"

/** Stages that stand between the body (behind decrypt_cb, if there is one) and the gate. */
typedef struct {
    esp_err_t (*add)(void *ctx, ota_pipeline_t *pipeline); /* by ota_pipeline_add(); its error ends begin */
    void *ctx;
} https_stages_t;

/** otter_https_ota_begin() with the options that device->https has, and with more stages; NULL: none. */
OTTER_MUST_CHECK esp_err_t https_ota_begin(otter_device_t *device, const esp_https_ota_config_t *config,
                                           const https_stages_t *more, esp_https_ota_handle_t *handle);

/** What comes after begin: perform to the end, finish or abort. The handle is gone. @return the first error, ESP_OK */
OTTER_MUST_CHECK esp_err_t https_ota_complete(esp_https_ota_handle_t handle);
