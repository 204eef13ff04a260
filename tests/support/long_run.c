/* Reads OTTER_LONG and CI. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/long_run.h"

#include <stdlib.h>
#include <string.h>

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' && strcmp(value, "0") != 0 && strcmp(value, "no") != 0;
}

bool long_run_wanted(void)
{
    return is_set("OTTER_LONG");
}

bool full_run_wanted(void)
{
    return is_set("CI") || long_run_wanted();
}
