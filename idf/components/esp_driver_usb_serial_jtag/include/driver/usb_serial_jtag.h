/* ESP-IDF's serial port over USB, which is the console here. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint32_t tx_buffer_size;
    uint32_t rx_buffer_size;
} usb_serial_jtag_driver_config_t;

#define USB_SERIAL_JTAG_DRIVER_CONFIG_DEFAULT()                                                              \
    (usb_serial_jtag_driver_config_t)                                                                        \
    {                                                                                                        \
        .tx_buffer_size = 256, .rx_buffer_size = 256,                                                        \
    }

/** @return ESP_OK, ESP_ERR_INVALID_ARG, ESP_ERR_INVALID_STATE (installed) */
esp_err_t usb_serial_jtag_driver_install(usb_serial_jtag_driver_config_t *usb_serial_jtag_config);
/** @return ESP_OK, also when it is not installed */
esp_err_t usb_serial_jtag_driver_uninstall(void);
bool usb_serial_jtag_is_driver_installed(void);
/** Somebody may read the console at any time. @return true */
bool usb_serial_jtag_is_connected(void);
/** Waits for at least one byte, at most that long. @return how many, 0: none came or no driver */
int usb_serial_jtag_read_bytes(void *buf, uint32_t length, TickType_t ticks_to_wait);
int usb_serial_jtag_write_bytes(const void *src, size_t size, TickType_t ticks_to_wait);
/** @return ESP_OK, ESP_ERR_INVALID_STATE (no driver) */
esp_err_t usb_serial_jtag_wait_tx_done(TickType_t ticks_to_wait);

#ifdef __cplusplus
}
#endif
