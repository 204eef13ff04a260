/* Descriptor and one text; nothing of it is ever run. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "small_bootloader.h"

#include <stdio.h>
#include <string.h>

#include "otter/bytes.h"
#include "esp_bootloader_desc.h"
#include "esp_idf_version.h"
#include "otter/chip.h"

#define DESC_AT(field) offsetof(esp_bootloader_desc_t, field)
#define NO_FLASH_SIZE  0xF /* a code without a meaning: such a flash has any size */

bool small_bootloader_make(image_writer_t *w, uint16_t chip_id)
{
    static const char run[] = "the boot step of this device is `otter run`";
    static const char boot[] = "the boot step of this device is `otter boot`";
    const bool virtual = chip_id == OTTER_CHIP_LINUX;
    const esp_image_header_t header = {
        .magic = ESP_IMAGE_HEADER_MAGIC,
        .spi_mode = ESP_IMAGE_SPI_MODE_DIO,
        .spi_size = NO_FLASH_SIZE,
        .wp_pin = 0xEE,
        .chip_id = (esp_chip_id_t)chip_id,
        .max_chip_rev_full = UINT16_MAX,
        .hash_appended = 1,
    };
    uint8_t desc[sizeof(esp_bootloader_desc_t)] = {ESP_BOOTLOADER_DESC_MAGIC_BYTE};
    le32_put(desc + DESC_AT(version), 1);
    snprintf((char *)desc + DESC_AT(idf_ver), 32, "v%d.%d-otter", ESP_IDF_VERSION_MAJOR,
             ESP_IDF_VERSION_MINOR);
    image_writer_begin(w, &header);
    image_writer_segment(w, 0, desc, sizeof(desc));
    image_writer_segment(w, 0, (const uint8_t *)(virtual ? run : boot), virtual ? sizeof(run) : sizeof(boot));
    return image_writer_end(w);
}
