/* CRCs by the old names of an ESP32's ROM. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_rom_crc.h"
#include "otter/bytes.h" /* has crc32_le() itself, for bytes of any type */

#define crc32_be(crc, buf, len) esp_rom_crc32_be((crc), (buf), (len))
#define crc16_le(crc, buf, len) esp_rom_crc16_le((crc), (buf), (len))
#define crc16_be(crc, buf, len) esp_rom_crc16_be((crc), (buf), (len))
#define crc8_le(crc, buf, len)  esp_rom_crc8_le((crc), (buf), (len))
#define crc8_be(crc, buf, len)  esp_rom_crc8_be((crc), (buf), (len))
