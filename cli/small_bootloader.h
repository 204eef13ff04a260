/* A bootloader's image for flashes whose boot step is not in them: `otter run` of chip linux, `otter boot` of chip device. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "image_writer.h"
#include "otter/promise.h"

/**
 * An image with a bootloader's descriptor and a hash, for programs that ask for either; it also tells which of the two the
 * flash is for. The same bytes every time.
 * @param w  zeros; image_writer_free() it
 * @return false when out of memory
 */
OTTER_MUST_CHECK bool small_bootloader_make(image_writer_t *w, uint16_t chip_id);
