/* otter flash read, write, erase: one partition or place of a flash file, and one ordinary file. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/le.h"
#include "clean_text.h"
#include "cli.h"
#include "flash/partition_list.h"
#include "flash_verbs.h"
#include "host/named_file.h"
#include "host/number.h"
#include "image_options.h"
#include "linux/linux_device.h"
#include "otter/boot.h"

#define VERB  "flash"
#define CHUNK 0x10000u

typedef struct {
    const char *flash, *label, *file;
    linux_device_options_t device;
    bool force;
    uint64_t length;     /* of what is read at an offset; 0: not given */
    bool has_flash_size; /* `flash_size` is the header's code for what an image is to be made for */
    uint8_t flash_size;
} io_options_t;

/** Where to read, write or erase. */
typedef struct {
    const esp_partition_t *partition; /* NULL: an offset, at which no app partition begins */
    uint32_t offset, size;            /* bytes of flash; of an offset: all that follows */
} place_t;

static int take_option(int c, const char *verb, io_options_t *o)
{
    switch (c) {
    case 'f':
        o->force = true;
        return EXIT_DONE;
    case 'c':
        o->device.chip = otter_chip_by_name(optarg);
        return o->device.chip != NULL ? EXIT_DONE : cli_usage(VERB, "'%s' is not a chip", optarg);
    case 'o':
        return cli_parse_offset(optarg, 1, &o->device.table_offset)
                   ? EXIT_DONE
                   : cli_usage(VERB, "'%s' is not an offset in flash", optarg);
    case 'l':
        return number_parse_size(optarg, 1, OTTER_FLASH_SIZE_MAX, &o->length)
                   ? EXIT_DONE
                   : cli_usage(VERB, "'%s' is not a length in bytes", optarg);
    case 's':
        o->has_flash_size = true;
        return parse_flash_size(optarg, &o->flash_size)
                   ? EXIT_DONE
                   : cli_usage(VERB, "'%s' is not a flash size: 1MB, 2MB, ... 128MB", optarg);
    default:
        return cli_usage(VERB, "%s does not know an option, or it needs a value", verb);
    }
}

/** Flags and the positional arguments, of which there are `least` to `most`. */
static int parse_options(int argc, char **argv, int least, int most, io_options_t *o)
{
    static const struct option options[] = {
        {"force", no_argument, NULL, 'f'},
        {"chip", required_argument, NULL, 'c'},
        {"table-offset", required_argument, NULL, 'o'},
        {"offset", required_argument, NULL, 'o'}, /* as this option was called */
        {"length", required_argument, NULL, 'l'},
        {"flash-size", required_argument, NULL, 's'},
        {0},
    };
    int c;
    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        int status = take_option(c, argv[0], o);
        if (status != EXIT_DONE) {
            return status;
        }
    }
    int count = argc - optind;
    if (count < least || count > most) {
        return cli_usage(VERB, "%s takes FLASH LABEL%s", argv[0],
                         most == 2    ? ""
                         : least == 3 ? " FILE"
                                      : " [FILE]");
    }
    o->flash = argv[optind];
    o->label = argv[optind + 1];
    o->file = count > 2 ? argv[optind + 2] : "-";
    return EXIT_DONE;
}

