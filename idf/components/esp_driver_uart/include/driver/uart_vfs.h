/* The console through files: it is standard input and output in any case, and ends lines as they are written. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_vfs_common.h"

#ifdef __cplusplus
extern "C" {
#endif

void uart_vfs_dev_register(void);
/** @return 0; -1: no such port */
int uart_vfs_dev_port_set_rx_line_endings(int uart_num, esp_line_endings_t mode);
int uart_vfs_dev_port_set_tx_line_endings(int uart_num, esp_line_endings_t mode);
void uart_vfs_dev_use_nonblocking(int uart_num);
void uart_vfs_dev_use_driver(int uart_num);

#ifdef __cplusplus
}
#endif
