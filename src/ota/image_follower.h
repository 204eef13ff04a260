/* The image follower: judges an image in a partition while it is written, from what flash holds. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_partition.h"
#include "otter/image.h"
#include "otter/promise.h"
#include "otter/update.h"

typedef struct otter_image_follower image_follower_t; /* otter/update.h; zeros follow nothing */

/** Starts with the first byte. `partition` stays the caller's; a follower in use is ended. */
void image_follower_begin(image_follower_t *follower, const esp_partition_t *partition,
                          const otter_image_rules_t *rules);

/** `end` bytes are on flash: of these it reads the whole sectors, which are final, once they fill the buffer of the flash. */
void image_follower_sectors(image_follower_t *follower, uint32_t end);

/** Reads up to `end`, or to where the image's fate is known. @return true: the image is there to its last byte, and good */
bool image_follower_is_complete(image_follower_t *follower, uint32_t end);

/**
 * The verdict on what the partition holds. What it held before the update counts, as it does for the bootloader.
 * While it was read nobody else wrote to it, or all of it is read again; afterwards `watch` tells.
 * @param followed   false: bytes came in another order, all of it is read again
 * @param trust      whom it must be signed by now; where that has changed since begin, all of it is read again
 * @param image_len  of a good image, in bytes
 * @return as otter_image_verify, with the reason in fault
 */
OTTER_MUST_CHECK esp_err_t image_follower_verify(image_follower_t *follower, bool followed,
                                                 const otter_trust_t *trust, uint32_t *image_len,
                                                 otter_fault_t *fault);

/** Frees what the follower owns; harmless twice and on zeros. */
void image_follower_end(image_follower_t *follower);
