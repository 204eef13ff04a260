/* Bytes of an image to structures: the header, the app descriptor, revisions as text, the gate over a header. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/image.h"

#include <stdio.h>
#include <string.h>

#include "otter/bytes.h"
#include "image/judge.h"
#include "otter/image_kind.h"

void otter_image_decode_header(const uint8_t *raw, esp_image_header_t *out)
{
    memset(out, 0, sizeof(*out));
    out->magic = raw[0];
    out->segment_count = raw[1];
    out->spi_mode = raw[2];
    out->spi_speed = raw[3] & 0xFu;
    out->spi_size = (raw[3] >> 4) & 0xFu;
    out->entry_addr = le32_get(raw + 4);
    out->wp_pin = raw[8];
    memcpy(out->spi_pin_drv, raw + 9, sizeof(out->spi_pin_drv));
    out->chip_id = (esp_chip_id_t)le16_get(raw + 12);
    out->min_chip_rev = raw[14];
    out->min_chip_rev_full = le16_get(raw + 15);
    out->max_chip_rev_full = le16_get(raw + 17);
    memcpy(out->reserved, raw + 19, sizeof(out->reserved));
    out->hash_appended = raw[23];
}

bool image_begins_desc(const uint8_t *raw)
{
    return le32_get(raw) == ESP_APP_DESC_MAGIC_WORD;
}

esp_err_t otter_image_decode_desc(const uint8_t *raw, esp_app_desc_t *out)
{
    if (!image_begins_desc(raw)) {
        return ESP_ERR_NOT_FOUND;
    }
    memmove(out, raw, sizeof(*out));
    out->magic_word = le32_get(raw);
    out->secure_version = le32_get(raw + offsetof(esp_app_desc_t, secure_version));
    out->min_efuse_blk_rev_full = le16_get(raw + offsetof(esp_app_desc_t, min_efuse_blk_rev_full));
    out->max_efuse_blk_rev_full = le16_get(raw + offsetof(esp_app_desc_t, max_efuse_blk_rev_full));
    return ESP_OK;
}

bool image_begins_bootloader_desc(const uint8_t *raw)
{
    const uint8_t *idf_ver = raw + offsetof(esp_bootloader_desc_t, idf_ver);
    return raw[0] == ESP_BOOTLOADER_DESC_MAGIC_BYTE && idf_ver[0] > ' ' && idf_ver[0] < 0x7F;
}

esp_err_t otter_image_decode_bootloader_desc(const uint8_t *raw, esp_bootloader_desc_t *out)
{
    if (!image_begins_bootloader_desc(raw)) {
        return ESP_ERR_NOT_FOUND;
    }
    memmove(out, raw, sizeof(*out));
    out->version = le32_get(raw + offsetof(esp_bootloader_desc_t, version));
    return ESP_OK;
}

bool otter_image_payload(const otter_image_info_t *info, uint32_t *off, uint32_t *len)
{
    if (!info->header_seen || info->segments_seen < 2 || otter_chip_is_espressif(info->header.chip_id)) {
        return false;
    }
    uint32_t whole = info->segments[1].data_len, told = info->header.entry_addr;
    *off = info->segment_data[1];
    *len = info->header.chip_id == OTTER_CHIP_DEVICE && told < whole ? told : whole;
    return true;
}

char *otter_image_hex(char *dst, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        snprintf(dst + 2 * i, 3, "%02x", bytes[i]);
    }
    dst[2 * len] = '\0';
    return dst;
}

esp_err_t image_refuse_magic(const uint8_t *head, size_t len, esp_err_t code, const char *more,
                             otter_fault_t *fault)
{
    const char *name = otter_image_foreign_name(head, len);
    return otter_fault(fault, code, "magic byte is 0x%02x, not 0x%02x: no app image%s%s%s", head[0],
                       ESP_IMAGE_HEADER_MAGIC, name != NULL ? ", but " : "", name != NULL ? name : "", more);
}

const char *otter_image_revision_text(uint16_t revision, char buf[12])
{
    snprintf(buf, 12, "v%u.%u", revision / 100u, revision % 100u);
    return buf;
}

/** The device's side of a revision that does not suit. */
static const char *have_text(const image_have_t *have, char *buf, size_t size)
{
    char text[12];
    otter_image_revision_text(have->revision, text);
    if (!have->unknown) {
        snprintf(buf, size, "this is %s", text);
    } else if (have->revision == 0) {
        snprintf(buf, size, "that of this chip " OTTER_IMAGE_REVISION_UNKNOWN);
    } else {
        snprintf(buf, size, "that of this chip " OTTER_IMAGE_REVISION_UNKNOWN ", but %s at least", text);
    }
    return buf;
}

