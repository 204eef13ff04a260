/* The end of a broken promise, where neither the program nor its port defines one of its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/promise.h"

#include <stdlib.h>
#include <string.h>

#include "otter/text.h"
#include "otter/system.h"

void otter_assert_failed(const char *condition, const char *file, int line)
{
    char text[256];
    text_format(text, sizeof(text), "%s:%d: broken promise: %s\n", file, line, condition);
    otter_console_write(text, strlen(text));
    abort();
}
