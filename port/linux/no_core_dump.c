/* The limit of core dumps, which can only be lowered. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/no_core_dump.h"

#include <stddef.h>
#include <sys/resource.h>

void no_core_dump(void)
{
    /* Linux hands a dump to a program (core_pattern with a pipe) in spite of a limit of 0, but not of 1, which no file fits. */
    static const rlim_t limits[] = {1, 0};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        const struct rlimit limit = {limits[i], limits[i]};
        if (setrlimit(RLIMIT_CORE, &limit) == 0) {
            return; /* 1 is refused where the limit is 0 for good */
        }
    }
}
