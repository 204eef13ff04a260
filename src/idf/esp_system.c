/* esp_restart() with its shutdown handlers, the reset reason and other facts about this run. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_system.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "esp_bootloader_desc.h"
#include "esp_chip_info.h"
#include "esp_heap_caps.h"
#include "esp_log.h"
#include "idf/system_state.h"
#include "otter/device.h"
#include "otter/system.h"

#define SHUTDOWN_HANDLERS_MAX 5u

static const char *TAG = "esp_system";

static shutdown_handler_t shutdown_handlers[SHUTDOWN_HANDLERS_MAX];
static unsigned shutdown_handler_count;
static esp_reset_reason_t reset_reason = ESP_RST_UNKNOWN;

/** @return its index, shutdown_handler_count if it is not registered */
static unsigned find_handler(shutdown_handler_t handler)
{
    unsigned i = 0;
    while (i < shutdown_handler_count && shutdown_handlers[i] != handler) {
        i++;
    }
    return i;
}

esp_err_t esp_register_shutdown_handler(shutdown_handler_t handler)
{
    otter_lock(OTTER_LOCK_SYSTEM);
    esp_err_t err = ESP_OK;
    if (find_handler(handler) < shutdown_handler_count) {
        err = ESP_ERR_INVALID_STATE;
    } else if (shutdown_handler_count == SHUTDOWN_HANDLERS_MAX) {
        err = ESP_ERR_NO_MEM;
    } else {
        shutdown_handlers[shutdown_handler_count++] = handler;
    }
    otter_unlock(OTTER_LOCK_SYSTEM);
    return err;
}

esp_err_t esp_unregister_shutdown_handler(shutdown_handler_t handler)
{
    otter_lock(OTTER_LOCK_SYSTEM);
    unsigned found = find_handler(handler);
    bool registered = found < shutdown_handler_count;
    shutdown_handler_count -= registered;
    for (unsigned i = found; i < shutdown_handler_count; i++) {
        shutdown_handlers[i] = shutdown_handlers[i + 1];
    }
    otter_unlock(OTTER_LOCK_SYSTEM);
    return registered ? ESP_OK : ESP_ERR_INVALID_STATE;
}

/** Takes the handler that was registered last out of the list: if it restarts the device itself, it must not be called again. */
static shutdown_handler_t take_last_handler(void)
{
    otter_lock(OTTER_LOCK_SYSTEM);
    shutdown_handler_t handler =
        shutdown_handler_count > 0 ? shutdown_handlers[--shutdown_handler_count] : NULL;
    otter_unlock(OTTER_LOCK_SYSTEM);
    return handler;
}

void esp_restart(void)
{
    for (shutdown_handler_t handler; (handler = take_last_handler()) != NULL;) {
        handler();
    }
    otter_device_t *device = otter_device_current();
    if (device != NULL && otter_flash_sync(device->flash) != ESP_OK) {
        ESP_LOGE(TAG, "flash could not be synced before the restart");
    }
    otter_system_restart();
}

void esp_system_abort(const char *details)
{
    otter_console_write(details, strlen(details));
    otter_console_write("\n", 1);
    abort();
}

void system_state_set_reset_reason(esp_reset_reason_t reason)
{
    reset_reason = reason;
}

esp_reset_reason_t esp_reset_reason(void)
{
    return reset_reason;
}

uint32_t esp_get_free_internal_heap_size(void)
{
    return esp_get_free_heap_size();
}

const char *esp_get_idf_version(void)
{
    return "v5.5";
}

const esp_bootloader_desc_t *esp_bootloader_get_description(void)
{
    static const esp_bootloader_desc_t desc = {
        .magic_byte = ESP_BOOTLOADER_DESC_MAGIC_BYTE, .version = 1, .idf_ver = "v5.5"};
    return &desc;
}

bool soc_has_cache_lock_bug(void)
{
    return false;
}

void esp_chip_info(esp_chip_info_t *info)
{
    *info = (esp_chip_info_t){.model = CHIP_POSIX_LINUX, .cores = 1};
    const otter_device_t *device = otter_device_current();
    if (device == NULL) {
        return;
    }
    info->revision = info->full_revision = device->chip.revision;
    const otter_chip_facts_t *facts = otter_chip_facts(device->chip.id);
    if (facts != NULL &&
        otter_chip_is_espressif(facts->id)) { /* a model has its chip's id, except that ESP32's is not 0 */
        info->model = facts->id == 0 ? CHIP_ESP32 : (esp_chip_model_t)facts->id;
    }
}
