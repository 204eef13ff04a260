/* Is a file what a data partition is for? */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_partition.h"
#include "otter/fault.h"
#include "otter/promise.h"

typedef enum {
    DATA_FITS,
    DATA_IN_DOUBT,  /* whoever reads it will not find what it looks for */
    DATA_MISPLACED, /* it belongs elsewhere, or would change what boots into nobody knows what */
} data_verdict_t;

/**
 * What ESP-IDF reads from partitions must be of its format, and neither there nor in a file system lies an image. Partitions for
 * what an application likes, and those that updates are staged in, take anything.
 * @param fault  what is wrong
 */
OTTER_MUST_CHECK data_verdict_t data_kind_judge(const esp_partition_t *partition, const uint8_t *data,
                                                size_t len, otter_fault_t *fault);
