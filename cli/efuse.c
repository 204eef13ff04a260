/* otter efuse show, import and burn: what a device's eFuses say, and saying more of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "efuse_import.h"
#include "efuse_words.h"
#include "esp_log.h"
#include "host/named_file.h"
#include "json.h"
#include "kinds.h"
#include "linux/linux_device.h"
#include "otter/boot.h"
#include "otter/crypto.h"
#include "otter/promise.h"

#define VALUE_MAX        64u /* bytes of a file that is one value: a digest, a key */
#define CONSEQUENCE_SIZE 200u
#define DUMP_MAX         262144u /* bytes of a file that is imported; a JSON summary has about 45,000 */

typedef struct {
    const char *flash, *name, *value, *input;
    linux_device_options_t device;
    bool json, yes, replace;
} efuse_options_t;

/** The eFuses of a flash, which stays open and locked meanwhile if it is there. */
typedef struct {
    linux_device_t dev;
    efuse_file_t file;
    const otter_chip_facts_t *chip; /* NULL: nothing tells */
    bool is_open;
} efuses_t;

/** A flash file need not be there yet: its eFuses can be first. */
static bool open_without_flash(const char *verb, efuses_t *e, const efuse_options_t *o)
{
    otter_fault_t fault = {0};
    esp_err_t err = o->device.efuse_path != NULL
                        ? efuse_file_load_named(&e->file, o->device.efuse_path, &fault)
                        : efuse_file_load(&e->file, o->flash, &fault);
    e->chip = o->device.chip;
    if (err == ESP_OK && e->chip == NULL && e->file.has_chip) {
        e->chip = otter_chip_facts(e->file.chip.id);
    }
    return err == ESP_OK || cli_refuse(verb, "%s: %s", o->flash, otter_fault_text(&fault, err));
}

static bool open_efuses(const char *verb, efuses_t *e, efuse_options_t *o, bool read_only)
{
    otter_fault_t fault = {0};
    esp_log_level_set("*", ESP_LOG_NONE); /* this command says it once, in its own words */
    o->device.read_only = read_only;
    o->device.whole = true;
    if (access(o->flash, F_OK) != 0 && errno == ENOENT) {
        return open_without_flash(verb, e, o);
    }
    esp_err_t err = linux_device_open(&e->dev, o->flash, &o->device, &fault);
    if (err != ESP_OK) {
        return cli_refuse(verb, "%s: %s", o->flash, otter_fault_text(&fault, err));
    }
    e->is_open = true;
    e->file = e->dev.efuse;
    e->chip = e->dev.chip_known ? otter_chip_facts(e->dev.device.chip.id) : NULL;
    return e->file.path[0] != '\0' ||
           cli_refuse(verb, "%s: a block device has no eFuses beside it: --efuse FILE names them", o->flash);
}

static void close_efuses(efuses_t *e)
{
    if (e->is_open) {
        otter_ignore(linux_device_close(&e->dev)); /* nothing of the flash was written */
    }
    otter_wipe(&e->file, sizeof(e->file));
}

/* ---- show ---- */

static int show(void *options)
{
    efuse_options_t *o = options;
    efuses_t *e = calloc(1, sizeof(*e));
    int status = EXIT_FAILED;
    if (e == NULL) {
        return cli_fail("efuse show", "out of memory");
    }
    if (open_efuses("efuse show", e, o, true)) {
        status = EXIT_DONE;
        if (o->json) {
            status = json_print("efuse show", efuse_words_json(&e->file, e->chip));
        } else {
            efuse_words_print(&e->file, e->chip);
        }
    }
    close_efuses(e);
    free(e);
    return status;
}

/* ---- burn ---- */

/** Whether anything in the flash would boot with these. @return false also where no flash is there */
static bool boots_with(efuses_t *e, const efuse_file_t *file)
{
    otter_boot_result_t boot;
    e->dev.efuse = *file;
    e->dev.device.config.trust = linux_device_trust(file);
    return e->is_open && otter_boot(&e->dev.device, OTTER_BOOT_DRY_RUN, &boot) == ESP_OK;
}

