/* Bytes at an offset of a flash: putting them there, what would become of what boots, images for another size of flash. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "otter/partition_table.h"
#include "flash_verbs.h"
#include "otter/bootloader.h"

/** A flash with bytes laid over it; to be read only. */
typedef struct {
    otter_flash_t flash;
    otter_flash_t *below;
    uint32_t off, len;
    const uint8_t *data;
    uint32_t erased_to; /* the sectors that are written end here; what the data leaves of them is erased */
} overlay_t;

static esp_err_t overlay_read(void *dev, uint32_t off, void *dst, uint32_t len)
{
    overlay_t *o = dev;
    uint8_t *bytes = dst;
    esp_err_t err = otter_flash_read(o->below, off, dst, len);
    uint32_t from = max_u32(off, o->off), to = min_u32(off + len, o->erased_to), end = o->off + o->len;
    if (err == ESP_OK && from < to) {
        memset(bytes + (from - off), 0xFF, to - from);
    }
    if (err == ESP_OK && from < min_u32(to, end)) {
        memcpy(bytes + (from - off), o->data + (from - o->off), min_u32(to, end) - from);
    }
    return err;
}

static void lay_over(overlay_t *o, otter_flash_t *below, uint32_t off, const uint8_t *data, uint32_t len)
{
    static const otter_flash_ops_t ops = {.read = overlay_read};
    *o = (overlay_t){.below = below,
                     .off = off,
                     .len = len,
                     .data = data,
                     .erased_to = flash_put_end(below, off, len),
                     .flash = {.ops = &ops,
                               .dev = o,
                               .size = below->size,
                               .erase_size = below->erase_size,
                               .write_size = below->write_size,
                               .stable_reads = true}};
}

static bool touches(const overlay_t *o, uint32_t off, uint32_t len)
{
    return ranges_overlap(o->off, o->erased_to - o->off, off, len);
}

otter_trust_t flash_bootloader_trust(const otter_device_t *device, const otter_chip_t *chip)
{
    return chip != NULL && otter_chip_is_espressif(chip->id) ? otter_trust_to_boot(device, true)
                                                             : (otter_trust_t){0};
}

/** Who would boot what is there. */
typedef struct {
    const otter_chip_t *chip;
    uint32_t table_offset;
    otter_trust_t app, bootloader;
} judge_t;

/** True if a bootloader of this chip would start. A flash without any is for the person to complete. */
static bool bootloader_is_good(otter_flash_t *flash, const judge_t *judge, otter_fault_t *fault)
{
    const uint32_t table_offset = judge->table_offset;
    const otter_chip_facts_t *chip = otter_chip_facts(judge->chip->id);
    otter_bootloader_place_t place = otter_bootloader_look(flash, chip->bootloader_offset, table_offset);
    if (place.kind == OTTER_BOOTLOADER_BLANK) {
        return true;
    }
    if (place.kind != OTTER_BOOTLOADER_IMAGE || place.chip != chip) {
        otter_fault(fault, ESP_ERR_IMAGE_INVALID,
                    "at 0x%" PRIx32 " an %s looks for its bootloader, and this is %s%s", place.offset,
                    chip->title,
                    place.kind == OTTER_BOOTLOADER_APP     ? "an app"
                    : place.kind == OTTER_BOOTLOADER_IMAGE ? "one for "
                                                           : "none",
                    place.kind == OTTER_BOOTLOADER_IMAGE ? place.chip->title : "");
        return false;
    }
    otter_image_stream_t s = {0};
    esp_err_t err = otter_bootloader_verify(&s, flash, &place, judge->chip, table_offset, &judge->bootloader);
    otter_fault(fault, ESP_ERR_IMAGE_INVALID, "the bootloader would not start: %s", s.fault.why);
    otter_image_stream_end(&s);
    return err == ESP_OK;
}

static bool table_is_good(otter_flash_t *flash, uint32_t table_offset, otter_fault_t *fault)
{
    uint8_t raw[OTTER_PARTITION_TABLE_LEN];
    uint32_t count;
    otter_fault_t table = {0};
    bool good = range_fits(table_offset, sizeof(raw), flash->size) &&
                otter_flash_read(flash, table_offset, raw, sizeof(raw)) == ESP_OK &&
                otter_partition_table_verify(raw, flash->size, &count, &table) == ESP_OK;
    otter_fault(fault, ESP_ERR_IMAGE_INVALID, "the partition table at 0x%" PRIx32 " would be lost: %s",
                table_offset, table.why);
    return good;
}

