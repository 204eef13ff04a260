/* What the bootloader needs of its chip, beside the seams of otter/flash.h, system.h and crypto.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "otter/flash.h"

/** Where `len` bytes for `address` go; NULL: that is no memory, but mapped flash or padding. */
void *port_memory(uint32_t address, uint32_t len);

void port_jump(const char *label, uint32_t entry) __attribute__((noreturn));
void port_reset(const char *why) __attribute__((noreturn));

void bootloader(otter_flash_t *flash, uint16_t chip_id) __attribute__((noreturn));
