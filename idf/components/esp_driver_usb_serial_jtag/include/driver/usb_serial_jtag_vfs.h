/* The console through files: it is standard input and output in any case, and ends lines as they are written. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_err.h"
#include "esp_vfs_common.h"

#ifdef __cplusplus
extern "C" {
#endif

esp_err_t usb_serial_jtag_vfs_register(void);
void usb_serial_jtag_vfs_set_rx_line_endings(esp_line_endings_t mode);
void usb_serial_jtag_vfs_set_tx_line_endings(esp_line_endings_t mode);
void usb_serial_jtag_vfs_use_driver(void);
void usb_serial_jtag_vfs_use_nonblocking(void);

#ifdef __cplusplus
}
#endif
