/* The console as two serial ports. */
#pragma once

void console_by_uart(void);
void console_by_usb(void);
