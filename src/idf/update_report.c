/* The last update's report of the current device. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/report.h"

#include "ota/report_memory.h"
#include "otter/device.h"

esp_err_t otter_update_last_report(otter_update_report_t *report)
{
    if (report == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    const otter_device_t *device = otter_device_current();
    if (device == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    if (device->report_begun) {
        *report = device->report;
        return ESP_OK;
    }
    return report_memory_load(device, report);
}
