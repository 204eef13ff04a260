/* The running application's descriptor, as it stands in the slot it runs from. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_app_desc.h"

#include <stdio.h>
#include <string.h>

#include "otter/image.h"
#include "otter/build_options.h"
#include "otter/device.h"
#include "otter/promise.h"

#define SHA_DIGITS_MAX 64u

/** Read once for each running slot: the slot that runs is never written. */
static struct {
    const otter_device_t *device;
    const esp_partition_t *running;
    esp_app_desc_t desc;
} cache;

static void read_desc(otter_device_t *device, esp_app_desc_t *desc)
{
    uint8_t raw[OTTER_IMAGE_DESC_SIZE];
    memset(desc, 0, sizeof(*desc));
    desc->magic_word =
        ESP_APP_DESC_MAGIC_WORD; /* an empty descriptor if flash has none: callers do not expect NULL */
    if (device == NULL || device->running == NULL || device->running->size < OTTER_IMAGE_GATE_SIZE) {
        return;
    }
    uint32_t off = device->running->address + OTTER_IMAGE_DESC_OFFSET;
    if (otter_flash_read(device->flash, off, raw, sizeof(raw)) == ESP_OK) {
        otter_ignore(otter_image_decode_desc(raw, desc)); /* with another magic the descriptor stays empty */
    }
}

const esp_app_desc_t *esp_app_get_description(void)
{
    otter_device_t *device = otter_device_current();
    const esp_partition_t *running = device != NULL ? device->running : NULL;
    if (device == NULL || running == NULL || cache.device != device || cache.running != running) {
        read_desc(device, &cache.desc);
        cache.device = device;
        cache.running = running;
    }
    return &cache.desc;
}

int esp_app_get_elf_sha256(char *dst, size_t size)
{
    if (dst == NULL || size < 2) {
        return 0;
    }
    const uint8_t *sha = esp_app_get_description()->app_elf_sha256;
    size_t kept = otter_build_options.elf_sha_digits;
    size_t digits = size - 1 < kept ? size - 1 : kept;
    for (size_t i = 0; i < digits; i++) {
        dst[i] = "0123456789abcdef"[i % 2 == 0 ? sha[i / 2] >> 4 : sha[i / 2] & 0xF];
    }
    dst[digits] = '\0';
    return (int)digits + 1;
}

char *esp_app_get_elf_sha256_str(void)
{
    static char text[SHA_DIGITS_MAX + 1];
    (void)esp_app_get_elf_sha256(text, sizeof(text));
    return text;
}
