/* Does what OTTER_OPERATION says: update to a copy of itself, confirm, roll back, crash, burn, restart, or none. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_attr.h"
#include "esp_efuse.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "esp_system.h"

#define CHUNK 4096

static RTC_NOINIT_ATTR uint32_t kept; /* over resets, and not over the loss of power */

static uint8_t chunk[CHUNK];

/** Where the image ends: behind it the slot is erased. Whole units of 16 bytes, as images are. */
static uint32_t image_length(const esp_partition_t *slot)
{
    uint32_t end = slot->size;
    while (end > 0 && esp_partition_read(slot, end - 16, chunk, 16) == ESP_OK) {
        for (int i = 0; i < 16; i++) {
            if (chunk[i] != 0xFF) {
                return end;
            }
        }
        end -= 16;
    }
    return end;
}

static esp_err_t update(void)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    const esp_partition_t *next = esp_ota_get_next_update_partition(NULL);
    const uint32_t len = image_length(running);
    esp_ota_handle_t handle;
    esp_err_t err = esp_ota_begin(next, OTA_WITH_SEQUENTIAL_WRITES, &handle);
    for (uint32_t at = 0; err == ESP_OK && at < len; at += CHUNK) {
        const uint32_t part = len - at < CHUNK ? len - at : CHUNK;
        err = esp_partition_read(running, at, chunk, part);
        err = err == ESP_OK ? esp_ota_write(handle, chunk, part) : err;
    }
    err = err == ESP_OK ? esp_ota_end(handle) : err;
    return err == ESP_OK ? esp_ota_set_boot_partition(next) : err;
}

static esp_err_t operate(const char *what)
{
    if (strcmp(what, "update") == 0) {
        return update();
    }
    if (strcmp(what, "confirm") == 0) {
        return esp_ota_mark_app_valid_cancel_rollback();
    }
    if (strcmp(what, "rollback") == 0) {
        return esp_ota_mark_app_invalid_rollback_and_reboot();
    }
    if (strcmp(what, "crash") == 0) {
        abort();
    }
    if (strcmp(what, "burn") == 0) {
        return esp_efuse_update_secure_version(esp_efuse_read_secure_version() + 1);
    }
    if (strcmp(what, "restart") == 0 && esp_reset_reason() == ESP_RST_POWERON) {
        kept = 17;
        esp_restart();
    }
    return ESP_OK;
}

void app_main(void)
{
    const char *what = getenv("OTTER_OPERATION");
    esp_err_t err = operate(what != NULL ? what : "");
    printf("operation %s: %s in %s, secure version %" PRIu32 ", reset reason %d, kept %" PRIu32 "\n",
           what != NULL ? what : "none", esp_err_to_name(err), esp_ota_get_running_partition()->label,
           esp_efuse_read_secure_version(), (int)esp_reset_reason(), kept);
}
