/* OTTER_LONG, which `./dev test --long` sets: do the tests that have a long version run that one? */
#pragma once

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/** True unless it is unset, empty, "0" or "no". */
static inline bool long_run_wanted(void)
{
    const char *value = getenv("OTTER_LONG");
    return value != NULL && value[0] != '\0' && strcmp(value, "0") != 0 && strcmp(value, "no") != 0;
}
