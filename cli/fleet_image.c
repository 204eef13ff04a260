/* otter fleet image: a release for simulated devices, to be given to a real server. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "fleet/release.h"

#define VERB "fleet image"

typedef struct {
    const char *version, *out;
    uint64_t size;
} image_options_t;

static int image_run(void *options)
{
    const image_options_t *o = options;
    fleet_release_t release;
    if (o->version[0] == '\0' || strlen(o->version) > 31) {
        return cli_usage(VERB, "VERSION has 1 to 31 bytes");
    }
    int status = EXIT_FAILED;
    if (!fleet_release_make(&release, o->version, (uint32_t)o->size)) {
        status = cli_fail(VERB, "out of memory");
    } else if (cli_write_file(VERB, o->out, release.bytes, release.size)) {
        status = EXIT_DONE;
        if (!cli_is_standard_output(o->out)) {
            cli_did("%s: version %s, %u bytes, for ESP32-C3", o->out, o->version, (unsigned)release.size);
        }
    }
    fleet_release_free(&release);
    return status;
}

static const option_row_t rows[] = {
    {"VERSION", &option_argument, offsetof(image_options_t, version), .help = NULL},
    {"output", &option_file, offsetof(image_options_t, out), .help = "where to write it", .letter = 'o',
     .needed = true},
    {"image-size", &option_size, offsetof(image_options_t, size), .help = "of the image (default 64K)",
     .min = FLEET_IMAGE_MIN, .max = FLEET_IMAGE_MAX},
    {0},
};

const cli_verb_t fleet_image_verb = {
    .name = VERB,
    .line = "make a release that simulated devices take, to upload it to a real server",
    .about = "Writes an app image for ESP32-C3 that is whole and valid, and full of noise. Devices of `otter "
             "fleet simulate "
             "--server` take it and confirm it; on their boards of revision B a version that is named by "
             "--bad-release crashes.\n",
    .after = "example: otter fleet image 2.0.0 -o app-2.0.0.bin\n",
    .options = rows,
    .size = sizeof(image_options_t),
    .defaults = &(const image_options_t){.size = 0x10000},
    .run = image_run,
};
