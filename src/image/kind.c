/* Kinds of images by header, descriptors and load addresses; and the first bytes of what is no image. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/image_kind.h"

#include <stdbool.h>
#include <string.h>

#include "otter/bytes.h"
#include "image/judge.h"

/*
 * Where ESP-IDF's bootloaders lie since its version 3: at the end of the chip's memory, where no app is loaded to. (The linker
 * scripts bootloader*.ld of each chip have it; those of older versions are within some KiB of these.)
 */
static const struct bootloader_place {
    uint16_t chip_id;
    otter_window_t window; /* a segment of the bootloader begins in it */
} otter_bootloader_places[] = {
    {0x0000, {0x40078000, 0x40080000}}, {0x0000, {0x3FFF0000, 0x3FFF8000}},
    {0x0002, {0x4004A000, 0x40056000}}, {0x0002, {0x3FFE4000, 0x3FFF0000}},
    {0x0005, {0x403C8000, 0x403E0000}}, {0x0005, {0x3FCD4000, 0x3FCE0000}},
    {0x0009, {0x403B6000, 0x403E0000}}, {0x0009, {0x3FCD0000, 0x3FD00000}},
    {0x000C, {0x403A8000, 0x403C0000}}, {0x000C, {0x3FCD0000, 0x3FCE0000}},
    {0x000D, {0x40868000, 0x40880000}}, {0x0010, {0x40838000, 0x40850000}},
    {0x0012, {0x4FF28000, 0x4FF40000}}, {0x0012, {0x4FFA8000, 0x4FFC0000}},
    {0x0014, {0x40838000, 0x40850000}}, {0x0017, {0x40848000, 0x40860000}},
    {0x0019, {0x40836000, 0x40850000}}, {0x001C, {0x40848000, 0x40860000}},
};

static bool is_within(const otter_window_t *window, uint32_t addr)
{
    return addr >= window->start && addr < window->end;
}

static bool lies_as_bootloader(const otter_image_info_t *info)
{
    for (uint32_t i = 0; i < info->segments_seen; i++) {
        for (size_t k = 0; k < sizeof(otter_bootloader_places) / sizeof(otter_bootloader_places[0]); k++) {
            const struct bootloader_place *place = &otter_bootloader_places[k];
            if (place->chip_id == info->header.chip_id &&
                is_within(&place->window, info->segments[i].load_addr)) {
                return true;
            }
        }
    }
    return false;
}

/** The ESP8266's header has 8 bytes: its first segment's load address stands where others have the flash chip's pins. */
bool image_header_is_esp8266(const esp_image_header_t *header)
{
    static const otter_window_t code = {0x40100000, 0x40110000}, data = {0x3FFE8000, 0x40000000},
                                flash = {0x40200000, 0x40400000};
    uint32_t load_addr = header->wp_pin | (uint32_t)header->spi_pin_drv[0] << 8 |
                         (uint32_t)header->spi_pin_drv[1] << 16 | (uint32_t)header->spi_pin_drv[2] << 24;
    return is_within(&code, header->entry_addr) &&
           (is_within(&code, load_addr) || is_within(&data, load_addr) || is_within(&flash, load_addr));
}

/** Is one of the first `count` segments mapped from flash? */
static bool maps_flash(const otter_image_info_t *info, const otter_chip_facts_t *facts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (otter_chip_maps(facts, info->segments[i].load_addr, info->mmu_page_size)) {
            return true;
        }
    }
    return false;
}

otter_image_kind_t otter_image_kind(const otter_image_info_t *info)
{
    if (!info->header_seen || info->header.magic != ESP_IMAGE_HEADER_MAGIC) {
        return OTTER_IMAGE_KIND_NONE;
    }
    if (image_header_is_esp8266(&info->header)) {
        return OTTER_IMAGE_KIND_ESP8266;
    }
    if (info->has_bootloader_desc) {
        return OTTER_IMAGE_KIND_BOOTLOADER;
    }
    const otter_chip_facts_t *facts = otter_chip_facts(info->header.chip_id);
    if (facts == NULL || !otter_chip_is_espressif(facts->id)) {
        return OTTER_IMAGE_KIND_APP;
    }
    bool more = info->segments_seen < info->header.segment_count;
    bool begins_as_app = info->segments_seen == 0 || info->has_desc || maps_flash(info, facts, 1);
    if (begins_as_app && (more || maps_flash(info, facts, info->segments_seen))) {
        return OTTER_IMAGE_KIND_APP;
    }
    return lies_as_bootloader(info) ? OTTER_IMAGE_KIND_BOOTLOADER : OTTER_IMAGE_KIND_RAM;
}

static const struct {
    const char *name, *key;
} kinds[] = {
    [OTTER_IMAGE_KIND_NONE] = {"image", "none"},
    [OTTER_IMAGE_KIND_APP] = {"app image", "app"},
    [OTTER_IMAGE_KIND_BOOTLOADER] = {"bootloader image", "bootloader"},
    [OTTER_IMAGE_KIND_RAM] = {"RAM program", "ram"},
    [OTTER_IMAGE_KIND_ESP8266] = {"ESP8266 image", "esp8266"},
};

const char *otter_image_kind_name(otter_image_kind_t kind)
{
    return kinds[kind].name;
}

const char *otter_image_kind_key(otter_image_kind_t kind)
{
    return kinds[kind].key;
}

/* ---- what is no image ---- */

const char *otter_image_foreign_name(const uint8_t *head, size_t len)
{
    static const struct {
        const char *name;
        uint8_t len;
        uint8_t magic[8];
    } rows[] = {
        {"an ELF file", 4, {0x7F, 'E', 'L', 'F'}},
        {"a partition table", 2, {0xAA, 0x50}},
        {"an ESP8266 image", 2, {0xEA, 0x04}},
        {"an MCUboot image", 4, {0x3D, 0xB8, 0xF3, 0x96}},
        {"an image encrypted for esp_encrypted_img", 4, {0xCF, 0xB6, 0x88, 0x07}},
        {"a UF2 file", 4, {'U', 'F', '2', '\n'}},
        {"a ZIP file", 4, {'P', 'K', 3, 4}},
        {"a gzip file", 2, {0x1F, 0x8B}},
        {"an xz file", 5, {0xFD, '7', 'z', 'X', 'Z'}},
        {"a web page", 5, {'<', '!', 'D', 'O', 'C'}},
        {"a web page", 5, {'<', '!', 'd', 'o', 'c'}},
        {"a web page", 5, {'<', 'h', 't', 'm', 'l'}},
        {"an Intel HEX file", 3, {':', '0', '2'}},
        {"an Intel HEX file", 3, {':', '1', '0'}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (len >= rows[i].len && memcmp(head, rows[i].magic, rows[i].len) == 0) {
            return rows[i].name;
        }
    }
    if (len >= 8 && (head[0] == 0 || head[0] == ERASED_BYTE) && memcmp(head, head + 1, len - 1) == 0) {
        return head[0] == 0 ? "zeros" : "erased flash";
    }
    return NULL;
}
