/* No address of a segment is one of this machine: nothing is loaded, segments are only read. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

static inline bool esp_ptr_in_iram(const void *p)
{
    (void)p;
    return false;
}

static inline bool esp_ptr_in_dram(const void *p)
{
    (void)p;
    return false;
}

static inline bool esp_ptr_in_diram_dram(const void *p)
{
    (void)p;
    return false;
}

static inline bool esp_ptr_in_diram_iram(const void *p)
{
    (void)p;
    return false;
}

static inline void *esp_ptr_diram_dram_to_iram(const void *p)
{
    (void)p;
    return NULL;
}

static inline void *esp_ptr_diram_iram_to_dram(const void *p)
{
    (void)p;
    return NULL;
}
