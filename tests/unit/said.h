/* What the log says, kept for a test to read: `esp_log_set_vprintf(keep_text)`. */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char said[4096];

static int keep_text(const char *format, va_list args)
{
    size_t used = strlen(said);
    return vsnprintf(said + used, sizeof(said) - used, format, args);
}