bool image_revision_suits(const char *of, uint16_t min, uint16_t max, const image_have_t *have, bool strict,
                          otter_fault_t *fault)
{
    char want[12], text[64];
    const bool too_low = have->revision < min && (strict || !have->unknown || min == UINT16_MAX);
    const bool too_high = image_limit_is_set(max) && have->revision > max && !have->ignore_max;
    if (too_low && have->unknown && min == UINT16_MAX) {
        otter_fault(fault, ESP_ERR_INVALID_VERSION, "image needs %s revision %s, which no chip has", of,
                    otter_image_revision_text(min, want));
    } else if (too_low || too_high) {
        otter_fault(fault, ESP_ERR_INVALID_VERSION, "image needs %s revision %s or %s, %s", of,
                    otter_image_revision_text(too_low ? min : max, want), too_low ? "later" : "earlier",
                    have_text(have, text, sizeof(text)));
    }
    return !too_low && !too_high;
}

static void chip_text(uint16_t id, char *buf, size_t size)
{
    const char *title = otter_chip_title(id);
    if (title != NULL) {
        snprintf(buf, size, "%s", title);
    } else {
        snprintf(buf, size, "chip id 0x%04x", (unsigned)id);
    }
}

bool image_suits_chip(const esp_image_header_t *header, const otter_chip_t *chip, bool bootloader,
                      bool strict, otter_fault_t *fault)
{
    bool esp8266 = image_header_is_esp8266(header);
    if (esp8266 || header->chip_id != chip->id) {
        char image_chip[24] = "ESP8266", device_chip[24];
        if (!esp8266) {
            chip_text(header->chip_id, image_chip, sizeof(image_chip));
        }
        chip_text(chip->id, device_chip, sizeof(device_chip));
        otter_fault(fault, ESP_ERR_INVALID_VERSION, "image is for %s, this is %s", image_chip, device_chip);
        return false;
    }
    const image_have_t have = image_have_chip(chip);
    return image_revision_suits("chip", header->min_chip_rev_full, bootloader ? 0 : header->max_chip_rev_full,
                                &have, strict, fault);
}

esp_err_t otter_image_check_header(const uint8_t *raw, const otter_chip_t *chip, bool bootloader,
                                   otter_fault_t *fault)
{
    esp_image_header_t header;
    otter_image_decode_header(raw, &header);
    if (header.magic != ESP_IMAGE_HEADER_MAGIC) {
        const char *more = header.magic == 0xFF
                               ? ", as a factory file has before its bootloader: an update is the app alone"
                               : "";
        return image_refuse_magic(raw, OTTER_IMAGE_HEADER_SIZE, ESP_ERR_OTA_VALIDATE_FAILED, more, fault);
    }
    return image_suits_chip(&header, chip, bootloader, true, fault) ? ESP_OK : ESP_ERR_INVALID_VERSION;
}

const char *otter_image_flash_mode(const esp_image_header_t *header)
{
    static const char *const names[] = {"QIO", "QOUT", "DIO", "DOUT", "FAST_READ", "SLOW_READ"};
    return header->spi_mode < sizeof(names) / sizeof(names[0]) ? names[header->spi_mode] : NULL;
}

uint32_t otter_image_flash_size(const esp_image_header_t *header)
{
    return header->spi_size < ESP_IMAGE_FLASH_SIZE_MAX ? 0x100000u << header->spi_size : 0;
}

unsigned otter_image_flash_mhz(const esp_image_header_t *header, const otter_chip_facts_t *facts)
{
    const unsigned code = header->spi_speed;
    return code == ESP_IMAGE_SPI_SPEED_DIV_1 ? facts->flash_freq_mhz[3]
           : code < 3                        ? facts->flash_freq_mhz[code]
                                             : 0;
}
