/* otter flash read, write, erase: one partition or place of a flash file, and one ordinary file. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "otter/bytes.h"
#include "clean_text.h"
#include "cli.h"
#include "data_kinds.h"
#include "flash_verbs.h"
#include "host/named_file.h"
#include "linux/linux_device.h"
#include "otter/promise.h"

#define VERB  "flash"
#define CHUNK 0x10000u

#define NO_FLASH_SIZE 0xFFu

typedef struct {
    const char *flash, *label, *file;
    linux_device_options_t device;
    bool force;
    uint64_t length;    /* of what is read at an offset; 0: not given */
    uint8_t flash_size; /* the header's code for what an image is to be made for; NO_FLASH_SIZE: as it is */
} io_options_t;

/** Where to read, write or erase. */
typedef struct {
    const esp_partition_t *partition; /* NULL: an offset, at which no app partition begins */
    uint32_t offset, size;            /* bytes of flash; of an offset: all that follows */
} place_t;

/** "@0x1000". An app partition that begins there is meant as a whole. Says why not. */
static bool find_offset(const linux_device_t *dev, const io_options_t *o, place_t *place)
{
    const otter_partition_list_t *list = &dev->device.partitions;
    if (!parse_offset(o->label + 1, 1, &place->offset)) {
        return cli_refuse(VERB, "'%s' is not an offset in flash, as @0x1000", o->label);
    }
    if (place->offset >= dev->flash->size) {
        return cli_refuse(VERB, "%s ends at 0x%" PRIx32 ", before %s", o->flash, dev->flash->size,
                          o->label + 1);
    }
    place->partition = NULL;
    place->size = dev->flash->size - place->offset;
    for (uint32_t i = 0; i < list->count; i++) {
        const esp_partition_t *app = &list->items[i];
        if (app->type == ESP_PARTITION_TYPE_APP && app->address == place->offset &&
            app->size <= place->size) {
            place->partition = app;
            place->size = app->size;
        }
    }
    return true;
}

static bool find_label(const linux_device_t *dev, const io_options_t *o, place_t *place)
{
    char labels[FLASH_LABELS_SIZE] = "";
    const otter_partition_list_t *list = &dev->device.partitions;
    if (list->status != ESP_OK || list->count == 0) {
        return cli_refuse(
            VERB, "%s has no usable partition table at 0x%" PRIx32 "; `otter flash info %s` says more",
            o->flash, dev->device.config.table_offset, o->flash);
    }
    place->partition =
        otter_partition_list_find(list, NULL, ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, o->label);
    if (place->partition == NULL) {
        for (uint32_t i = 0; i < list->count; i++) {
            flash_add_label(labels, sizeof(labels), list->items[i].label);
        }
        return cli_refuse(VERB, "%s has no partition '%s'; it has %s", o->flash, o->label, labels);
    }
    place->offset = place->partition->address;
    place->size = place->partition->size;
    return range_fits(place->offset, place->size, dev->flash->size) ||
           cli_refuse(VERB, "%s: partition '%s' is beyond the end of the flash", o->flash, o->label);
}

/** Finds the place in an open flash file. Says why not. */
static bool find_place(const linux_device_t *dev, const io_options_t *o, place_t *place)
{
    return o->label[0] == '@' ? find_offset(dev, o, place) : find_label(dev, o, place);
}

/* ---- read ---- */

/** All of the place to a descriptor. @return false after saying why not */
static bool copy_out(otter_flash_t *flash, const place_t *place, int fd, const char *name)
{
    uint8_t *buf = malloc(CHUNK);
    bool ok = buf != NULL || cli_refuse(VERB, "out of memory");
    for (uint32_t done = 0; ok && done < place->size;) {
        uint32_t step = min_u32(place->size - done, CHUNK);
        esp_err_t err = otter_flash_read(flash, place->offset + done, buf, step);
        if (err != ESP_OK) {
            ok = cli_refuse(VERB, "cannot read at 0x%" PRIx32 ": %s", place->offset + done,
                            esp_err_to_name(err));
        } else if (!output_write(fd, buf, step)) {
            ok = cli_refuse(VERB, "cannot write %s: %s", name, strerror(errno));
        }
        done += step;
    }
    free(buf);
    return ok;
}

