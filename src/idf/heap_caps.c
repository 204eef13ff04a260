/* Memory with capabilities. There is one kind of memory, so they matter only to the hook that hears of failures. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_heap_caps.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "esp_system.h"
#include "otter/system.h"

static esp_alloc_failed_hook_t failed_hook;

esp_err_t heap_caps_register_failed_alloc_callback(esp_alloc_failed_hook_t callback)
{
    otter_lock(OTTER_LOCK_SYSTEM);
    failed_hook = callback;
    otter_unlock(OTTER_LOCK_SYSTEM);
    return ESP_OK;
}

/** Passes an allocation on, after telling if it failed. */
static void *told(void *memory, size_t size, uint32_t caps, const char *function)
{
    if (memory == NULL && size > 0) {
        otter_lock(OTTER_LOCK_SYSTEM);
        esp_alloc_failed_hook_t hook = failed_hook;
        otter_unlock(OTTER_LOCK_SYSTEM);
        if (hook != NULL) {
            hook(size, caps, function);
        }
    }
    return memory;
}

void *heap_caps_malloc(size_t size, uint32_t caps)
{
    return told(malloc(size), size, caps, __func__);
}

/** Bytes of an array; SIZE_MAX, which no allocation has, where they do not fit a size_t. */
static size_t array_size(size_t count, size_t size)
{
    return size != 0 && count > SIZE_MAX / size ? SIZE_MAX : count * size;
}

void *heap_caps_calloc(size_t count, size_t size, uint32_t caps)
{
    return told(calloc(count, size), array_size(count, size), caps, __func__);
}

void *heap_caps_realloc(void *memory, size_t size, uint32_t caps)
{
    return told(realloc(memory, size), size, caps, __func__);
}

void heap_caps_free(void *memory)
{
    free(memory);
}

/** C wants whole multiples of an alignment that is not below that of a pointer. */
static void *allocate_aligned(size_t alignment, size_t size)
{
    bool is_power = alignment != 0 && (alignment & (alignment - 1)) == 0;
    alignment = alignment < sizeof(void *) ? sizeof(void *) : alignment;
    if (!is_power || size > SIZE_MAX - (alignment - 1)) {
        return NULL;
    }
    return aligned_alloc(alignment, (size + alignment - 1) & ~(alignment - 1));
}

void *heap_caps_aligned_alloc(size_t alignment, size_t size, uint32_t caps)
{
    return told(allocate_aligned(alignment, size), size, caps, __func__);
}

void *heap_caps_aligned_calloc(size_t alignment, size_t count, size_t size, uint32_t caps)
{
    size_t bytes = array_size(count, size);
    void *memory = told(allocate_aligned(alignment, bytes), bytes, caps, __func__);
    if (memory != NULL) {
        memset(memory, 0, bytes);
    }
    return memory;
}

void heap_caps_aligned_free(void *memory)
{
    free(memory);
}

/** The first kind of those preferred: as good as any other. */
#define FIRST_KIND(caps, last)                                                                               \
    do {                                                                                                     \
        va_list kinds;                                                                                       \
        va_start(kinds, last);                                                                               \
        (caps) = va_arg(kinds, uint32_t);                                                                    \
        va_end(kinds);                                                                                       \
    } while (0)

void *heap_caps_malloc_prefer(size_t size, size_t num, ...)
{
    uint32_t caps = 0;
    if (num == 0) {
        return NULL;
    }
    FIRST_KIND(caps, num);
    return heap_caps_malloc(size, caps);
}

void *heap_caps_calloc_prefer(size_t count, size_t size, size_t num, ...)
{
    uint32_t caps = 0;
    if (num == 0) {
        return NULL;
    }
    FIRST_KIND(caps, num);
    return heap_caps_calloc(count, size, caps);
}

void *heap_caps_realloc_prefer(void *memory, size_t size, size_t num, ...)
{
    uint32_t caps = 0;
    if (num == 0) {
        return NULL;
    }
    FIRST_KIND(caps, num);
    return heap_caps_realloc(memory, size, caps);
}

size_t heap_caps_get_free_size(uint32_t caps)
{
    (void)caps;
    return esp_get_free_heap_size();
}

size_t heap_caps_get_minimum_free_size(uint32_t caps)
{
    (void)caps;
    return esp_get_minimum_free_heap_size();
}

size_t heap_caps_get_largest_free_block(uint32_t caps)
{
    return heap_caps_get_free_size(caps);
}

void heap_caps_get_info(multi_heap_info_t *info, uint32_t caps)
{
    size_t total = heap_caps_get_total_size(caps), free_bytes = heap_caps_get_free_size(caps);
    *info = (multi_heap_info_t){.total_free_bytes = free_bytes,
                                .total_allocated_bytes = total > free_bytes ? total - free_bytes : 0,
                                .largest_free_block = heap_caps_get_largest_free_block(caps),
                                .minimum_free_bytes = heap_caps_get_minimum_free_size(caps)};
}

void heap_caps_print_heap_info(uint32_t caps)
{
    multi_heap_info_t info;
    heap_caps_get_info(&info, caps);
    char text[200];
    int len = snprintf(text, sizeof(text),
                       "Heap summary for capabilities 0x%08" PRIX32 ":\n"
                       "    free %zu allocated %zu min_free %zu largest_free_block %zu\n",
                       caps, info.total_free_bytes, info.total_allocated_bytes, info.minimum_free_bytes,
                       info.largest_free_block);
    otter_console_write(text, len > 0 ? (size_t)len : 0);
}

bool heap_caps_check_integrity_all(bool print_errors)
{
    (void)print_errors;
    return true;
}

bool heap_caps_check_integrity(uint32_t caps, bool print_errors)
{
    (void)caps;
    return heap_caps_check_integrity_all(print_errors);
}

bool heap_caps_check_integrity_addr(intptr_t addr, bool print_errors)
{
    (void)addr;
    return heap_caps_check_integrity_all(print_errors);
}

void heap_caps_malloc_extmem_enable(size_t limit)
{
    (void)limit;
}
