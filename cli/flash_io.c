/* otter flash read, write, erase: one partition of a flash file and one ordinary file. */
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
#include "linux/linux_device.h"
#include "otter/boot.h"

#define VERB  "flash"
#define CHUNK 0x10000u

typedef struct {
    const char *flash, *label, *file;
    linux_device_options_t device;
    bool force;
} io_options_t;

/** Flags and the positional arguments, of which there are `least` to `most`. */
static int parse_options(int argc, char **argv, int least, int most, io_options_t *o)
{
    static const struct option options[] = {
        {"force", no_argument, NULL, 'f'},
        {"chip", required_argument, NULL, 'c'},
        {"table-offset", required_argument, NULL, 'o'},
        {"offset", required_argument, NULL, 'o'}, /* as this option was called */
        {0},
    };
    int c;
    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'f':
            o->force = true;
            break;
        case 'c':
            o->device.chip = otter_chip_by_name(optarg);
            if (o->device.chip == NULL) {
                return cli_usage(VERB, "'%s' is not a chip", optarg);
            }
            break;
        case 'o':
            if (!cli_parse_offset(optarg, 1, &o->device.table_offset)) {
                return cli_usage(VERB, "'%s' is not an offset in flash", optarg);
            }
            break;
        default:
            return cli_usage(VERB, "%s does not know %s, or it needs a value", argv[0], argv[optind - 1]);
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

/** Opens the flash file and finds the partition; says so when it cannot (nothing is open then). */
static const esp_partition_t *open_partition(linux_device_t *dev, const io_options_t *o)
{
    char why[256], labels[FLASH_LABELS_SIZE];
    if (linux_device_open(dev, o->flash, &o->device, why, sizeof(why)) != ESP_OK) {
        cli_fail(VERB, "%s: %s", o->flash, why);
        return NULL;
    }
    if (!o->device.read_only) {
        (void)otter_boot_finish_copies(&dev->device); /* what is written next may be what one copies from */
    }
    otter_partition_list_t *list = &dev->device.partitions;
    uint32_t table_offset = dev->device.config.table_offset;
    const esp_partition_t *partition = NULL;
    if (list->status != ESP_OK || list->count == 0) {
        cli_fail(VERB, "%s has no usable partition table at 0x%" PRIx32 "; `otter table show %s` says more",
                 o->flash, table_offset, o->flash);
    } else {
        partition =
            partition_list_find(list, NULL, ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, o->label);
        if (partition == NULL) {
            cli_fail(VERB, "%s has no partition '%s'; it has %s", o->flash, o->label,
                     flash_list_labels(list, labels, sizeof(labels)));
        } else if (!range_fits(partition->address, partition->size, dev->flash->size)) {
            cli_fail(VERB, "%s: partition '%s' is beyond the end of the flash", o->flash, o->label);
            partition = NULL;
        }
    }
    if (partition == NULL) {
        (void)linux_device_close(dev); /* nothing was written */
    }
    return partition;
}

/** Closes after a change: the sync is part of it. */
static int finish(linux_device_t *dev, const io_options_t *o, esp_err_t err)
{
    esp_err_t closed = linux_device_close(dev);
    err = err != ESP_OK ? err : closed;
    return err == ESP_OK ? EXIT_DONE
                         : cli_fail(VERB, "%s, partition %s: %s", o->flash, o->label, esp_err_to_name(err));
}

/* ---- read ---- */

/** All of the partition to a descriptor. @return false after saying why not */
static bool copy_out(otter_flash_t *flash, const esp_partition_t *partition, int fd, const char *name)
{
    uint8_t *buf = malloc(CHUNK);
    bool ok = buf != NULL || cli_fail(VERB, "out of memory") == EXIT_DONE;
    for (uint32_t done = 0; ok && done < partition->size;) {
        uint32_t step = min_u32(partition->size - done, CHUNK);
        esp_err_t err = otter_flash_read(flash, partition->address + done, buf, step);
        if (err != ESP_OK) {
            ok = cli_fail(VERB, "cannot read at 0x%" PRIx32 ": %s", partition->address + done,
                          esp_err_to_name(err)) == EXIT_DONE;
        } else if (!output_write(fd, buf, step)) {
            ok = cli_fail(VERB, "cannot write %s: %s", name, strerror(errno)) == EXIT_DONE;
        }
        done += step;
    }
    free(buf);
    return ok;
}

static bool copy_to_file(otter_flash_t *flash, const esp_partition_t *partition, const char *path)
{
    output_t out;
    char why[128];
    if (!output_open(&out, path, false, why, sizeof(why))) {
        return cli_fail(VERB, "cannot write %s: %s", path, why) == EXIT_DONE;
    }
    bool copied = copy_out(flash, partition, out.fd, path);
    bool closed = output_close(&out, copied);
    return closed || (copied && cli_fail(VERB, "cannot write %s: %s", path, strerror(errno)) == EXIT_DONE);
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat sa, sb;
    return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

int flash_read_verb(int argc, char **argv)
{
    io_options_t o = {.device = {.read_only = true, .allow_no_md5 = true}};
    linux_device_t dev;
    int status = parse_options(argc, argv, 2, 3, &o);
    const esp_partition_t *partition = status == EXIT_DONE ? open_partition(&dev, &o) : NULL;
    if (partition == NULL) {
        return status == EXIT_DONE ? EXIT_FAILED : status;
    }
    if (is_same_file(o.flash, o.file)) {
        (void)linux_device_close(&dev);
        return cli_fail(VERB, "%s is the flash file itself: name another file for the partition", o.file);
    }
    bool ok = strcmp(o.file, "-") == 0 ? copy_out(dev.flash, partition, STDOUT_FILENO, "standard output")
                                       : copy_to_file(dev.flash, partition, o.file);
    (void)linux_device_close(&dev); /* nothing was written */
    return ok ? EXIT_DONE : EXIT_FAILED;
}

/* ---- write ---- */

/** True if some slot holds what looks like an image, so that the device's chip is no mere default. */
static bool has_images(const linux_device_t *dev)
{
    const otter_partition_list_t *list = &dev->device.partitions;
    for (uint32_t i = 0; i < list->count; i++) {
        uint8_t magic = 0;
        if (list->items[i].type == ESP_PARTITION_TYPE_APP &&
            otter_flash_read(dev->flash, list->items[i].address, &magic, 1) == ESP_OK &&
            magic == ESP_IMAGE_HEADER_MAGIC) {
            return true;
        }
    }
    return false;
}

/** A flash of which nobody knows the chip is that of its first image; a revision that nobody knows fits every image. */
static otter_chip_t judging_chip(const linux_device_t *dev, const io_options_t *o, const uint8_t *data,
                                 size_t len)
{
    uint16_t id = dev->device.chip.id;
    if (o->device.chip == NULL && !dev->efuse.has_chip && !has_images(dev)) {
        (void)flash_image_chip(data, len, &id); /* what is no image is refused for that */
    }
    return dev->efuse.has_revision && id == dev->device.chip.id ? dev->device.chip : flash_any_revision(id);
}

/** Is this what the partition is for? Says why not. */
static bool accept_data(const linux_device_t *dev, const esp_partition_t *partition, const io_options_t *o,
                        const otter_chip_t *chip, const uint8_t *data, size_t len)
{
    if (len == 0) {
        return cli_fail(VERB, "%s is empty", o->file) == EXIT_DONE;
    }
    if (partition->address % dev->flash->erase_size != 0 || partition->size % dev->flash->erase_size != 0) {
        return cli_fail(
                   VERB,
                   "partition %s does not lie on whole sectors, so writing it would erase its neighbours",
                   o->label) == EXIT_DONE;
    }
    image_stream_t s = {0};
    bool ok = partition->type != ESP_PARTITION_TYPE_APP || o->force ||
              flash_judge_image(&s, data, len, chip, partition->address) == ESP_OK ||
              cli_fail(VERB, "%s: %s; --force writes it all the same", o->file, s.why) == EXIT_DONE;
    image_stream_end(&s);
    if (ok && len > partition->size) {
        ok = cli_fail(VERB, "%s has %zu bytes, and %s holds %" PRIu32, o->file, len, o->label,
                      partition->size) == EXIT_DONE;
    }
    return ok;
}

static esp_err_t write_and_check(linux_device_t *dev, const esp_partition_t *partition, const io_options_t *o,
                                 const otter_chip_t *chip, const uint8_t *data, size_t len)
{
    esp_err_t err = flash_put(dev->flash, partition->address, data, len);
    if (err == ESP_OK && partition->type == ESP_PARTITION_TYPE_APP && !o->force) {
        image_rules_t rules = {
            .chip = chip, .flash_offset = partition->address, .size = partition->size, .loading = true};
        err = image_verify_flash(dev->flash, &rules, NULL, NULL, 0);
    }
    return err;
}

int flash_write_verb(int argc, char **argv)
{
    io_options_t o = {.device.allow_no_md5 = true};
    linux_device_t dev;
    int status = parse_options(argc, argv, 3, 3, &o);
    const esp_partition_t *partition = status == EXIT_DONE ? open_partition(&dev, &o) : NULL;
    if (partition == NULL) {
        return status == EXIT_DONE ? EXIT_FAILED : status;
    }
    size_t len = 0;
    uint8_t *data = cli_read_file(VERB, o.file, OTTER_FLASH_SIZE_MAX, &len);
    status = EXIT_FAILED;
    if (data != NULL) {
        otter_chip_t chip = judging_chip(&dev, &o, data, len);
        if (accept_data(&dev, partition, &o, &chip, data, len)) {
            status = finish(&dev, &o, write_and_check(&dev, partition, &o, &chip, data, len));
        } else {
            (void)linux_device_close(&dev); /* nothing was written */
        }
    } else {
        (void)linux_device_close(&dev);
    }
    free(data);
    return status;
}

/* ---- erase ---- */

int flash_erase_verb(int argc, char **argv)
{
    io_options_t o = {.device.allow_no_md5 = true};
    linux_device_t dev;
    int status = parse_options(argc, argv, 2, 2, &o);
    const esp_partition_t *partition = status == EXIT_DONE ? open_partition(&dev, &o) : NULL;
    if (partition == NULL) {
        return status == EXIT_DONE ? EXIT_FAILED : status;
    }
    return finish(&dev, &o, otter_flash_erase(dev.flash, partition->address, partition->size));
}