static bool copy_to_file(otter_flash_t *flash, const place_t *place, const io_options_t *o)
{
    output_t out;
    otter_fault_t fault;
    if (!output_open(&out, o->file, false, &fault)) {
        return cli_refuse(VERB, "cannot write %s: %s", o->file, fault.why);
    }
    bool copied = copy_out(flash, place, out.fd, o->file);
    bool closed = output_close(&out, copied);
    if (copied && !closed) {
        return cli_refuse(VERB, "cannot write %s: %s", o->file, strerror(errno));
    }
    if (closed && !cli_is_standard_output(o->file)) {
        cli_did("%s: %" PRIu32 " bytes from 0x%" PRIx32 " of %s", o->file, place->size, place->offset,
                o->flash);
    }
    return closed;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat sa, sb;
    return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/** How much is meant by an offset: what was asked for, else the image that begins there. Says why not. */
static bool find_length(const linux_device_t *dev, const io_options_t *o, place_t *place)
{
    if (o->label[0] != '@') {
        return o->length == 0 || cli_refuse(VERB, "--length is for @OFFSET");
    }
    uint64_t length = o->length != 0 ? o->length : flash_image_length(dev->flash, place->offset);
    if (length == 0) {
        return cli_refuse(VERB, "no image begins at %s: --length says how much to read", o->label + 1);
    }
    if (length > dev->flash->size - place->offset) {
        return cli_refuse(VERB, "%s has only %" PRIu32 " bytes from %s on", o->flash,
                          dev->flash->size - place->offset, o->label + 1);
    }
    place->size = (uint32_t)length;
    return true;
}

static bool read_place(const linux_device_t *dev, const io_options_t *o, place_t *place)
{
    if (!find_length(dev, o, place)) {
        return false;
    }
    if (is_same_file(o->flash, o->file)) {
        return cli_refuse(VERB, "%s is the flash file itself: name another file for what is read", o->file);
    }
    return strcmp(o->file, "-") == 0 ? copy_out(dev->flash, place, STDOUT_FILENO, "standard output")
                                     : copy_to_file(dev->flash, place, o);
}

static int flash_read(void *options)
{
    const io_options_t *o = options;
    linux_device_t dev;
    place_t place = {0};
    otter_fault_t fault;
    if (linux_device_open(&dev, o->flash, &o->device, &fault) != ESP_OK) {
        return cli_fail(VERB, "%s: %s", o->flash, fault.why);
    }
    bool read = find_place(&dev, o, &place) && read_place(&dev, o, &place);
    otter_ignore(linux_device_close(&dev)); /* nothing was written */
    return read ? EXIT_DONE : EXIT_FAILED;
}

#define PLACE_ROWS                                                                                           \
    {"FLASH", &option_argument, offsetof(io_options_t, flash), .help = NULL},                                \
    {                                                                                                        \
        "LABEL|@OFFSET", &option_argument, offsetof(io_options_t, label), .help = NULL                       \
    }
#define LENGTH_ROW(text)                                                                                     \
    {                                                                                                        \
        "length", &option_size, offsetof(io_options_t, length), .help = (text), .min = 1,                    \
                                                                .max = OTTER_FLASH_SIZE_MAX                  \
    }

/* Of who changes nothing. */
#define READING_ROWS                                                                                         \
    OPTION_CHIP(offsetof(io_options_t, device),                                                              \
                "whose cipher, with --flash-key; default: the one that decrypts"),                           \
        OPTION_EFUSE(offsetof(io_options_t, device)), OPTION_FLASH_KEY(offsetof(io_options_t, device)),      \
        OPTION_TABLE_OFFSET(offsetof(io_options_t, device))

static const option_row_t read_rows[] = {
    PLACE_ROWS,
    {"FILE", &option_argument_if_any, offsetof(io_options_t, file), .help = NULL},
    LENGTH_ROW("how much, from an offset: 24K, 0x6000, ..."),
    READING_ROWS,
    {0},
};

const cli_verb_t flash_read_verb = {
    .name = "flash read",
    .line = "copy a partition, or what lies at an offset, to a file",
    .about = "Copies a whole partition, or what lies at an offset, to FILE; without one, or with -, to "
             "standard output. Of an "
             "offset at which an image begins, that image is read, unless --length says how much.\n",
    .after = "example: otter flash read flash.bin otadata | xxd | head\n"
             "         otter flash read flash.bin @0x1000 bootloader.bin\n",
    .options = read_rows,
    .size = sizeof(io_options_t),
    .defaults = &(const io_options_t){.file = "-",
                                      .device = {.read_only = true, .whole = true, .allow_no_md5 = true}},
    .run = flash_read,
};

/* ---- write ---- */

/** A flash of which nobody knows the chip is that of its first image. */
static otter_chip_t judging_chip(const linux_device_t *dev, const uint8_t *data, size_t len)
{
    otter_chip_t chip = dev->device.chip;
    if (!dev->chip_known &&
        flash_image_chip(data, len, &chip.id)) { /* what is no image is refused for that */
        chip.revision_unknown = chip.blk_revision_unknown = otter_chip_is_espressif(chip.id);
    }
    return chip;
}

/** Whole sectors of this flash, and something to write to them. Says why not. */
static bool place_is_whole(const linux_device_t *dev, const place_t *place, const io_options_t *o, size_t len)
{
    const uint32_t sector = place->partition != NULL ? dev->flash->erase_size : FILE_FLASH_SECTOR;
    if (len == 0) {
        return cli_refuse(VERB, "%s is empty", o->file);
    }
    if (place->offset % sector != 0 || place->size % sector != 0) {
        return cli_refuse(VERB,
                          place->partition != NULL ? "partition %s does not lie on whole sectors, so writing "
                                                     "it would erase its neighbours"
                                                   : "%s is not the start of a sector (0x1000 bytes)",
                          o->label);
    }
    return true;
}

/** The data partition that begins here; NULL: none. */
static const esp_partition_t *data_at(const linux_device_t *dev, uint32_t offset)
{
    const otter_partition_list_t *list = &dev->device.partitions;
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].type == ESP_PARTITION_TYPE_DATA && list->items[i].address == offset) {
            return &list->items[i];
        }
    }
    return NULL;
}

