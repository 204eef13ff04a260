/* CRCs by the names of a chip's ROM: each takes what it gave for the bytes before, 0 for the first. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* le: bits of a byte from the lowest on, be: from the highest. The register is inverted before and after, as in zlib's. */
uint32_t esp_rom_crc32_le(uint32_t crc, const uint8_t *buf,
                          uint32_t len); /* x^32 + x^26 + x^23 + ... (0x04C11DB7) */
uint32_t esp_rom_crc32_be(uint32_t crc, const uint8_t *buf, uint32_t len);
uint16_t esp_rom_crc16_le(uint16_t crc, const uint8_t *buf,
                          uint32_t len); /* x^16 + x^12 + x^5 + 1 (0x1021) */
uint16_t esp_rom_crc16_be(uint16_t crc, const uint8_t *buf, uint32_t len);
uint8_t esp_rom_crc8_le(uint8_t crc, const uint8_t *buf, uint32_t len); /* x^8 + x^2 + x + 1 (0x07) */
uint8_t esp_rom_crc8_be(uint8_t crc, const uint8_t *buf, uint32_t len);

#ifdef __cplusplus
}
#endif