static bool app_is_good(otter_flash_t *flash, const judge_t *judge, const otter_partition_entry_t *app,
                        otter_fault_t *fault)
{
    const otter_image_rules_t rules = {.chip = judge->chip,
                                       .flash_offset = app->offset,
                                       .size = app->size,
                                       .loading = true,
                                       .trust = judge->app};
    otter_fault_t image = {0};
    bool good = otter_image_verify(flash, &rules, NULL, &image) == ESP_OK;
    otter_fault(fault, ESP_ERR_IMAGE_INVALID, "%s would hold no image that boots: %s", app->label, image.why);
    return good;
}

/** A recovery bootloader, or one that waits to be copied: what the chip starts, as in the primary one's place. */
static bool spare_bootloader_is_good(otter_flash_t *flash, const judge_t *judge,
                                     const otter_partition_entry_t *part, otter_fault_t *fault)
{
    const otter_chip_facts_t *facts = otter_chip_facts(judge->chip->id);
    otter_bootloader_place_t place = otter_bootloader_look(flash, part->offset, part->offset + part->size);
    otter_image_stream_t s = {0};
    bool good = place.kind == OTTER_BOOTLOADER_IMAGE && place.chip == facts &&
                otter_bootloader_verify(&s, flash, &place, judge->chip, part->offset + part->size,
                                        &judge->bootloader) == ESP_OK;
    bool other = place.kind == OTTER_BOOTLOADER_IMAGE && place.chip != facts;
    otter_fault(fault, ESP_ERR_IMAGE_INVALID, "%s is for a bootloader that the chip starts, and this is %s%s",
                part->label,
                place.kind == OTTER_BOOTLOADER_APP     ? "an app"
                : place.kind != OTTER_BOOTLOADER_IMAGE ? "none"
                : other                                ? "one for "
                                                       : "one that does not start: ",
                place.kind != OTTER_BOOTLOADER_IMAGE ? ""
                : other                              ? place.chip->title
                                                     : s.fault.why);
    otter_image_stream_end(&s);
    return good;
}

/** Is what is in this partition what its type is for? One that is blank is for the person to fill. */
static bool part_is_good(otter_flash_t *flash, const judge_t *judge, const otter_partition_entry_t *part,
                         otter_fault_t *fault)
{
    if (otter_flash_reads_blank(flash, part->offset, min_u32(part->size, OTTER_IMAGE_GATE_SIZE))) {
        return true;
    }
    return part->type == ESP_PARTITION_TYPE_APP          ? app_is_good(flash, judge, part, fault)
           : part->type == ESP_PARTITION_TYPE_BOOTLOADER ? spare_bootloader_is_good(flash, judge, part, fault)
                                                         : true;
}

/** The apps and bootloaders of the table as it would be: none that is good now may be spoiled. */
static bool parts_are_good(overlay_t *o, const judge_t *judge, otter_fault_t *fault)
{
    const uint32_t table_offset = judge->table_offset;
    uint8_t raw[OTTER_PARTITION_TABLE_LEN];
    otter_partition_table_t table;
    if (!range_fits(table_offset, sizeof(raw), o->flash.size) ||
        otter_flash_read(&o->flash, table_offset, raw, sizeof(raw)) != ESP_OK ||
        otter_partition_table_decode(raw, &table) != ESP_OK) {
        return true;
    }
    for (uint32_t i = 0; i < table.count; i++) {
        const otter_partition_entry_t *part = &table.entries[i];
        bool primary =
            part->type == ESP_PARTITION_TYPE_BOOTLOADER && part->offset < table_offset; /* judged above */
        if (primary || !range_fits(part->offset, part->size, o->flash.size) ||
            !touches(o, part->offset, part->size)) {
            continue;
        }
        bool begins_here = part->offset >= o->off && part->offset < o->off + o->len;
        if (!part_is_good(&o->flash, judge, part, fault) &&
            (begins_here || part_is_good(o->below, judge, part, NULL))) {
            return false;
        }
    }
    return true;
}

bool flash_accept_raw(const otter_device_t *device, const otter_chip_t *chip, uint32_t off,
                      const uint8_t *data, uint32_t len, otter_fault_t *fault)
{
    otter_flash_t *flash = device->flash;
    const uint32_t table_offset = device->config.table_offset;
    const judge_t judge = {.chip = chip,
                           .table_offset = table_offset,
                           .app = otter_trust_to_boot(device, false),
                           .bootloader = flash_bootloader_trust(device, chip)};
    overlay_t o;
    const otter_chip_facts_t *facts = otter_chip_facts(chip->id);
    lay_over(&o, flash, off, data, len);
    if (facts != NULL && otter_chip_is_espressif(facts->id) && facts->bootloader_offset < table_offset &&
        touches(&o, facts->bootloader_offset, table_offset - facts->bootloader_offset) &&
        !bootloader_is_good(&o.flash, &judge, fault)) {
        return false;
    }
    if (touches(&o, table_offset, OTTER_PARTITION_TABLE_SECTOR) &&
        !table_is_good(&o.flash, table_offset, fault) &&
        (off == table_offset || table_is_good(flash, table_offset, NULL))) {
        return false;
    }
    return parts_are_good(&o, &judge, fault);
}

