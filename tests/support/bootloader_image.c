/* Makes a small bootloader's image. */
#include "support/bootloader_image.h"

#include <string.h>

#include "base/le.h"
#include "otter/chip.h"

void make_bootloader_image(uint8_t raw[BOOTLOADER_IMAGE_LEN], uint16_t chip_id, uint32_t load_addr,
                           uint8_t flash_code)
{
    const uint32_t data_at = 32, data_len = 48;
    memset(raw, 0, BOOTLOADER_IMAGE_LEN);
    raw[0] = 0xE9;
    raw[1] = 1;
    raw[2] = 2; /* DIO */
    raw[3] = flash_code;
    le32_put(raw + 4, load_addr);
    le16_put(raw + 12, chip_id);
    le32_put(raw + 24, load_addr);
    le32_put(raw + 28, data_len);
    uint8_t sum = 0xEF;
    for (uint32_t i = data_at; i < data_at + data_len; i++) {
        raw[i] = (uint8_t)(3 * i);
        sum ^= raw[i];
    }
    raw[BOOTLOADER_IMAGE_LEN - 1] = sum;
}
