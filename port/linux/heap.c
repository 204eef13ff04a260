/* The heap figures of a host: what the machine has and has left. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <malloc.h>
#include <stdatomic.h>
#include <unistd.h>

#include "esp_heap_caps.h"
#include "esp_system.h"

static atomic_uint least = UINT32_MAX;

uint32_t esp_get_free_heap_size(void)
{
    long pages = sysconf(_SC_AVPHYS_PAGES);
    long page_size = sysconf(_SC_PAGESIZE);
    uint64_t bytes = pages > 0 && page_size > 0 ? (uint64_t)pages * (uint64_t)page_size : 0;
    uint32_t size = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
    unsigned seen = atomic_load(&least);
    while (size < seen && !atomic_compare_exchange_weak(&least, &seen, size)) {
    }
    return size;
}

uint32_t esp_get_minimum_free_heap_size(void)
{
    (void)esp_get_free_heap_size();
    return atomic_load(&least);
}

size_t heap_caps_get_total_size(uint32_t caps)
{
    (void)caps;
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_size = sysconf(_SC_PAGESIZE);
    return pages > 0 && page_size > 0 ? (size_t)pages * (size_t)page_size : 0;
}

size_t heap_caps_get_allocated_size(void *memory)
{
    return malloc_usable_size(memory);
}
