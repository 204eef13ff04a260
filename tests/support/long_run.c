/* Reads OTTER_LONG. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/long_run.h"

#include <stdlib.h>
#include <string.h>

bool long_run_wanted(void)
{
    const char *value = getenv("OTTER_LONG");
    return value != NULL && value[0] != '\0' && strcmp(value, "0") != 0 && strcmp(value, "no") != 0;
}