uint16_t flash_chip_of_bytes(otter_flash_t *flash, uint32_t table_offset, uint32_t off, const uint8_t *data,
                             uint32_t len, uint16_t otherwise)
{
    overlay_t o;
    otter_bootloader_place_t found;
    lay_over(&o, flash, off, data, len);
    return otter_bootloader_find(&o.flash, table_offset, &found) ? found.chip->id : otherwise;
}

uint32_t flash_put_end(const otter_flash_t *flash, uint32_t offset, uint32_t len)
{
    return align_up_u32(offset + len,
                        offset % flash->erase_size == 0 ? flash->erase_size : FILE_FLASH_SECTOR);
}

/** Any number of bytes: the last unit is filled up. */
static esp_err_t program(otter_flash_t *flash, uint32_t offset, const uint8_t *data, uint32_t len)
{
    uint8_t last[OTTER_FLASH_UNIT_MAX];
    const uint32_t unit = otter_flash_unit(flash), rest = len % unit;
    esp_err_t err = otter_flash_program(flash, offset, data, len - rest);
    if (err != ESP_OK || rest == 0) {
        return err;
    }
    memset(last, ERASED_BYTE, sizeof(last));
    memcpy(last, data + (len - rest), rest);
    return otter_flash_program(flash, offset + (len - rest), last, unit);
}

/** Reads, changes and writes whole sectors of which these bytes are a part. */
static esp_err_t put_in_sectors(otter_flash_t *flash, uint32_t offset, const uint8_t *data, uint32_t len)
{
    const uint32_t from = align_down_u32(offset, flash->erase_size);
    const uint32_t to = align_up_u32(offset + len, flash->erase_size);
    uint8_t *bytes = malloc(to - from);
    esp_err_t err =
        bytes != NULL ? otter_flash_read(flash, from, bytes, to - from) : (esp_err_t)ESP_ERR_NO_MEM;
    if (err == ESP_OK) {
        memset(bytes + (offset - from), ERASED_BYTE, flash_put_end(flash, offset, len) - offset);
        memcpy(bytes + (offset - from), data, len);
        err = otter_flash_erase(flash, from, to - from);
    }
    err = err == ESP_OK ? otter_flash_program(flash, from, bytes, to - from) : err;
    free(bytes);
    return err;
}

esp_err_t flash_put(otter_flash_t *flash, uint32_t offset, const uint8_t *data, size_t len)
{
    if (!range_fits(offset, (uint32_t)len, flash->size) || len > UINT32_MAX) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (offset % flash->erase_size != 0) {
        return put_in_sectors(flash, offset, data, (uint32_t)len);
    }
    esp_err_t err = otter_flash_erase(flash, offset, align_up_u32((uint32_t)len, flash->erase_size));
    return err == ESP_OK ? program(flash, offset, data, (uint32_t)len) : err;
}

uint32_t flash_image_length(otter_flash_t *flash, uint32_t off)
{
    otter_image_stream_t s = {0};
    uint8_t magic = 0;
    uint32_t len = 0;
    const otter_image_rules_t rules = {
        .flash_offset = off, .size = flash->size - off, .no_checks = true, .bootloader = true};
    if (otter_flash_read(flash, off, &magic, 1) == ESP_OK && magic == ESP_IMAGE_HEADER_MAGIC &&
        otter_image_stream_from_flash(&s, flash, &rules) == ESP_OK) {
        len = s.info.image_len;
    }
    otter_image_stream_end(&s);
    return len;
}

bool flash_set_image_size(uint8_t *data, size_t len, uint8_t code)
{
    otter_image_stream_t s = {0};
    const otter_image_rules_t rules = {.size = (uint32_t)len, .bootloader = true};
    bool whole = len >= OTTER_IMAGE_HEADER_SIZE && otter_image_stream_begin(&s, &rules) == ESP_OK &&
                 otter_image_stream_feed(&s, data, len) == ESP_OK && otter_sha256_begin(&s.sha);
    if (whole) {
        data[3] = (uint8_t)(code << 4 | (data[3] & 0xF));
    }
    if (whole && s.info.hash_seen) {
        uint32_t body = s.info.image_len - OTTER_IMAGE_HASH_LEN;
        otter_digest_update(&s.sha, data, body);
        otter_digest_finish(&s.sha, data + body);
    }
    otter_image_stream_end(&s);
    return whole;
}
