/* The console as two serial ports. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

void console_by_uart(void);
void console_by_usb(void);
