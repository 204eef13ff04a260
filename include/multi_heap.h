/* ESP-IDF's figures of a heap. Heaps of a program's own are not there. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_compiler.h"
#include "esp_err.h"
#include "sdkconfig.h"

/** Bytes; a host does not count blocks. */
typedef struct {
    size_t total_free_bytes;
    size_t total_allocated_bytes; /* by all programs of the machine */
    size_t largest_free_block;
    size_t minimum_free_bytes; /* the least that was seen */
    size_t allocated_blocks;   /* 0 */
    size_t free_blocks;        /* 0 */
    size_t total_blocks;       /* 0 */
} multi_heap_info_t;
