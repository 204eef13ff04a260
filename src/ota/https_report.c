/* A download's report and events. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/https_report.h"

#include <stdarg.h>

#include "esp_log.h"
#include "ota/report_memory.h"
#include "otter/https_update.h"

static const char TAG[] = "esp_https_ota";

void https_report_enter(otter_update_report_t *report, otter_stage_t stage)
{
    if (report->fault.code == ESP_OK && stage > report->stage) {
        report->stage = stage;
    }
}

void https_report_enter_kept(otter_device_t *device, otter_stage_t stage)
{
    https_report_enter(&device->report, stage);
    report_memory_keep(device);
}

esp_err_t https_report_failure(otter_update_report_t *report, otter_stage_t stage, esp_err_t code,
                               const char *format, ...)
{
    if (report->fault.code == ESP_OK) {
        va_list args;
        va_start(args, format);
        otter_vfault(&report->fault, code, format, args);
        va_end(args);
        report->stage = stage;
        ESP_LOGE(TAG, "%s", report->fault.why);
    }
    return code;
}

void https_report_done(otter_update_report_t *report)
{
    report->stage = OTTER_STAGE_DONE;
    report->fault = (otter_fault_t){0};
}

void https_report_event(const otter_device_t *device, esp_https_ota_event_t id, const void *data, size_t size)
{
    const otter_https_options_t *https = device->https;
    if (https != NULL && https->on_event != NULL) {
        https->on_event(https->ctx, id, data, size);
    }
}
