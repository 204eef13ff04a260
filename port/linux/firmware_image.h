/* The executable of an image that boots, in memory that nobody else can change. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "esp_partition.h"
#include "otter/device.h"
#include "otter/image.h"
#include "otter/promise.h"

/**
 * Copies a segment of a verified image into a memory file. Of a device that asks for signatures the image is judged once more,
 * with the copy in the place of the segment: a flash file can be changed by others between its check and its use.
 * @param image    what the boot step found
 * @param segment  below image->segments_seen
 * @return its descriptor, the caller's; -1 with the reason in fault: ESP_ERR_NO_MEM where this machine is short of something,
 *         ESP_ERR_INVALID_STATE: it is not what was verified
 */
OTTER_MUST_CHECK int firmware_image_copy(const otter_device_t *device, const esp_partition_t *partition,
                                         const otter_image_info_t *image, uint32_t segment,
                                         otter_fault_t *fault);
