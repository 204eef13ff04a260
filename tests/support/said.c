/* Keeps what the log says. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/said.h"

#include <stdio.h>
#include <string.h>

char said[4096];

int keep_text(const char *format, va_list args)
{
    size_t used = strlen(said);
    return vsnprintf(said + used, sizeof(said) - used, format, args);
}
