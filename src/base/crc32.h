/* CRC-32 (reflected, 0xEDB88320) as ESP-IDF's ROM and zlib compute it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * esp_rom_crc32_le(seed, data, len), which is zlib's crc32(seed, data, len). Seed 0 is the standard CRC-32; otadata
 * uses seed 0xFFFFFFFF. The result of one call is the seed of the next, for data that comes in pieces.
 */
uint32_t crc32_le(uint32_t seed, const void *data, size_t len);
