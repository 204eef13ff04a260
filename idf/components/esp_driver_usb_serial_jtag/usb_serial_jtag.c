/* A serial port over USB that is the console. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/usb_serial_jtag.h"

#include <stdatomic.h>

#include "../esp_driver_uart/console_bytes.h"
#include "driver/usb_serial_jtag_vfs.h"
#include "esp_log.h"

static const char TAG[] = "usb_serial_jtag";

static atomic_bool installed;

esp_err_t usb_serial_jtag_driver_install(usb_serial_jtag_driver_config_t *usb_serial_jtag_config)
{
    if (usb_serial_jtag_config == NULL || usb_serial_jtag_config->rx_buffer_size == 0 ||
        usb_serial_jtag_config->tx_buffer_size == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    if (atomic_exchange(&installed, true)) {
        return ESP_ERR_INVALID_STATE;
    }
    ESP_LOGI(TAG, "a stand-in: this port is the console");
    return ESP_OK;
}

esp_err_t usb_serial_jtag_driver_uninstall(void)
{
    atomic_store(&installed, false);
    return ESP_OK;
}

bool usb_serial_jtag_is_driver_installed(void)
{
    return atomic_load(&installed);
}

bool usb_serial_jtag_is_connected(void)
{
    return true;
}

int usb_serial_jtag_read_bytes(void *buf, uint32_t length, TickType_t ticks_to_wait)
{
    if (buf == NULL || length == 0 || !atomic_load(&installed)) {
        return 0;
    }
    int got = console_read_bytes(buf, 1, ticks_to_wait); /* then what there is besides */
    int more = got == 1 ? console_read_bytes((char *)buf + 1, length - 1, 0) : 0;
    return got > 0 ? got + (more > 0 ? more : 0) : 0;
}

int usb_serial_jtag_write_bytes(const void *src, size_t size, TickType_t ticks_to_wait)
{
    (void)ticks_to_wait;
    int written = src != NULL && atomic_load(&installed) ? console_write_bytes(src, size) : 0;
    return written > 0 ? written : 0;
}

esp_err_t usb_serial_jtag_wait_tx_done(TickType_t ticks_to_wait)
{
    (void)ticks_to_wait;
    return atomic_load(&installed) ? ESP_OK : ESP_ERR_INVALID_STATE;
}

/* ---- through files: nothing is to be done ---- */

esp_err_t usb_serial_jtag_vfs_register(void)
{
    return ESP_OK;
}

void usb_serial_jtag_vfs_set_rx_line_endings(esp_line_endings_t mode)
{
    (void)mode;
}

void usb_serial_jtag_vfs_set_tx_line_endings(esp_line_endings_t mode)
{
    (void)mode;
}

void usb_serial_jtag_vfs_use_driver(void)
{
}

void usb_serial_jtag_vfs_use_nonblocking(void)
{
}
