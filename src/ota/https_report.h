/* What others hear of a download while it runs: its report and its events. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_https_ota.h"
#include "otter/device.h"

/** The update has come to a stage. The report goes on only: it keeps the furthest one, and the one of a failure. */
void https_report_enter(otter_update_report_t *report, otter_stage_t stage);

/** The same, told to the memory that a reset leaves: a watchdog may end what follows. */
void https_report_enter_kept(otter_device_t *device, otter_stage_t stage);

/** Keeps the first failure of an update in its report and logs it. @return code */
esp_err_t https_report_failure(otter_update_report_t *report, otter_stage_t stage, esp_err_t code,
                               const char *format, ...) __attribute__((format(printf, 4, 5)));

/** The update is done: what failed in between and was made up for counts no more. */
void https_report_done(otter_update_report_t *report);

/** Tells whoever listens on this device. */
void https_report_event(const otter_device_t *device, esp_https_ota_event_t id, const void *data,
                        size_t size);
