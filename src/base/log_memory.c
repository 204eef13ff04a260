/* The heap as the log uses it, in a file of its own: a program without a heap has another one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "otter/system.h"

void *otter_log_memory(size_t size)
{
    return malloc(size);
}

void otter_log_memory_free(void *memory)
{
    free(memory);
}