/** Is it what a data partition is for? Says so where it only may be. */
static bool accept_kind(const linux_device_t *dev, const place_t *place, const io_options_t *o,
                        const uint8_t *data, size_t len, otter_fault_t *fault)
{
    const esp_partition_t *part = place->partition != NULL ? place->partition : data_at(dev, place->offset);
    data_verdict_t verdict = part != NULL ? data_kind_judge(part, data, len, fault) : DATA_FITS;
    if (verdict == DATA_IN_DOUBT) {
        cli_note(VERB, "%s: warning: %s", o->file, fault->why);
    }
    return verdict != DATA_MISPLACED;
}

/** Is this what the place is for? What it is comes before how long it is. Says why not. */
static bool accept_data(const linux_device_t *dev, const place_t *place, const io_options_t *o,
                        const otter_chip_t *chip, const uint8_t *data, size_t len)
{
    otter_fault_t fault = {0};
    bool good = true;
    if (!place_is_whole(dev, place, o, len)) {
        return false;
    }
    bool is_app = place->partition != NULL && place->partition->type == ESP_PARTITION_TYPE_APP;
    if (!is_app && !o->force) {
        good = len > place->size ||
               (flash_accept_raw(&dev->device, chip, place->offset, data, (uint32_t)len, &fault) &&
                accept_kind(dev, place, o, data, len, &fault));
    } else if (is_app && !o->force) {
        otter_image_stream_t s = {0};
        const otter_trust_t trust = otter_trust_to_boot(&dev->device, false);
        good = flash_judge_image(&s, data, len, chip, &trust, place->offset) == ESP_OK;
        fault = s.fault;
        otter_image_stream_end(&s);
    }
    if (!good) {
        char judge[FLASH_JUDGE_SIZE];
        flash_name_judge(&o->device, &dev->efuse, fault.why, judge, sizeof(judge));
        return cli_refuse(VERB, "%s: %s%s; --force writes it all the same", o->file, fault.why, judge);
    }
    return len <= place->size ||
           cli_refuse(VERB, "%s has %zu bytes, and %s holds %" PRIu32, o->file, len, o->label, place->size);
}

static esp_err_t write_and_check(linux_device_t *dev, const place_t *place, const io_options_t *o,
                                 const otter_chip_t *chip, const uint8_t *data, size_t len)
{
    esp_err_t err = flash_put(dev->flash, place->offset, data, len);
    if (err == ESP_OK && place->partition != NULL && place->partition->type == ESP_PARTITION_TYPE_APP &&
        !o->force) {
        otter_image_rules_t rules = {.chip = chip,
                                     .flash_offset = place->offset,
                                     .size = place->size,
                                     .loading = true,
                                     .trust = otter_trust_to_boot(&dev->device, false)};
        err = otter_image_verify(dev->flash, &rules, NULL, NULL);
    }
    return err;
}

/** A file system or NVS that is shorter than its partition has what was there before behind it. */
static void tell_rest(const linux_device_t *dev, const place_t *place, const io_options_t *o, uint32_t len)
{
    uint32_t used = flash_put_end(dev->flash, place->offset, len) - place->offset;
    if (place->partition != NULL && place->partition->type == ESP_PARTITION_TYPE_DATA && used < place->size &&
        !otter_flash_reads_blank(dev->flash, place->offset + used, place->size - used)) {
        cli_did("warning: from 0x%" PRIx32
                " on %s holds what it held before; `otter flash erase` first empties "
                "it",
                place->offset + used, o->label);
    }
}