/** What a device does after this. @return false: what it did before */
static bool tell_consequence(efuses_t *e, const efuse_file_t *after, char *text, size_t size)
{
    char before[CONSEQUENCE_SIZE];
    snprintf(before, sizeof(before), "%s", efuse_words_consequence(&e->file));
    const bool booted = boots_with(e, &e->file), stuck = booted && !boots_with(e, after);
    const char *words = efuse_words_consequence(after);
    snprintf(text, size, "%s%s", words,
             stuck && strstr(words, "nothing boots") == NULL
                 ? "; nothing that is in this flash boots any more"
                 : "");
    return stuck || strcmp(before, words) != 0;
}

/** What cannot be undone is asked for. @return false, after saying why not */
static bool is_meant(const efuse_options_t *o, const efuse_file_t *file, const char *follows)
{
    char answer[16] = "";
    if (o->yes) {
        return true;
    }
    if (isatty(STDIN_FILENO) != 1) {
        return cli_refuse("efuse burn",
                          "nothing is burned: this cannot be undone, and there is no terminal to ask on; "
                          "--yes says that it is meant");
    }
    fprintf(stderr, "%s: %s becomes %s.\n%s\nThis cannot be undone. Type BURN to go on: ", file->path,
            o->name, efuse_words_is_secret(o->name) ? "what was given" : o->value, follows);
    fflush(stderr);
    const bool read = fgets(answer, sizeof(answer), stdin) != NULL;
    answer[strcspn(answer, "\r\n")] = '\0';
    return (read && strcmp(answer, "BURN") == 0) || cli_refuse("efuse burn", "nothing is burned");
}

/** A file's bytes in hexadecimal: a key in a command line can be seen by others. @return NULL: says why; drop_text() it */
static char *text_of_file(const char *path)
{
    size_t len;
    uint8_t *data = cli_read_file("efuse burn", path, VALUE_MAX, &len);
    char *text = data != NULL ? calloc(2, len + 1) : NULL;
    if (data != NULL && text == NULL) {
        (void)cli_fail("efuse burn", "out of memory");
    }
    for (size_t i = 0; text != NULL && i < len; i++) {
        snprintf(text + 2 * i, 3, "%02x", data[i]);
    }
    if (data != NULL) {
        otter_wipe(data, len);
    }
    free(data);
    return text;
}

static void drop_text(char *text)
{
    if (text != NULL) {
        otter_wipe(text, strlen(text));
    }
    free(text);
}

/** @param after  e->file, in which it is burned before that is made so */
static bool burn_in(efuses_t *e, const efuse_options_t *o, efuse_file_t *after)
{
    otter_fault_t fault = {0};
    if (!after->has_chip && e->chip != NULL) { /* what it can have burned is known by it */
        after->has_chip = true;
        after->chip.id = e->chip->id;
    }
    esp_err_t err = efuse_file_burn(after, o->name, o->value, &fault);
    if (err != ESP_OK) {
        return cli_refuse("efuse burn", "%s: nothing is burned: %s%s", o->flash,
                          otter_fault_text(&fault, err),
                          err == ESP_ERR_NOT_FOUND && strchr(fault.why, '?') == NULL
                              ? "; `otter efuse burn --help` names them"
                              : "");
    }
    e->file.has_chip = after->has_chip;
    e->file.chip.id = after->chip.id;
    char follows[2 * CONSEQUENCE_SIZE];
    const bool news = tell_consequence(e, after, follows, sizeof(follows));
    /* Saying that nothing is burned undoes nothing. */
    if (!efuse_file_is_same(after, &e->file) && !is_meant(o, after, follows)) {
        return false;
    }
    if (efuse_file_save(after) != ESP_OK) {
        return cli_refuse("efuse burn", "cannot write %s", after->path);
    }
    cli_did("%s: %s burned", after->path, o->name);
    if (news) {
        cli_did("%s", follows);
    }
    return true;
}

static bool burn_one(efuses_t *e, const efuse_options_t *o)
{
    efuse_file_t after = e->file;
    const bool ok = burn_in(e, o, &after);
    otter_wipe(&after, sizeof(after));
    return ok;
}