/** "@0x1000". An app partition that begins there is meant as a whole. Says why not. */
static bool find_offset(const linux_device_t *dev, const io_options_t *o, place_t *place)
{
    const otter_partition_list_t *list = &dev->device.partitions;
    if (!cli_parse_offset(o->label + 1, 1, &place->offset)) {
        return cli_usage(VERB, "'%s' is not an offset in flash, as @0x1000", o->label) == EXIT_DONE;
    }
    if (place->offset >= dev->flash->size) {
        return cli_fail(VERB, "%s ends at 0x%" PRIx32 ", before %s", o->flash, dev->flash->size,
                        o->label + 1) == EXIT_DONE;
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
    char labels[FLASH_LABELS_SIZE];
    const otter_partition_list_t *list = &dev->device.partitions;
    if (list->status != ESP_OK || list->count == 0) {
        return cli_fail(VERB,
                        "%s has no usable partition table at 0x%" PRIx32 "; `otter flash info %s` says more",
                        o->flash, dev->device.config.table_offset, o->flash) == EXIT_DONE;
    }
    place->partition =
        partition_list_find(list, NULL, ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, o->label);
    if (place->partition == NULL) {
        return cli_fail(VERB, "%s has no partition '%s'; it has %s", o->flash, o->label,
                        flash_list_labels(list, labels, sizeof(labels))) == EXIT_DONE;
    }
    place->offset = place->partition->address;
    place->size = place->partition->size;
    return range_fits(place->offset, place->size, dev->flash->size) ||
           cli_fail(VERB, "%s: partition '%s' is beyond the end of the flash", o->flash, o->label) ==
               EXIT_DONE;
}

/** Opens the flash file and finds the place; says so when it cannot (nothing is open then). */
static bool open_place(linux_device_t *dev, const io_options_t *o, place_t *place)
{
    char why[256];
    if (linux_device_open(dev, o->flash, &o->device, why, sizeof(why)) != ESP_OK) {
        return cli_fail(VERB, "%s: %s", o->flash, why) == EXIT_DONE;
    }
    if (!o->device.read_only) {
        (void)otter_boot_finish_copies(&dev->device); /* what is written next may be what one copies from */
    }
    if (o->label[0] == '@' ? find_offset(dev, o, place) : find_label(dev, o, place)) {
        return true;
    }
    (void)linux_device_close(dev); /* nothing was written */
    return false;
}

/** Closes after a change: the sync is part of it. */
static int finish(linux_device_t *dev, const io_options_t *o, esp_err_t err)
{
    esp_err_t closed = linux_device_close(dev);
    err = err != ESP_OK ? err : closed;
    return err == ESP_OK ? EXIT_DONE : cli_fail(VERB, "%s, %s: %s", o->flash, o->label, esp_err_to_name(err));
}

/* ---- read ---- */

/** All of the place to a descriptor. @return false after saying why not */
static bool copy_out(otter_flash_t *flash, const place_t *place, int fd, const char *name)
{
    uint8_t *buf = malloc(CHUNK);
    bool ok = buf != NULL || cli_fail(VERB, "out of memory") == EXIT_DONE;
    for (uint32_t done = 0; ok && done < place->size;) {
        uint32_t step = min_u32(place->size - done, CHUNK);
        esp_err_t err = otter_flash_read(flash, place->offset + done, buf, step);
        if (err != ESP_OK) {
            ok = cli_fail(VERB, "cannot read at 0x%" PRIx32 ": %s", place->offset + done,
                          esp_err_to_name(err)) == EXIT_DONE;
        } else if (!output_write(fd, buf, step)) {
            ok = cli_fail(VERB, "cannot write %s: %s", name, strerror(errno)) == EXIT_DONE;
        }
        done += step;
    }
    free(buf);
    return ok;
}

static bool copy_to_file(otter_flash_t *flash, const place_t *place, const io_options_t *o)
{
    output_t out;
    char why[128];
    if (!output_open(&out, o->file, false, why, sizeof(why))) {
        return cli_fail(VERB, "cannot write %s: %s", o->file, why) == EXIT_DONE;
    }
    bool copied = copy_out(flash, place, out.fd, o->file);
    bool closed = output_close(&out, copied);
    if (copied && !closed) {
        return cli_fail(VERB, "cannot write %s: %s", o->file, strerror(errno)) == EXIT_DONE;
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
static bool settle_length(const linux_device_t *dev, const io_options_t *o, place_t *place)
{
    if (o->label[0] != '@') {
        return o->length == 0 || cli_usage(VERB, "--length is for @OFFSET") == EXIT_DONE;
    }
    uint64_t length = o->length != 0 ? o->length : flash_image_length(dev->flash, place->offset);
    if (length == 0) {
        return cli_fail(VERB, "no image begins at %s: --length says how much to read", o->label + 1) ==
               EXIT_DONE;
    }
    if (length > dev->flash->size - place->offset) {
        return cli_fail(VERB, "%s has only %" PRIu32 " bytes from %s on", o->flash,
                        dev->flash->size - place->offset, o->label + 1) == EXIT_DONE;
    }
    place->size = (uint32_t)length;
    return true;
}

static bool read_place(const linux_device_t *dev, const io_options_t *o, place_t *place)
{
    if (!settle_length(dev, o, place)) {
        return false;
    }
    if (is_same_file(o->flash, o->file)) {
        return cli_fail(VERB, "%s is the flash file itself: name another file for what is read", o->file) ==
               EXIT_DONE;
    }
    return strcmp(o->file, "-") == 0 ? copy_out(dev->flash, place, STDOUT_FILENO, "standard output")
                                     : copy_to_file(dev->flash, place, o);
}

int flash_read_verb(int argc, char **argv)
{
    io_options_t o = {.label = "", .device = {.read_only = true, .whole = true, .allow_no_md5 = true}};
    linux_device_t dev;
    place_t place = {0};
    int status = parse_options(argc, argv, 2, 3, &o);
    if (status != EXIT_DONE || !open_place(&dev, &o, &place)) {
        return status != EXIT_DONE ? status : EXIT_FAILED;
    }
    status = read_place(&dev, &o, &place) ? EXIT_DONE : EXIT_FAILED;
    (void)linux_device_close(&dev); /* nothing was written */
    return status;
}

/* ---- write ---- */

/** A flash of which nobody knows the chip is that of its first image; a revision that nobody knows fits every image. */
static otter_chip_t judging_chip(const linux_device_t *dev, const uint8_t *data, size_t len)
{
    uint16_t id = dev->device.chip.id;
    if (!dev->chip_known) {
        (void)flash_image_chip(data, len, &id); /* what is no image is refused for that */
    }
    return dev->efuse.has_revision && id == dev->device.chip.id ? dev->device.chip : flash_any_revision(id);
}

/** Whole sectors of this flash, and something to write to them. Says why not. */
static bool place_is_whole(const linux_device_t *dev, const place_t *place, const io_options_t *o, size_t len)
{
    const uint32_t sector = dev->flash->erase_size;
    if (len == 0) {
        return cli_fail(VERB, "%s is empty", o->file) == EXIT_DONE;
    }
    if (place->offset % sector != 0 || place->size % sector != 0) {
        return cli_fail(VERB,
                        place->partition != NULL ? "partition %s does not lie on whole sectors, so writing "
                                                   "it would erase its neighbours"
                                                 : "%s is not the start of a sector (0x1000 bytes)",
                        o->label) == EXIT_DONE;
    }
    return true;
}

/** Is this what the place is for? What it is comes before how long it is. Says why not. */
static bool accept_data(const linux_device_t *dev, const place_t *place, const io_options_t *o,
                        const otter_chip_t *chip, const uint8_t *data, size_t len)
{
    char why[IMAGE_WHY_SIZE + 64] = "";
    bool good = true;
    if (!place_is_whole(dev, place, o, len)) {
        return false;
    }
    if (place->partition == NULL && !o->force) {
        good = len > place->size || flash_accept_raw(dev->flash, dev->device.config.table_offset, chip,
                                                     place->offset, data, (uint32_t)len, why, sizeof(why));
    } else if (place->partition != NULL && place->partition->type == ESP_PARTITION_TYPE_APP && !o->force) {
        image_stream_t s = {0};
        good = flash_judge_image(&s, data, len, chip, place->offset) == ESP_OK;
        snprintf(why, sizeof(why), "%s", s.why);
        image_stream_end(&s);
    }
    if (!good) {
        char judge[FLASH_JUDGE_SIZE];
        flash_name_judge(o->device.chip == NULL ? &dev->efuse : NULL, why, judge, sizeof(judge));
        return cli_fail(VERB, "%s: %s%s; --force writes it all the same", o->file, why, judge) == EXIT_DONE;
    }
    return len <= place->size || cli_fail(VERB, "%s has %zu bytes, and %s holds %" PRIu32, o->file, len,
                                          o->label, place->size) == EXIT_DONE;
}

static esp_err_t write_and_check(linux_device_t *dev, const place_t *place, const io_options_t *o,
                                 const otter_chip_t *chip, const uint8_t *data, size_t len)
{
    esp_err_t err = flash_put(dev->flash, place->offset, data, len);
    if (err == ESP_OK && place->partition != NULL && place->partition->type == ESP_PARTITION_TYPE_APP &&
        !o->force) {
        image_rules_t rules = {
            .chip = chip, .flash_offset = place->offset, .size = place->size, .loading = true};
        err = image_verify_flash(dev->flash, &rules, NULL, NULL, 0);
    }
    return err;
}

/** The device is open; it is closed when this returns. */
static int write_place(linux_device_t *dev, const place_t *place, const io_options_t *o, uint8_t *data,
                       size_t len)
{
    const uint32_t table = dev->device.config.table_offset;
    otter_chip_t chip = judging_chip(dev, data, len);
    if (place->partition == NULL && !dev->chip_known && len <= place->size) {
        chip.id = flash_chip_of_bytes(dev->flash, table, place->offset, data, (uint32_t)len, chip.id);
    }
    bool made =
        !o->has_flash_size || flash_set_image_size(data, len, o->flash_size) ||
        cli_fail(VERB, "%s is no whole image, so --flash-size has nothing to change", o->file) == EXIT_DONE;
    if (!made || !accept_data(dev, place, o, &chip, data, len)) {
        (void)linux_device_close(dev); /* nothing was written */
        return EXIT_FAILED;
    }
    esp_err_t err = write_and_check(dev, place, o, &chip, data, len);
    int status = finish(dev, o, err);
    if (status == EXIT_DONE) {
        cli_did("%s: %zu bytes written at 0x%" PRIx32 " (%s)", o->flash, len, place->offset, o->label);
        flash_tell_next(o->flash, &o->device);
        flash_tell_esptool(chip.id, place->offset, o->file);
    }
    return status;
}

int flash_write_verb(int argc, char **argv)
{
    io_options_t o = {.label = "", .device = {.whole = true, .allow_no_md5 = true}};
    linux_device_t dev;
    place_t place = {0};
    int status = parse_options(argc, argv, 3, 3, &o);
    if (status != EXIT_DONE || !open_place(&dev, &o, &place)) {
        return status != EXIT_DONE ? status : EXIT_FAILED;
    }
    size_t len = 0;
    uint8_t *data = cli_read_file(VERB, o.file, OTTER_FLASH_SIZE_MAX, &len);
    if (data == NULL) {
        (void)linux_device_close(&dev); /* nothing was written */
        return EXIT_FAILED;
    }
    status = write_place(&dev, &place, &o, data, len);
    free(data);
    return status;
}

/* ---- erase ---- */

int flash_erase_verb(int argc, char **argv)
{
    io_options_t o = {.label = "", .device = {.whole = true, .allow_no_md5 = true}};
    linux_device_t dev;
    place_t place = {0};
    int status = parse_options(argc, argv, 2, 2, &o);
    if (status != EXIT_DONE || !open_place(&dev, &o, &place)) {
        return status != EXIT_DONE ? status : EXIT_FAILED;
    }
    if (o.label[0] == '@' && o.length == 0) {
        (void)linux_device_close(&dev);
        return cli_usage(VERB, "erase %s needs --length", o.label);
    }
    if (!settle_length(&dev, &o, &place)) {
        (void)linux_device_close(&dev);
        return EXIT_FAILED;
    }
    status = finish(&dev, &o, otter_flash_erase(dev.flash, place.offset, place.size));
    if (status == EXIT_DONE) {
        cli_did("%s: 0x%" PRIx32 " bytes erased at 0x%" PRIx32 " (%s)", o.flash, place.size, place.offset,
                o.label);
        flash_tell_next(o.flash, &o.device);
    }
    return status;
}
