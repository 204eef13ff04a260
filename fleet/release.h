/* Images that simulated devices run: whole and valid by all rules of a bootloader, and of nothing but noise inside. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "fleet/server.h"
#include "otter/promise.h"

#define FLEET_IMAGE_MIN 4096u
#define FLEET_IMAGE_MAX 0x400000u /* bytes */
#define FLEET_CHIP      5u        /* ESP32-C3 */

/**
 * An app image of about `size` bytes for FLEET_CHIP, hashed.
 * @param version  stays the caller's, at most 31 bytes
 * @return false: out of memory
 */
OTTER_MUST_CHECK bool fleet_release_make(fleet_release_t *release, const char *version, uint32_t size);

void fleet_release_free(fleet_release_t *release);
