/* Layout in retained memory: magic, CRC-32 (seed 0) of the report, the report as this build lays it out. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/report_memory.h"

#include <string.h>

#include "otter/bytes.h"

#define HEAD_SIZE 8u

/** Another build may lay the report out differently: its size is part of the magic. */
static uint32_t magic(void)
{
    return 0x4F545200u ^ (uint32_t)sizeof(otter_update_report_t);
}

static bool has_room(const otter_device_t *device)
{
    return device->retained != NULL && device->retained_size >= HEAD_SIZE + sizeof(otter_update_report_t);
}

void report_memory_keep(otter_device_t *device)
{
    if (!has_room(device)) {
        return;
    }
    uint8_t *memory = device->retained;
    memcpy(memory + HEAD_SIZE, &device->report, sizeof(device->report));
    le32_put(memory + 4, crc32_le(0, memory + HEAD_SIZE, sizeof(device->report)));
    le32_put(memory, magic());
}

esp_err_t report_memory_load(const otter_device_t *device, otter_update_report_t *report)
{
    if (!has_room(device)) {
        return ESP_ERR_NOT_FOUND;
    }
    const uint8_t *memory = device->retained;
    if (le32_get(memory) != magic() ||
        le32_get(memory + 4) != crc32_le(0, memory + HEAD_SIZE, sizeof(*report))) {
        return ESP_ERR_NOT_FOUND;
    }
    memcpy(report, memory + HEAD_SIZE, sizeof(*report));
    return ESP_OK;
}
