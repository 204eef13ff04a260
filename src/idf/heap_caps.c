/* Memory with capabilities: there is one kind, so the capabilities are not looked at. */
#include "esp_heap_caps.h"

#include <stdlib.h>

#include "esp_system.h"

void *heap_caps_malloc(size_t size, uint32_t caps)
{
    (void)caps;
    return malloc(size);
}

void *heap_caps_calloc(size_t count, size_t size, uint32_t caps)
{
    (void)caps;
    return calloc(count, size);
}

void *heap_caps_realloc(void *memory, size_t size, uint32_t caps)
{
    (void)caps;
    return realloc(memory, size);
}

void heap_caps_free(void *memory)
{
    free(memory);
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
