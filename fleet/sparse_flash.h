/* Flash of thousands of devices in little memory: what is erased takes none, what is the same is there once. Loses power. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/flash.h"
#include "otter/promise.h"

#define SPARSE_SECTOR 4096u
#define SPARSE_NEVER  UINT32_MAX

/** Sectors that devices have in common. Begins as zeros; not thread safe. */
typedef struct {
    struct sparse_sector **buckets;
    uint32_t bucket_count, count;
    uint64_t bytes; /* of the contents of sectors, shared or not */
} sparse_pool_t;

/** One flash. NOR rules are law: a program that asks for 0 -> 1 fails and changes nothing. */
typedef struct {
    otter_flash_t flash; /* give this to the device */
    sparse_pool_t *pool;
    struct sparse_sector **sectors;
    uint32_t changing; /* the sector that is written now, not shared yet */
    uint32_t ops;      /* programs and erases so far, an erase counted per sector */
    uint32_t cut_at;   /* the operation with this number loses power; SPARSE_NEVER: none */
    uint32_t random;   /* seed of how much of it is done then */
    bool dead;         /* power is gone: all fails and nothing changes, until sparse_flash_power_on() */
} sparse_flash_t;

/** Erased flash. @param size  bytes, whole sectors. @return false: out of memory */
OTTER_MUST_CHECK bool sparse_flash_init(sparse_flash_t *sparse, sparse_pool_t *pool, uint32_t size);

void sparse_flash_power_on(sparse_flash_t *sparse);

/** Harmless on zeros. */
void sparse_flash_free(sparse_flash_t *sparse);

/** When no flash uses it any more. */
void sparse_pool_free(sparse_pool_t *pool);
