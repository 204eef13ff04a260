/* ESP-IDF 4's names for the console through files. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "driver/uart_vfs.h"
#include "driver/usb_serial_jtag_vfs.h"
#include "esp_vfs.h"
#include "esp_vfs_common.h"

#define esp_vfs_dev_uart_register                       uart_vfs_dev_register
#define esp_vfs_dev_uart_use_driver                     uart_vfs_dev_use_driver
#define esp_vfs_dev_uart_use_nonblocking                uart_vfs_dev_use_nonblocking
#define esp_vfs_dev_uart_port_set_rx_line_endings       uart_vfs_dev_port_set_rx_line_endings
#define esp_vfs_dev_uart_port_set_tx_line_endings       uart_vfs_dev_port_set_tx_line_endings
#define esp_vfs_dev_uart_set_rx_line_endings(mode)      ((void)uart_vfs_dev_port_set_rx_line_endings(0, mode))
#define esp_vfs_dev_uart_set_tx_line_endings(mode)      ((void)uart_vfs_dev_port_set_tx_line_endings(0, mode))
#define esp_vfs_dev_usb_serial_jtag_register            usb_serial_jtag_vfs_register
#define esp_vfs_dev_usb_serial_jtag_set_rx_line_endings usb_serial_jtag_vfs_set_rx_line_endings
#define esp_vfs_dev_usb_serial_jtag_set_tx_line_endings usb_serial_jtag_vfs_set_tx_line_endings
#define esp_vfs_usb_serial_jtag_use_driver              usb_serial_jtag_vfs_use_driver
#define esp_vfs_usb_serial_jtag_use_nonblocking         usb_serial_jtag_vfs_use_nonblocking
