/* otter image info and verify: judge a file that is an image, or begins with one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "json.h"
#include "flash_verbs.h"
#include "image_look.h"
#include "image_report.h"
#include "kinds.h"
#include "signing_options.h"

/** As people call it. */
static const char *name_of(const char *path)
{
    return path[0] == '-' && path[1] == '\0' ? "standard input" : path;
}

typedef struct {
    const char *path;
    linux_device_options_t device; /* chip: NULL: the image's own */
    key_names_t keys;              /* that must have signed it; none: nobody need have */
    bool json, v1, data;
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
    .run = info,
};

/* ---- verify ---- */

/** A good signature may stand where the image's chip does not look. */
static void note_block(image_look_t *look, bool as_chip, const char *name, const otter_trust_config_t *trust)
{
    const otter_chip_facts_t *facts = otter_chip_facts(look->stream.info.header.chip_id);
    const signature_seen_t *first = &look->signature.block[0];
    bool by_first = false;
    for (uint32_t i = 0; i < trust->key_count; i++) {
        by_first |= first->valid && memcmp(first->key_digest, trust->keys[i], OTTER_KEY_DIGEST_LEN) == 0;
    }
    if (!as_chip && trust->key_count > 0 && !look->signature.v1 && look->fault.code == ESP_OK && !by_first &&
        facts != NULL && facts->signature_blocks == 1) {
        cli_note("image",
                 "%s: %s looks at the first signature only, and this one stands behind it (--chip judges so)",
                 name, facts->title);
    }
}

/** Of a whole image that nobody has signed as was asked for. */
static const char *next_step(const image_look_t *look, const info_options_t *o)
{
    return look->signature.count == 0     ? "; `otter image sign` signs it"
           : look->signature.v1 && !o->v1 ? "; it has a signature of ESP32's first scheme, which --v1 judges"
                                          : "";
}

/** One of the keys has signed it. */
static bool is_by_trusted(const signature_seen_t *seen, const otter_trust_config_t *trust)
{
    bool by = false;
    for (uint32_t i = 0; i < trust->key_count; i++) {
        by = by || (seen->valid && memcmp(seen->key_digest, trust->keys[i], OTTER_KEY_DIGEST_LEN) == 0);
    }
    return by;
}

/** What a signed data partition gets. */
static int verify_data(const info_options_t *o, const otter_trust_config_t *trust)
{
    image_look_t look;
    const char *name = name_of(o->path);
    const bool read = image_look(&look, o->path, NULL) && image_look_data(&look);
    const signature_seen_t *good = NULL, *other = NULL;
    for (uint32_t i = 0; read && i < OTTER_SIGNATURE_BLOCKS; i++) {
        const signature_seen_t *seen = &look.signature.block[i];
        good = good == NULL && is_by_trusted(seen, trust) ? seen : good;
        other = other == NULL && seen->present ? seen : other;
    }
    char digest[2 * OTTER_KEY_DIGEST_LEN + 1];
    int status = EXIT_DONE;
    if (good != NULL) {
        printf("%s: %" PRIu32 " bytes of data, signed by %s\n", name, look.signature.offset,
               otter_image_hex(digest, good->key_digest, OTTER_KEY_DIGEST_LEN));
    } else if (other == NULL) {
        status = cli_fail("image", "%s: %s", name, look.fault.why);
    } else {
        status = cli_fail("image", "%s: %s%s", name,
                          other->valid ? "none of these keys has signed it" : other->why,
                          other->valid ? "; `otter image info` tells whose do" : "");
    }
    image_look_end(&look);
    return status;
}

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
    uint8_t v1_key[OTTER_V1_KEY_LEN];
    otter_trust_config_t trust;
    if (!trust_named_keys("image verify", &o->keys, o->v1, v1_key, &trust)) {
        return EXIT_FAILED;
    }
    if (o->data) {
        return o->keys.count > 0 && !o->v1 ? verify_data(o, &trust)
                                           : cli_usage("image verify", "--data wants --key, and no --v1");
    }
    bool read = image_look(&look, o->path, device->chip != NULL ? &chip : NULL);
    if (look.is_encrypted && look.fault.code == ESP_OK) {
        (void)otter_fault(&look.fault, ESP_ERR_NOT_SUPPORTED,
                          "it is encrypted: `otter image decrypt` comes before it can be judged");
    }
    if (look.is_signed_data) {
        (void)otter_fault(&look.fault, ESP_ERR_IMAGE_INVALID,
                          "it is no image, but data that is signed: --data judges it");
    }
    const bool as_chip = device->chip != NULL || device->has_revision || device->has_blk_revision;
    if (device->chip == NULL) {
        chip.id = look.stream.info.header.chip_id; /* the image's own chip, now with a revision to judge */
    }
    const bool whole = read && look.fault.code == ESP_OK;
    if (whole && (as_chip || o->keys.count > 0)) {
        image_look_again(&look, as_chip ? &chip : NULL, &trust);
        note_block(&look, as_chip, name, &trust);
    }
    if (look.fault.code != ESP_OK) {
        status = cli_fail("image", "%s: %s%s", name, look.fault.why,
                          whole && o->keys.count > 0 ? next_step(&look, o) : "");
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
    OPTION_TRUSTED_KEYS(offsetof(info_options_t, keys),
                        "it must be signed by this public key (PEM or DER), or by one of several"),
    {"v1", &option_switch, offsetof(info_options_t, v1),
     .help = "by the key in ESP32's first scheme (secure boot V1)"},
    {"data", &option_switch, offsetof(info_options_t, data),
     .help = "it is no image but what `otter image sign --data` has signed with this key"},
    {0},
};

const cli_verb_t image_verify_verb = {
    .name = "image verify",
    .line = "judge an image as a device would",
    .about = "Judges an image as a device would: structure, checksum, hash, and with --chip its chip, with "
             "--chip-rev and "
             "--blk-rev the revisions that it asks for; with --key, that one of these keys has signed it, in "
             "a block that its chip looks at. FILE may be - for standard input, or a pipe.\n",
    .after = "example: otter image verify firmware.bin --chip esp32c3 --chip-rev v0.4\n"
             "         otter image verify firmware.bin --key signing.pub.pem\n",
    .options = verify_rows,
    .size = sizeof(info_options_t),
    .run = verify,
};
