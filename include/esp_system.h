/* ESP-IDF's restart, reset reason and heap figures. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sdkconfig.h"
#include "esp_attr.h"
#include "esp_bit_defs.h"
#include "esp_chip_info.h"
#include "esp_err.h"
#include "esp_idf_version.h"
#include "esp_mac.h"
#include "esp_random.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Why the device started. On the virtual device: POWERON, SW, PANIC (crash, abort), TASK_WDT, DEEPSLEEP and BROWNOUT occur. */
typedef enum {
    ESP_RST_UNKNOWN,
    ESP_RST_POWERON,
    ESP_RST_EXT,
    ESP_RST_SW,
    ESP_RST_PANIC,
    ESP_RST_INT_WDT,
    ESP_RST_TASK_WDT,
    ESP_RST_WDT,
    ESP_RST_DEEPSLEEP,
    ESP_RST_BROWNOUT,
    ESP_RST_SDIO,
    ESP_RST_USB,
    ESP_RST_JTAG,
    ESP_RST_EFUSE,
    ESP_RST_PWR_GLITCH,
    ESP_RST_CPU_LOCKUP,
} esp_reset_reason_t;

typedef void (*shutdown_handler_t)(void);

/**
 * esp_restart() calls the handlers, the last registered first; at most 5.
 * @return ESP_OK, ESP_ERR_INVALID_STATE (already registered), ESP_ERR_NO_MEM (five are)
 */
esp_err_t esp_register_shutdown_handler(shutdown_handler_t handler);

/** @return ESP_OK, ESP_ERR_INVALID_STATE (not registered) */
esp_err_t esp_unregister_shutdown_handler(shutdown_handler_t handler);

/** Runs the shutdown handlers, makes flash durable and goes back to the bootloader; all tasks end. */
void esp_restart(void) __attribute__((noreturn));

/** Writes `details` to the console and crashes: the next reset reason is ESP_RST_PANIC. */
void esp_system_abort(const char *details) __attribute__((noreturn));

esp_reset_reason_t esp_reset_reason(void);

/** Bytes. On a host: the memory the machine has left, and the least that was seen. */
uint32_t esp_get_free_heap_size(void);
uint32_t esp_get_minimum_free_heap_size(void);
uint32_t esp_get_free_internal_heap_size(void);

#ifdef __cplusplus
}
#endif
