/* What of a flash is encrypted and what is not, as far as its bytes tell, and what that means. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "otter/boot.h"
#include "otter/bytes.h"
#include "flash_report.h"
#include "flash_search.h"
#include "otter/promise.h"

#define SECTOR OTTER_PARTITION_TABLE_SECTOR

/** Past the cipher: does an image for some chip begin here? */
static bool image_lies_plain(otter_flash_t *flash, uint32_t at)
{
    uint8_t raw[OTTER_IMAGE_HEADER_SIZE];
    esp_image_header_t header;
    if (otter_flash_read_raw(flash, at, raw, sizeof(raw)) != ESP_OK || raw[0] != ESP_IMAGE_HEADER_MAGIC) {
        return false;
    }
    otter_image_decode_header(raw, &header);
    return otter_chip_facts(header.chip_id) != NULL && header.segment_count <= ESP_IMAGE_MAX_SEGMENTS;
}

/** The key is known: what lies plain where the chip decrypts. */
static void warn_of_plain(flash_report_t *r)
{
    const otter_partition_list_t *list = &r->dev.device.partitions;
    const otter_chip_facts_t *chip = otter_chip_facts(r->dev.device.chip.id);
    if (chip != NULL && otter_chip_is_espressif(chip->id) &&
        image_lies_plain(r->dev.flash, chip->bootloader_offset)) {
        flash_warn(r,
                   "the bootloader at 0x%" PRIx32 " is plain: a chip with flash encryption does not start it",
                   chip->bootloader_offset);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const esp_partition_t *part = &list->items[i];
        if (part->encrypted && part->type == ESP_PARTITION_TYPE_APP &&
            range_fits(part->address, part->size, r->dev.flash->size) &&
            image_lies_plain(r->dev.flash, part->address)) {
            flash_warn(
                r,
                "%s holds an image that is plain: only a part of this flash is encrypted, and the chip reads "
                "noise there (a first boot that was broken off, or written without --encrypt)",
                part->label);
        }
    }
}

/** No key is known: what looks as if it were encrypted. */
static void warn_of_noise(flash_report_t *r)
{
    uint32_t noise = 0, written = 0;
    for (uint32_t at = 0; at < r->file_length && !r->has_table; at += SECTOR) {
        flash_content_t content = flash_content(r->dev.flash, at, min_u32(SECTOR, r->file_length - at));
        noise += content == FLASH_NOISE;
        written += content != FLASH_ERASED;
    }
    if (!r->has_table && r->no_table.place == FLASH_NOISE) {
        flash_warn(
            r,
            "this looks encrypted (flash encryption): in %" PRIu32 " of %" PRIu32
            " sectors that are written all values of a byte are alike; with its key --flash-key reads it",
            noise, written);
    }
    for (uint32_t i = 0; i < r->app_count && r->has_table; i++) {
        const esp_partition_t *part = r->slots[i].partition;
        if (range_fits(part->address, part->size, r->dev.flash->size) && part->size >= SECTOR &&
            flash_content(r->dev.flash, part->address, SECTOR) == FLASH_NOISE) {
            flash_warn(r,
                       "%s looks encrypted, and the partition table is plain: only a part of this flash is "
                       "encrypted (a "
                       "first boot that was broken off, or a file of another device's)",
                       part->label);
        }
    }
}

bool flash_is_encrypted_in_part(flash_report_t *r)
{
    const otter_first_boot_t *state = &r->first_boot;
    r->has_first_boot = otter_boot_look_at_first(&r->dev.device, &r->first_boot) == ESP_OK;
    if (!r->has_first_boot || !state->begun) {
        return false;
    }
    r->level = FLASH_DOUBTS;
    r->boot.otadata_copy = -1;
    r->file_length = file_flash_length(r->dev.flash);
    snprintf(r->verdict, sizeof(r->verdict),
             "nothing before its first boot has encrypted it: %" PRIu32 " of %" PRIu32
             " sectors are encrypted, and `otter run` or `otter boot` goes on",
             state->done, state->sectors);
    return true;
}

/** The flash is plain until its first boot. */
static void tell_first_boot(flash_report_t *r)
{
    if (!r->has_first_boot) {
        flash_warn(r, "%s", r->dev.device.fault.why);
    } else {
        flash_warn(r, "%s holds a key, and this flash is plain: its next boot encrypts it by %s",
                   r->dev.efuse.path, otter_flash_cipher_name(r->dev.cipher.kind));
    }
}

void flash_look_at_encryption(flash_report_t *r)
{
    if (r->dev.flash->cipher != NULL) {
        warn_of_plain(r);
        return;
    }
    if (r->dev.flash->waiting != NULL) {
        tell_first_boot(r);
        return;
    }
    if (r->dev.reads_noise) {
        return; /* the verdict says so */
    }
    if (r->dev.plain_in_spite_of_key) {
        flash_warn(r, "the partition table or bootloader is plain, so the key decrypts nothing here: flash "
                      "encryption is "
                      "not on, or its first boot has not come yet");
    } else if (flash_key_is_wanted(&r->dev.efuse)) {
        flash_warn(r, "%s says that this flash is encrypted, and holds no key: --flash-key names it",
                   r->dev.efuse.path);
    }
    warn_of_noise(r);
}
