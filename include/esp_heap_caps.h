/* ESP-IDF's malloc with capabilities: one kind of memory here, so every capability is met. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sdkconfig.h"
#include "esp_attr.h"
#include "esp_err.h"
#include "multi_heap.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MALLOC_CAP_EXEC          (1u << 0)
#define MALLOC_CAP_32BIT         (1u << 1)
#define MALLOC_CAP_8BIT          (1u << 2)
#define MALLOC_CAP_DMA           (1u << 3)
#define MALLOC_CAP_PID2          (1u << 4)
#define MALLOC_CAP_PID3          (1u << 5)
#define MALLOC_CAP_PID4          (1u << 6)
#define MALLOC_CAP_PID5          (1u << 7)
#define MALLOC_CAP_PID6          (1u << 8)
#define MALLOC_CAP_PID7          (1u << 9)
#define MALLOC_CAP_SPIRAM        (1u << 10)
#define MALLOC_CAP_INTERNAL      (1u << 11)
#define MALLOC_CAP_DEFAULT       (1u << 12)
#define MALLOC_CAP_IRAM_8BIT     (1u << 13)
#define MALLOC_CAP_RETENTION     (1u << 14)
#define MALLOC_CAP_RTCRAM        (1u << 15)
#define MALLOC_CAP_SPM           (1u << 16)
#define MALLOC_CAP_TCM           MALLOC_CAP_SPM
#define MALLOC_CAP_DMA_DESC_AHB  (1u << 17)
#define MALLOC_CAP_DMA_DESC_AXI  (1u << 18)
#define MALLOC_CAP_CACHE_ALIGNED (1u << 19)
#define MALLOC_CAP_SIMD          (1u << 20)
#define MALLOC_CAP_SPIRAM_NO_ENC (1u << 21)
#define MALLOC_CAP_INVALID       (1u << 31)

/** As malloc, calloc, realloc and free. */
void *heap_caps_malloc(size_t size, uint32_t caps);
void *heap_caps_calloc(size_t count, size_t size, uint32_t caps);
void *heap_caps_realloc(void *memory, size_t size, uint32_t caps);
void heap_caps_free(void *memory);

/** The same at a multiple of `alignment`, a power of two; freed by heap_caps_free(). @return NULL also if it is none */
void *heap_caps_aligned_alloc(size_t alignment, size_t size, uint32_t caps);
void *heap_caps_aligned_calloc(size_t alignment, size_t count, size_t size, uint32_t caps);
void heap_caps_aligned_free(void *memory);

/** The same with `num` kinds of memory, of which the first that has room is taken. 0 kinds: NULL. */
void *heap_caps_malloc_prefer(size_t size, size_t num, ...);
void *heap_caps_calloc_prefer(size_t count, size_t size, size_t num, ...);
void *heap_caps_realloc_prefer(void *memory, size_t size, size_t num, ...);

/** Is told of each allocation above that fails. NULL: nobody. @return ESP_OK */
typedef void (*esp_alloc_failed_hook_t)(size_t size, uint32_t caps, const char *function_name);
esp_err_t heap_caps_register_failed_alloc_callback(esp_alloc_failed_hook_t callback);

/** Bytes of the machine's memory: all; as esp_get_free_heap_size(); the least that was seen. */
size_t heap_caps_get_total_size(uint32_t caps);
size_t heap_caps_get_free_size(uint32_t caps);
size_t heap_caps_get_minimum_free_size(uint32_t caps);
/** As heap_caps_get_free_size(): memory of a host has no pieces. */
size_t heap_caps_get_largest_free_block(uint32_t caps);
void heap_caps_get_info(multi_heap_info_t *info, uint32_t caps);
/** Writes these figures to the console. */
void heap_caps_print_heap_info(uint32_t caps);

/** Bytes that can be used at `memory`, at least as many as were asked for; 0 for NULL. */
size_t heap_caps_get_allocated_size(void *memory);

/** True: the C library ends a program whose heap it finds broken. */
bool heap_caps_check_integrity_all(bool print_errors);
bool heap_caps_check_integrity(uint32_t caps, bool print_errors);
bool heap_caps_check_integrity_addr(intptr_t addr, bool print_errors);

/** Of no effect: there is no external memory. */
void heap_caps_malloc_extmem_enable(size_t limit);

#ifdef __cplusplus
}
#endif