static int burn(void *options)
{
    efuse_options_t *o = options;
    efuses_t *e = calloc(1, sizeof(*e));
    if (e == NULL) {
        return cli_fail("efuse burn", "out of memory");
    }
    char *text = o->value[0] == '@' ? text_of_file(o->value + 1) : NULL;
    bool ok = text != NULL || o->value[0] != '@';
    o->value = text != NULL ? text : o->value;
    ok = ok && open_efuses("efuse burn", e, o, false) && burn_one(e, o);
    close_efuses(e);
    free(e);
    drop_text(text);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

/* ---- import ---- */

/** espefuse puts each block into a file of its own: dump0.bin, dump1.bin, ... @return false: there are none of that name */
static bool name_of_block(const char *path, uint32_t block, char *name, size_t size)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    dot = dot != NULL && (slash == NULL || dot > slash + 1) ? dot : path + strlen(path);
    int len = snprintf(name, size, "%.*s%" PRIu32 "%s", (int)(dot - path), path, block, dot);
    return len > 0 && (size_t)len < size;
}

/** The name that espefuse was given, where one of its files is named. */
static bool is_first_of_split(const char *path, char *stem, size_t size)
{
    char second[4096];
    const char *dot = strrchr(path, '.');
    dot = dot != NULL && strchr(dot, '/') == NULL ? dot : path + strlen(path);
    if (dot == path || dot[-1] != '0') {
        return false;
    }
    int len = snprintf(stem, size, "%.*s%s", (int)(dot - path) - 1, path, dot);
    return len > 0 && (size_t)len < size && name_of_block(stem, 1, second, sizeof(second)) &&
           access(second, F_OK) == 0;
}

/** All of them as one, malloc'ed. NULL: says why */
static char *load_blocks(const char *path, const otter_efuse_layout_t *layout, size_t *len,
                         otter_fault_t *fault)
{
    char *all = calloc(1, OTTER_EFUSE_DUMP_BLOCKS * OTTER_EFUSE_BLOCK_LEN + 1);
    *len = 0;
    for (uint32_t i = 0; all != NULL && i < layout->blocks; i++) {
        char name[4096];
        size_t got = 0;
        uint8_t *block = name_of_block(path, i, name, sizeof(name))
                             ? input_load(name, INPUT_ORDINARY, OTTER_EFUSE_BLOCK_LEN, &got, fault)
                             : NULL;
        if (block == NULL) {
            otter_fault_add(fault, ": ");
            otter_fault_add(fault, name);
            free(all);
            return NULL;
        }
        memcpy(all + *len, block, got);
        *len += got;
        otter_wipe(block, got);
        free(block);
    }
    return all;
}

/** The file, or the files, that espefuse has written. NULL, and `*stem` not empty: files, whose chip must be known first */
static char *load_input(const efuse_options_t *o, char stem[4096], size_t *len, otter_fault_t *fault)
{
    char first[4096];
    stem[0] = '\0';
    if (access(o->input, F_OK) != 0 && name_of_block(o->input, 0, first, sizeof(first)) &&
        access(first, F_OK) == 0) {
        snprintf(stem, 4096, "%s", o->input);
        return NULL;
    }
    if (is_first_of_split(o->input, stem, 4096)) {
        return NULL;
    }
    stem[0] = '\0';
    return (char *)input_load(o->input, INPUT_OR_PIPE, DUMP_MAX, len, fault);
}

/** Which chip the file is of; without that no bit of it means anything. */
static const otter_efuse_layout_t *find_layout(const efuses_t *e, const efuse_options_t *o, const char *text,
                                               size_t len)
{
    const otter_chip_facts_t *says = text != NULL ? efuse_import_chip(text, len) : NULL;
    const otter_chip_facts_t *chip = o->device.chip != NULL ? o->device.chip : says != NULL ? says : e->chip;
    const otter_efuse_layout_t *layout =
        chip != NULL && otter_chip_is_espressif(chip->id) ? otter_efuse_layout(chip->id) : NULL;
    if (layout == NULL) {
        cli_fail("efuse import", "%s: it does not say which chip it is of; --chip does", o->input);
    } else if (says != NULL && says->id != chip->id) {
        cli_fail("efuse import", "%s: it is of %s, and --chip says %s", o->input, says->title, chip->title);
        layout = NULL;
    }
    return layout;
}