/** The file's bytes into their place. Says what was done, or why not. */
static bool write_place(linux_device_t *dev, const place_t *place, const io_options_t *o, uint8_t *data,
                        size_t len)
{
    const uint32_t table = dev->device.config.table_offset;
    const bool is_part = place->partition != NULL && place->partition->type != ESP_PARTITION_TYPE_BOOTLOADER;
    otter_chip_t chip = judging_chip(dev, data, len);
    if (!is_part && !dev->chip_known && len <= place->size) {
        chip.id = flash_chip_of_bytes(dev->flash, table, place->offset, data, (uint32_t)len, chip.id);
    }
    if (o->flash_size != NO_FLASH_SIZE && !flash_set_image_size(data, len, o->flash_size)) {
        return cli_refuse(VERB, "%s is no whole image, so --flash-size has nothing to change", o->file);
    }
    if (!accept_data(dev, place, o, &chip, data, len) ||
        !flash_end_change(dev, o->flash, o->label, write_and_check(dev, place, o, &chip, data, len))) {
        return false;
    }
    cli_did("%s: %zu bytes written at 0x%" PRIx32 " (%s)", o->flash, len, place->offset, o->label);
    tell_rest(dev, place, o, (uint32_t)len);
    dev->device.chip.id = chip.id;
    return true;
}

static bool write_in(linux_device_t *dev, void *options, flash_changed_t *changed)
{
    const io_options_t *o = options;
    place_t place = {0};
    size_t len = 0;
    uint8_t *data =
        find_place(dev, o, &place) ? cli_read_file(VERB, o->file, OTTER_FLASH_SIZE_MAX, &len) : NULL;
    bool written = data != NULL && write_place(dev, &place, o, data, len);
    free(data);
    *changed = (flash_changed_t){.offset = place.offset, .file = o->file};
    return written;
}

static int flash_write(void *options)
{
    const io_options_t *o = options;
    return flash_change(o->flash, &o->device, write_in, options);
}

static const option_row_t write_rows[] = {
    PLACE_ROWS,
    {"FILE", &option_argument, offsetof(io_options_t, file), .help = NULL},
    OPTION_CHIP(offsetof(io_options_t, device), CHIP_FOUND_OUT),
    OPTION_REVISIONS(offsetof(io_options_t, device), "FLASH.efuse, else any"),
    {"flash-size", &kind_flash_size, offsetof(io_options_t, flash_size),
     .help = "write the image as one that is made for this size of flash, as 4MB"},
    {"force", &option_switch, offsetof(io_options_t, force), .help = "write whatever FILE is"},
    OPTION_EFUSE(offsetof(io_options_t, device)),
    OPTION_FLASH_KEY(offsetof(io_options_t, device)),
    OPTION_TABLE_OFFSET(offsetof(io_options_t, device)),
    {0},
};

const cli_verb_t flash_write_verb = {
    .name = "flash write",
    .line = "write an image into a partition, or a file at an offset",
    .about = "Erases the sectors that FILE needs at the start of the partition, or at an offset, and writes "
             "it there. What goes into an app partition must be an image that the chip of this flash would "
             "boot; it is read back and verified. What goes into "
             "otadata must be otadata, and neither NVS nor a file system takes an image. Elsewhere (a "
             "bootloader, a "
             "partition table, a factory "
             "file at an offset) nothing is written after which a bootloader, the table or an app would be "
             "lost.\n",
    .after = "example: otter flash write flash.bin ota_0 app.bin\n"
             "         otter flash write flash.bin @0x1000 bootloader.bin\n",
    .options = write_rows,
    .size = sizeof(io_options_t),
    .defaults =
        &(const io_options_t){.flash_size = NO_FLASH_SIZE, .device = {.whole = true, .allow_no_md5 = true}},
    .run = flash_write,
};

/* ---- verify ---- */

/** Does the place begin with the bytes of the file? Says so, or where it does not. */
static bool verify_place(const linux_device_t *dev, const place_t *place, const io_options_t *o,
                         const uint8_t *data, size_t len)
{
    uint8_t piece[FILE_FLASH_SECTOR];
    if (len > place->size) {
        return cli_refuse(VERB, "%s has %zu bytes, and %s holds %" PRIu32, o->file, len, o->label,
                          place->size);
    }
    for (uint32_t at = 0, n; at < len; at += n) {
        n = min_u32((uint32_t)len - at, (uint32_t)sizeof(piece));
        esp_err_t err = otter_flash_read(dev->flash, place->offset + at, piece, n);
        if (err != ESP_OK) {
            return cli_refuse(VERB, "cannot read at 0x%" PRIx32 ": %s", place->offset + at,
                              esp_err_to_name(err));
        }
        for (uint32_t i = 0; i < n; i++) {
            if (piece[i] != data[at + i]) {
                return cli_refuse(VERB,
                                  "%s: %s is not %s: the first byte that differs is at 0x%" PRIx32 " of it",
                                  o->flash, o->label, o->file, at + i);
            }
        }
    }
    cli_did("%s: the %zu bytes at 0x%" PRIx32 " (%s) are those of %s", o->flash, len, place->offset, o->label,
            o->file);
    return true;
}

