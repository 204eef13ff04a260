/* What the log says, kept for a test to read: `esp_log_set_vprintf(keep_text)`. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdarg.h>

extern char said[4096];
int keep_text(const char *format, va_list args);