static esp_err_t read_input(char *text, size_t len, const otter_efuse_layout_t *layout, efuse_file_t *got,
                            efuse_notes_t *notes, otter_fault_t *fault)
{
    efuse_said_t said = {0};
    esp_err_t err = ESP_ERR_NOT_FOUND;
    if (strlen(text) == len) {
        err = efuse_read_summary(text, len, layout, &said, notes, fault);
    }
    if (err == ESP_ERR_NOT_FOUND) {
        err = efuse_read_dump(text, len, layout, &said, notes, fault);
    }
    if (err == ESP_ERR_NOT_FOUND) {
        otter_ignore(otter_fault(fault, err, "it is neither a dump nor a summary of espefuse's"));
    }
    err = err == ESP_OK ? efuse_conclude(&said, layout, got, notes, fault) : err;
    otter_wipe(&said, sizeof(said));
    return err;
}

/** What was read becomes the device's, all of it or nothing. */
static bool take_over(efuses_t *e, const efuse_options_t *o, efuse_file_t *got)
{
    otter_fault_t fault = {0};
    if (o->device.has_revision) {
        got->has_revision = true;
        got->chip.revision = o->device.revision;
    }
    if (o->device.has_blk_revision) {
        got->has_blk_revision = true;
        got->chip.blk_revision = o->device.blk_revision;
    }
    efuse_file_t after = e->file;
    if (o->replace) {
        after = *got;
        memcpy(after.path, e->file.path, sizeof(after.path));
        after.geometry = e->file.geometry; /* of the flash, of which a chip says nothing */
    } else if (efuse_file_grow(&after, got, &fault) != ESP_OK) {
        otter_wipe(&after, sizeof(after));
        return cli_refuse("efuse import",
                          "%s says other things of this device: %s; --replace has it forget them",
                          e->file.path, fault.why);
    }
    e->file = after;
    otter_wipe(&after, sizeof(after));
    return efuse_file_save(&e->file) == ESP_OK || cli_refuse("efuse import", "cannot write %s", e->file.path);
}

/** Says why not. */
static bool import_file(efuses_t *e, const efuse_options_t *o, efuse_notes_t *notes)
{
    otter_fault_t fault = {0};
    size_t len = 0;
    char stem[4096];
    efuse_file_t got = {.chip.id = OTTER_CHIP_LINUX};
    char *text = load_input(o, stem, &len, &fault);
    if (text == NULL && stem[0] == '\0') {
        return cli_refuse("efuse import", "%s: %s", o->input, fault.why);
    }
    const otter_efuse_layout_t *layout = find_layout(e, o, text, len);
    if (layout != NULL && text == NULL) {
        text = load_blocks(stem, layout, &len, &fault);
    }
    esp_err_t err = ESP_FAIL;
    if (layout != NULL && text != NULL) {
        err = read_input(text, len, layout, &got, notes, &fault);
    }
    if (text != NULL) {
        otter_wipe(text, len);
    }
    free(text);
    if (layout != NULL && err != ESP_OK) {
        cli_fail("efuse import", "nothing is imported: %s: %s", o->input, otter_fault_text(&fault, err));
    }
    const bool ok = err == ESP_OK && take_over(e, o, &got);
    otter_wipe(&got, sizeof(got));
    return ok;
}