static int flash_verify(void *options)
{
    const io_options_t *o = options;
    linux_device_t dev;
    place_t place = {0};
    otter_fault_t fault;
    size_t len = 0;
    if (linux_device_open(&dev, o->flash, &o->device, &fault) != ESP_OK) {
        return cli_fail(VERB, "%s: %s", o->flash, fault.why);
    }
    uint8_t *data =
        find_place(&dev, o, &place) ? cli_read_file(VERB, o->file, OTTER_FLASH_SIZE_MAX, &len) : NULL;
    bool same = data != NULL && verify_place(&dev, &place, o, data, len);
    free(data);
    otter_ignore(linux_device_close(&dev)); /* nothing was written */
    return same ? EXIT_DONE : EXIT_FAILED;
}

static const option_row_t verify_rows[] = {
    PLACE_ROWS,
    {"FILE", &option_argument, offsetof(io_options_t, file), .help = NULL},
    READING_ROWS,
    {0},
};

const cli_verb_t flash_verify_verb = {
    .name = "flash verify",
    .line = "compare a partition, or what lies at an offset, with a file",
    .about = "Compares what a partition, or the flash from an offset on, begins with to all of FILE; changes "
             "nothing. "
             "Exit status 1 where it differs.\n",
    .after = "example: otter flash verify flash.bin ota_0 app.bin\n",
    .options = verify_rows,
    .size = sizeof(io_options_t),
    .defaults = &(const io_options_t){.device = {.read_only = true, .whole = true, .allow_no_md5 = true}},
    .run = flash_verify,
};

/* ---- erase ---- */

/** Says why not: a part of a sector cannot be erased. */
static bool place_is_sectors(const linux_device_t *dev, const place_t *place, const io_options_t *o)
{
    const uint32_t sector = dev->flash->erase_size;
    return (place->offset % sector == 0 && place->size % sector == 0) ||
           cli_refuse(VERB,
                      "%s, 0x%" PRIx32 " bytes at 0x%" PRIx32 ", is not made of whole sectors of %" PRIu32
                      " bytes, which this flash erases at once",
                      o->label, place->size, place->offset, sector);
}

static bool erase_in(linux_device_t *dev, void *options, flash_changed_t *changed)
{
    const io_options_t *o = options;
    place_t place = {0};
    changed->file = NULL;
    if (!find_place(dev, o, &place) || !find_length(dev, o, &place) || !place_is_sectors(dev, &place, o) ||
        !flash_end_change(dev, o->flash, o->label, otter_flash_erase(dev->flash, place.offset, place.size))) {
        return false;
    }
    cli_did("%s: 0x%" PRIx32 " bytes erased at 0x%" PRIx32 " (%s)", o->flash, place.size, place.offset,
            o->label);
    return true;
}

static int flash_erase(void *options)
{
    const io_options_t *o = options;
    if (o->label[0] == '@' && o->length == 0) {
        return cli_usage("flash erase", "%s needs --length", o->label);
    }
    return flash_change(o->flash, &o->device, erase_in, options);
}

static const option_row_t erase_rows[] = {
    PLACE_ROWS,
    LENGTH_ROW("how much, from an offset: whole sectors, of 4K where FLASH.efuse says no other"),
    OPTION_EFUSE(offsetof(io_options_t, device)),
    OPTION_FLASH_KEY(offsetof(io_options_t, device)),
    OPTION_TABLE_OFFSET(offsetof(io_options_t, device)),
    {0},
};

const cli_verb_t flash_erase_verb = {
    .name = "flash erase",
    .line = "erase a partition, or sectors",
    .about = "Erases a whole partition, or sectors. Erasing otadata makes the device boot the factory app, "
             "or the first slot.\n",
    .after = "example: otter flash erase flash.bin otadata\n",
    .options = erase_rows,
    .size = sizeof(io_options_t),
    .defaults = &(const io_options_t){.device = {.whole = true, .allow_no_md5 = true}},
    .run = flash_erase,
};
