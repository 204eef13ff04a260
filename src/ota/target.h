/* Where a download goes. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/device.h"

typedef struct {
    otter_device_t *device;
    const esp_partition_t *staging;    /* what is written: a row of the table, or `registered` */
    const esp_partition_t *final;      /* what the bytes are for: the same, a row, or `meant` */
    esp_partition_t registered, meant; /* the application's, which may be gone before the update is */
    bool copies;                       /* staging is copied to final at the end */
    int64_t size;                      /* bytes of the image, -1: nobody knows yet */
} ota_target_t;
