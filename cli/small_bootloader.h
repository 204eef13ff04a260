/* A bootloader's image for flashes of the virtual device, whose boot step is `otter run` itself and not in the flash. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "image_writer.h"
#include "otter/promise.h"

/**
 * An image with a bootloader's descriptor and a hash, for programs that ask for either. The same bytes every time.
 * @param w  zeros; image_writer_free() it
 * @return false when out of memory
 */
OTTER_MUST_CHECK bool small_bootloader_make(image_writer_t *w);
