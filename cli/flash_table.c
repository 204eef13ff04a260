/* otter flash table: a new partition table for a flash file that is there, as `otter flash new` would have put it. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/le.h"
#include "cli.h"
#include "flash_verbs.h"
#include "image/bootloader.h"
#include "otter/boot.h"

#define VERB "flash"

typedef struct {
    const char *flash, *table;
    linux_device_options_t device;
    bool force;
} table_verb_t;

static int parse_options(int argc, char **argv, table_verb_t *o)
{
    static const struct option options[] = {
        {"force", no_argument, NULL, 'f'},
        {"extra-partition-subtypes", required_argument, NULL, 'e'},
        {"table-offset", required_argument, NULL, 'o'},
        {"offset", required_argument, NULL, 'o'}, /* as the other verbs called it */
        {0},
    };
    int c;
    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'f') {
            o->force = true;
        } else if (c == 'e') {
            int status = flash_take_subtype(optarg);
            if (status != EXIT_DONE) {
                return status;
            }
        } else if (c != 'o') {
            return cli_usage(VERB, "table does not know an option, or it needs a value");
        } else if (!cli_parse_offset(optarg, PARTITION_TABLE_SECTOR, &o->device.table_offset)) {
            return cli_usage(VERB, "'%s' is not the offset of a sector", optarg);
        }
    }
    if (argc - optind != 2) {
        return cli_usage(VERB, "table takes FLASH PARTS.csv");
    }
    o->flash = argv[optind];
    o->table = argv[optind + 1];
    return EXIT_DONE;
}

/** A chip's bootloader has its place before the table, which rows of type bootloader want to know. */
static table_options_t rules_for(const linux_device_t *dev)
{
    const otter_chip_facts_t *chip = otter_chip_facts(dev->device.chip.id);
    const uint32_t table = dev->device.config.table_offset;
    return (table_options_t){.table_offset = table,
                             .has_primary =
                                 dev->chip_known && chip != NULL && chip->bootloader_offset < table,
                             .primary_offset = chip != NULL ? chip->bootloader_offset : 0};
}

/** Bytes of flash that the bootloader in it will allow a table to name. */
static uint32_t flash_size_for(const linux_device_t *dev)
{
    bootloader_place_t place;
    uint8_t raw[IMAGE_HEADER_SIZE];
    esp_image_header_t header;
    uint32_t size = 0;
    if (bootloader_find(dev->flash, dev->device.config.table_offset, &place) &&
        otter_flash_read(dev->flash, place.offset, raw, sizeof(raw)) == ESP_OK) {
        image_decode_header(raw, &header);
        size = image_flash_size(&header);
    }
    return size != 0 ? min_u32(size, dev->flash->size) : dev->flash->size;
}

/** The bootloader does not reach into the table's sector. Says why not. */
static bool table_is_clear(const linux_device_t *dev, const table_verb_t *o)
{
    bootloader_place_t place;
    image_stream_t s = {0};
    const uint32_t table = dev->device.config.table_offset;
    bool clear = true;
    if (!range_fits(table, PARTITION_TABLE_SECTOR, dev->flash->size)) {
        return cli_fail(VERB, "%s has 0x%" PRIx32 " bytes, so there is no room for a table at 0x%" PRIx32,
                        o->flash, dev->flash->size, table) == EXIT_DONE;
    }
    if (bootloader_find(dev->flash, dev->flash->size, &place) &&
        bootloader_judge(&s, dev->flash, &place, NULL, dev->flash->size) == ESP_OK && place.offset < table &&
        s.info.image_len > table - place.offset) {
        clear = cli_fail(VERB, "the bootloader at 0x%" PRIx32 " goes beyond 0x%" PRIx32, place.offset,
                         table) == EXIT_DONE;
    }
    image_stream_end(&s);
    return clear;
}

/** What the file says of a table, as bytes that the bootloader of this flash takes. Says why not. */
static bool load_table(const linux_device_t *dev, const table_verb_t *o, uint8_t raw[PARTITION_TABLE_LEN],
                       partition_table_t *entries)
{
    table_why_t why;
    table_options_t rules = rules_for(dev);
    uint32_t size = o->force ? dev->flash->size : flash_size_for(dev);
    if (flash_load_table(o->table, &rules, size, raw, entries, &why)) {
        return true;
    }
    bool by_bootloader = size < dev->flash->size && strstr(why.text, "exceeds") != NULL;
    return cli_fail(VERB, "%s: %s%s", o->table, why.text,
                    by_bootloader
                        ? ", as the one in this flash is made for less; --force takes it all the same"
                        : "") == EXIT_DONE;
}

/** The device is open, and stays open. */
static int write_table(linux_device_t *dev, const table_verb_t *o)
{
    uint8_t raw[PARTITION_TABLE_LEN];
    partition_table_t entries;
    const uint32_t offset = dev->device.config.table_offset;
    (void)otter_boot_finish_copies(&dev->device); /* their journals lie in partitions of the old table */
    if (!table_is_clear(dev, o) || !load_table(dev, o, raw, &entries)) {
        return EXIT_FAILED;
    }
    esp_err_t err = flash_put(dev->flash, offset, raw, sizeof(raw));
    if (err != ESP_OK) {
        return cli_fail(VERB, "cannot write %s: %s", o->flash, esp_err_to_name(err));
    }
    cli_did("%s: a partition table of %" PRIu32 " partitions written at 0x%" PRIx32, o->flash, entries.count,
            offset);
    return EXIT_DONE;
}

int flash_table_verb(int argc, char **argv)
{
    table_verb_t o = {.device = {.whole = true, .allow_no_md5 = true}};
    linux_device_t dev;
    char why[256];
    int status = parse_options(argc, argv, &o);
    if (status != EXIT_DONE) {
        return status;
    }
    if (linux_device_open(&dev, o.flash, &o.device, why, sizeof(why)) != ESP_OK) {
        return cli_fail(VERB, "%s: %s", o.flash, why);
    }
    status = write_table(&dev, &o);
    esp_err_t closed = linux_device_close(&dev);
    if (status == EXIT_DONE && closed != ESP_OK) {
        return cli_fail(VERB, "cannot write %s: %s", o.flash, esp_err_to_name(closed));
    }
    if (status == EXIT_DONE) {
        flash_tell_next(o.flash, &o.device);
        flash_tell_esptool(dev.device.chip.id, 0, o.flash);
    }
    return status;
}
