/* A small bootloader's image of any chip, as esptool would make it: one segment for RAM, checksum, no hash. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#define BOOTLOADER_IMAGE_LEN 96u

/**
 * @param load_addr  of its one segment, in the chip's RAM; where flash is mapped, it makes an application of it
 * @param flash_code header byte 3: size code in the high half, frequency code in the low
 */
void make_bootloader_image(uint8_t raw[BOOTLOADER_IMAGE_LEN], uint16_t chip_id, uint32_t load_addr,
                           uint8_t flash_code);
