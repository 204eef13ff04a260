/* The stage that has the application turn body bytes into image bytes: esp_https_ota_config_t.decrypt_cb. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/device.h"
#include "esp_https_ota.h"
#include "ota/stage.h"

/** @param device  for its events. @return NULL: no memory */
ota_stage_t *decrypt_stage_new(const otter_device_t *device, decrypt_cb_t callback, void *ctx);
