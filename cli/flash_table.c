/* otter flash table: a new partition table for a flash file that is there, as `otter flash new` would have put it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "otter/bytes.h"
#include "cli.h"
#include "flash_verbs.h"
#include "otter/bootloader.h"
#include "otter/promise.h"

#define VERB "flash"

typedef struct {
    const char *flash, *table;
    linux_device_options_t device;
    table_options_t rules; /* of the table: where a recovery bootloader is */
    bool force;
} table_verb_t;

/** A chip's bootloader has its place before the table, which rows of type bootloader want to know. */
static table_options_t rules_for(const linux_device_t *dev, const table_verb_t *o)
{
    const otter_chip_facts_t *chip = otter_chip_facts(dev->device.chip.id);
    table_options_t rules = o->rules;
    rules.table_offset = dev->device.config.table_offset;
    rules.sector_size = dev->flash->erase_size;
    rules.has_primary = dev->chip_known && chip != NULL && chip->bootloader_offset < rules.table_offset;
    rules.primary_offset = chip != NULL ? chip->bootloader_offset : 0;
    return rules;
}

/** Bytes of flash that the bootloader in it will allow a table to name. */
static uint32_t flash_size_for(const linux_device_t *dev)
{
    otter_bootloader_place_t place;
    uint8_t raw[OTTER_IMAGE_HEADER_SIZE];
    esp_image_header_t header;
    uint32_t size = 0;
    if (otter_bootloader_find(dev->flash, dev->device.config.table_offset, &place) &&
        otter_flash_read(dev->flash, place.offset, raw, sizeof(raw)) == ESP_OK) {
        otter_image_decode_header(raw, &header);
        size = otter_image_flash_size(&header);
    }
    return size != 0 ? min_u32(size, dev->flash->size) : dev->flash->size;
}

/** The bootloader does not reach into the table's sector. Says why not. */
static bool table_is_clear(const linux_device_t *dev, const table_verb_t *o)
{
    otter_bootloader_place_t place;
    otter_image_stream_t s = {0};
    const uint32_t table = dev->device.config.table_offset;
    bool clear = true;
    if (!range_fits(table, OTTER_PARTITION_TABLE_SECTOR, dev->flash->size)) {
        return cli_refuse(VERB, "%s has 0x%" PRIx32 " bytes, so there is no room for a table at 0x%" PRIx32,
                          o->flash, dev->flash->size, table);
    }
    if (otter_bootloader_find(dev->flash, dev->flash->size, &place) &&
        otter_bootloader_verify(&s, dev->flash, &place, NULL, dev->flash->size, NULL) == ESP_OK &&
        place.offset < table && s.info.image_len > table - place.offset) {
        clear =
            cli_refuse(VERB, "the bootloader at 0x%" PRIx32 " goes beyond 0x%" PRIx32, place.offset, table);
    }
    otter_image_stream_end(&s);
    return clear;
}

/** What the file says of a table, as bytes that the bootloader of this flash takes. Says why not. */
static bool load_table(const linux_device_t *dev, const table_verb_t *o,
                       uint8_t raw[OTTER_PARTITION_TABLE_LEN], otter_partition_table_t *entries)
{
    table_why_t why;
    table_options_t rules = rules_for(dev, o);
    uint32_t size = o->force ? dev->flash->size : flash_size_for(dev);
    if (flash_load_table(o->table, &rules, size, raw, entries, &why)) {
        return true;
    }
    bool by_bootloader = size < dev->flash->size && strstr(why.text, "exceeds") != NULL;
    return cli_refuse(
        VERB, "%s: %s%s", o->table, why.text,
        by_bootloader ? ", as the one in this flash is made for less; --force takes it all the same" : "");
}

/** With the device open. Says what was done, or why not. */
static bool table_in(linux_device_t *dev, void *options, flash_changed_t *changed)
{
    (void)changed; /* all of the flash */
    const table_verb_t *o = options;
    uint8_t raw[OTTER_PARTITION_TABLE_LEN];
    otter_partition_table_t entries;
    const uint32_t offset = dev->device.config.table_offset;
    if (!table_is_clear(dev, o) || !load_table(dev, o, raw, &entries) ||
        !flash_end_change(dev, o->flash, "", flash_put(dev->flash, offset, raw, sizeof(raw)))) {
        return false;
    }
    cli_did("%s: a partition table of %" PRIu32 " partitions written at 0x%" PRIx32, o->flash, entries.count,
            offset);
    return true;
}

static int flash_table(void *options)
{
    const table_verb_t *o = options;
    return flash_change(o->flash, &o->device, table_in, options);
}

static const option_row_t rows[] = {
    {"FLASH", &option_argument, offsetof(table_verb_t, flash), .help = NULL},
    {"PARTS.csv", &option_argument, offsetof(table_verb_t, table), .help = NULL},
    {"force", &option_switch, offsetof(table_verb_t, force),
     .help = "take one for more flash than the bootloader is made for"},
    OPTION_FLASH_KEY(offsetof(table_verb_t, device)),
    OPTION_TABLE(&kind_sector, offsetof(table_verb_t, device), "where it goes (default 0x8000)"),
    OPTION_EFUSE(offsetof(table_verb_t, device)),
    OPTION_RECOVERY(offsetof(table_verb_t, rules)),
    {"extra-partition-subtypes", &kind_subtype, 0, .help = SUBTYPES_OF_PROJECT},
    {0},
};

const cli_verb_t flash_table_verb = {
    .name = "flash table",
    .line = "write another partition table into a flash file",
    .about =
        "Writes a partition table (CSV, binary, or that of another flash file) into a flash file that is "
        "there. Partitions "
        "keep what they hold; nothing is moved. It must be a table that the bootloader in the flash takes.\n",
    .after = "example: otter flash table flash.bin partitions.csv\n",
    .options = rows,
    .size = sizeof(table_verb_t),
    .defaults = &(const table_verb_t){.device = {.whole = true, .allow_no_md5 = true}},
    .run = flash_table,
};
