/* A bootloader: decides what boots, as ESP-IDF's does, loads it and jumps. With public headers alone, and without a heap. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "otter/boot.h"
#include "port.h"

static otter_device_t device; /* 7 KiB, and the result 4: too much for the stack of a small chip */
static otter_boot_result_t result;
static uint8_t buffer[4096]; /* flash is read through it: of any size, larger is faster */

/** Copies the segments that belong into memory; the others are mapped, or are padding. @return ESP_OK, ESP_ERR_FLASH_OP_* */
static esp_err_t load(otter_flash_t *flash)
{
    const otter_image_info_t *image = &result.image;
    esp_err_t err = ESP_OK;
    for (uint32_t i = 0; i < image->segments_seen && err == ESP_OK; i++) {
        const esp_image_segment_header_t *segment = &image->segments[i];
        void *to = port_memory(segment->load_addr, segment->data_len);
        if (to != NULL) {
            err = otter_flash_read(flash, result.partition->address + image->segment_data[i], to,
                                   segment->data_len);
        }
    }
    return err;
}

/** Never returns: an application runs, or the chip starts anew. */
void bootloader(otter_flash_t *flash, uint16_t chip_id)
{
    const otter_chip_t chip = {.id = chip_id};
    const otter_device_config_t config = {.rollback = true, .copies = &otter_staged_copies};
    flash->buffer = (otter_buffer_t){buffer, sizeof(buffer)};
    otter_device_init(&device, flash, &chip, NULL, &config);
    if (otter_boot(&device, OTTER_BOOT_COMMIT, &result) != ESP_OK) {
        port_reset(result.reason);
    }
    if (load(flash) != ESP_OK) {
        otter_ignore(
            otter_boot_take_back(&device, &result)); /* that is not the image's fault: no trial has begun */
        port_reset("the flash could not be read");
    }
    port_jump(result.partition->label, result.image.header.entry_addr);
}
