/* Makes a small bootloader's image. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/bootloader_image.h"

#include "support/image_builder.h"

void make_bootloader_image(uint8_t raw[BOOTLOADER_IMAGE_LEN], uint16_t chip_id, uint32_t load_addr,
                           uint8_t flash_code)
{
    const image_plan_t plan = {
        .chip = chip_id, .flash_code = flash_code, .entry = load_addr, .load_addr = load_addr, .segment = 48};
    for (uint32_t i = 0; i < plan.segment; i++) {
        raw[IMAGE_DATA_AT + i] = (uint8_t)(3 * i);
    }
    image_finish(&plan, raw);
}