static int import(void *options)
{
    efuse_options_t *o = options;
    efuse_notes_t notes = {0};
    efuses_t *e = calloc(1, sizeof(*e));
    if (e == NULL) {
        return cli_fail("efuse import", "out of memory");
    }
    bool ok = open_efuses("efuse import", e, o, false) && import_file(e, o, &notes);
    if (ok) {
        fputs(notes.text != NULL ? notes.text : "", stdout);
        efuse_words_print(&e->file, otter_chip_facts(e->file.chip.id));
        cli_did("%s: written", e->file.path);
    }
    close_efuses(e);
    free(notes.text);
    free(e);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

/* ---- the verbs ---- */

#define AT(member) offsetof(efuse_options_t, member)
#define DEFAULTS                                                                                             \
    &(const efuse_options_t)                                                                                 \
    {                                                                                                        \
        .device.table_offset = 0x8000, .device.wait_ms = WAIT_MS                                             \
    }

static const option_row_t show_rows[] = {
    {"FLASH", &option_argument, AT(flash), .help = NULL},
    OPTION_CHIP(AT(device), "say what they mean on this chip; default: the one that FLASH is of"),
    OPTION_EFUSE(AT(device)),
    {"json", &option_switch, AT(json), .help = "as JSON (docs/JSON.md)"},
    {0},
};

const cli_verb_t efuse_show_verb = {
    .name = "efuse show",
    .line = "what a device's eFuses say, and what that means for booting and updates",
    .about = "Tells each eFuse that a device has burned, or could have, with what follows from it: whose "
             "images boot, how old "
             "they may be, for which chip. A key that is secret is never shown.\n",
    .after = "example: otter efuse show flash.bin\n",
    .options = show_rows,
    .size = sizeof(efuse_options_t),
    .defaults = DEFAULTS,
    .run = show,
};

static const option_row_t burn_rows[] = {
    {"FLASH", &option_argument, AT(flash), .help = NULL},
    {"NAME", &option_argument, AT(name), .help = NULL},
    {"VALUE", &option_argument, AT(value), .help = NULL},
    {"yes", &option_switch, AT(yes), .help = "do not ask"},
    OPTION_CHIP(AT(device), "the kind of chip; default: the one that FLASH is of"),
    OPTION_EFUSE(AT(device)),
    OPTION_WAIT(AT(device)),
    {0},
};

const cli_verb_t efuse_burn_verb = {
    .name = "efuse burn",
    .line = "burn one eFuse of a virtual device, for good",
    .about =
        "Burns one eFuse: NAME and VALUE as in FLASH.efuse (docs/FORMATS.md section 11); @FILE stands for "
        "a file's bytes, such as a key's. It refuses "
        "what a chip would: a bit "
        "that goes back to 0, a key block that is written, a digest whose place is revoked, a version "
        "that the chip "
        "cannot count to. What cannot be undone is asked for first, on a terminal.\n\n"
        "NAME is one of chip, revision, blk_revision, sector_size, write_unit, write_once, secure_version, "
        "secure_boot_en, secure_boot_scheme, secure_boot_digest0 to 2, secure_boot_key_revoke0 to 2, "
        "secure_boot_aggressive_revoke, secure_boot_sha384_en, secure_boot_v1_key, spi_boot_crypt_cnt, "
        "key_purpose_0 to 5, block_key0 to 5.\n",
    .after = "example: otter efuse burn flash.bin secure_version 3\n"
             "         otter efuse burn flash.bin secure_boot_digest1 $(otter key digest new.pub.pem)\n"
             "         otter efuse burn flash.bin secure_boot_key_revoke0 1\n"
             "         otter efuse burn flash.bin block_key1 @hmac.key\n",
    .options = burn_rows,
    .size = sizeof(efuse_options_t),
    .defaults = DEFAULTS,
    .run = burn,
};

static const option_row_t import_rows[] = {
    {"FLASH", &option_argument, AT(flash), .help = NULL},
    {"FILE", &option_argument, AT(input), .help = NULL},
    OPTION_CHIP(AT(device), "the chip that FILE is of; default: the one that it names, or that FLASH is of"),
    OPTION_REVISIONS(AT(device), "what FILE says"),
    OPTION_EFUSE(AT(device)),
    OPTION_WAIT(AT(device)),
    {"replace", &option_switch, AT(replace),
     .help = "forget what FLASH.efuse says, where it says other things"},
    {0},
};

const cli_verb_t efuse_import_verb = {
    .name = "efuse import",
    .line = "take over the eFuses of a real chip, from what espefuse tells of them",
    .about = "Makes FLASH.efuse from FILE, so that the dump of a chip boots and updates as that chip would. "
             "FILE is what espefuse "
             "has written: `espefuse summary`, as text or with --format json; or `espefuse dump`, from the "
             "console or from "
             "--file-name, split or joint (of split files the name that espefuse was given). All of it is "
             "taken or nothing; "
             "what was not understood is told, line by line, as are keys that cannot be read.\n",
    .after = "example: espefuse --port /dev/ttyUSB0 summary --format json > chip.json\n"
             "         otter efuse import dump.bin chip.json\n",
    .options = import_rows,
    .size = sizeof(efuse_options_t),
    .defaults = DEFAULTS,
    .run = import,
};
