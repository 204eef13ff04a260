/* otter image info and verify: judge a file that is an image, or begins with one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "json.h"
#include "flash_verbs.h"
#include "image_look.h"
#include "image_report.h"
#include "kinds.h"

/** As people call it. */
static const char *name_of(const char *path)
{
    return path[0] == '-' && path[1] == '\0' ? "standard input" : path;
}

typedef struct {
    const char *path;
    linux_device_options_t device; /* chip: NULL: the image's own */
    bool json;
} info_options_t;

static int info(void *options)
{
    const info_options_t *o = options;
    image_look_t look;
    const char *name = name_of(o->path);
    bool read = image_look(&look, o->path, NULL);
    int status = EXIT_DONE;
    if (o->json) {
        status = json_print("image", image_report_json(&look));
    } else if (read) {
        image_report_print(&look, name);
    }
    if (look.fault.code != ESP_OK) {
        fflush(stdout); /* what was found out comes before what is wrong */
        status = cli_fail("image", "%s: %s", name, look.fault.why);
    }
    image_look_end(&look);
    return status;
}

static const option_row_t info_rows[] = {
    {"FILE", &option_argument, offsetof(info_options_t, path), .help = NULL},
    {"json", &option_switch, offsetof(info_options_t, json),
     .help = "for programs; docs/JSON.md explains the keys"},
    {0},
};

const cli_verb_t image_info_verb = {
    .name = "image info",
    .line = "what a file holds: an app or bootloader image, a dump, a factory file",
    .about = "Tells what a file holds: an app or bootloader image, the dump of a partition, a merged factory "
             "file; and what lies "
             "behind the image. FILE may be - for standard input, or a pipe. Exit status 1 if it is broken "
             "or no image.\n",
    .after = "example: otter image info firmware.bin\n",
    .options = info_rows,
    .size = sizeof(info_options_t),
    .defaults = &(const info_options_t){0},
    .run = info,
};

/* ---- verify ---- */

static int verify(void *options)
{
    const info_options_t *o = options;
    const linux_device_options_t *device = &o->device;
    image_look_t look;
    int status = EXIT_DONE;
    const char *name = name_of(o->path);
    bool virtual = device->chip != NULL && !otter_chip_is_espressif(device->chip->id); /* its revision is 0 */
    bool unknown_revision = !device->has_revision && !virtual;
    otter_chip_t chip = {.id = device->chip != NULL ? device->chip->id : 0,
                         .revision = device->revision,
                         .blk_revision = device->blk_revision,
                         .revision_unknown = unknown_revision,
                         .blk_revision_unknown = !device->has_blk_revision};
    bool read = image_look(&look, o->path, device->chip != NULL ? &chip : NULL);
    if (read && device->chip == NULL && (device->has_revision || device->has_blk_revision) &&
        look.fault.code == ESP_OK) {
        chip.id = look.stream.info.header.chip_id; /* the image's own chip, now with a revision to judge */
        image_look_again(&look, &chip);
    }
    if (look.fault.code != ESP_OK) {
        status = cli_fail("image", "%s: %s", name, look.fault.why);
    } else {
        image_report_print_verdict(&look, name, !unknown_revision, device->has_blk_revision);
    }
    image_look_end(&look);
    return status;
}

static const option_row_t verify_rows[] = {
    {"FILE", &option_argument, offsetof(info_options_t, path), .help = NULL},
    OPTION_CHIP(offsetof(info_options_t, device), "judge as this chip would; default: the image's own"),
    OPTION_REVISIONS(offsetof(info_options_t, device), "any"),
    {0},
};

const cli_verb_t image_verify_verb = {
    .name = "image verify",
    .line = "judge an image as a device would",
    .about = "Judges an image as a device would: structure, checksum, hash, and with --chip its chip, with "
             "--chip-rev and "
             "--blk-rev the revisions that it asks for. FILE may be - for standard input, or a pipe.\n",
    .after = "example: otter image verify firmware.bin --chip esp32c3 --chip-rev v0.4\n",
    .options = verify_rows,
    .size = sizeof(info_options_t),
    .defaults = &(const info_options_t){0},
    .run = verify,
};
