/* otter flash new: a flash file from a partition table and images; it appears under its name only when all is in it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clean_text.h"
#include "cli.h"
#include "esp_log.h"
#include "otter/partition_table.h"
#include "flash_verbs.h"
#include "otter/image_kind.h"
#include "linux/efuse_file.h"
#include "linux/file_flash.h"
#include "linux/flash_medium.h"
#include "otter/crypto.h"
#include "otter/promise.h"
#include "signing_options.h"
#include "small_bootloader.h"

#define CHIP_C2       0x000Cu /* esp_chip_id_t of the ESP32-C2 */
#define VERB          "flash"
#define APPS_MAX      OTTER_PARTITIONS_MAX
#define NO_BOOTLOADER "none" /* as --bootloader's value */

/** One --app, and what becomes of it. */
#define TABLE_OFFSET 0x8000u /* where none is given */

typedef struct {
    char *label; /* owned */
    const char *path;
    const otter_partition_entry_t *entry;
    uint8_t *data; /* owned */
    size_t len;
} app_t;

typedef struct {
    const char *flash, *table, *bootloader;
    uint64_t size, sector_size, write_unit; /* 0: not given */
    bool write_once;
    linux_device_options_t device;
    table_options_t rules; /* of the table: where a recovery bootloader is */
    bool force, overwrite;
    key_names_t trusted;
    bool flash_encryption, at_first_boot;
    flash_key_t flash_key; /* its key; no bytes: there is none */
    bool secure_boot, secure_boot_v1;
    bool is_device; /* FLASH is a block device: it is written in place */
    app_t apps[APPS_MAX];
    size_t app_count;
    image_writer_t boot_image; /* of --bootloader, or made here; no bytes: there is none */

    uint8_t raw[OTTER_PARTITION_TABLE_LEN];
    otter_partition_table_t entries;
    efuse_file_t efuse;
} new_t;

static void free_new(void *options)
{
    new_t *n = options;
    for (size_t i = 0; i < n->app_count; i++) {
        free(n->apps[i].label);
        free(n->apps[i].data);
    }
    image_writer_free(&n->boot_image);
    flash_key_wipe(&n->flash_key);
    otter_wipe(n->efuse.blocks, sizeof(n->efuse.blocks));
}

static bool take_app(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row;
    new_t *n = target;
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text || equals[1] == '\0') {
        return false;
    }
    if (n->app_count == APPS_MAX) {
        snprintf(why, OPTIONS_WHY_SIZE, "is given more often than a table has partitions");
        return false;
    }
    app_t *app = &n->apps[n->app_count++];
    app->label = strndup(text, (size_t)(equals - text));
    app->path = equals + 1;
    snprintf(why, OPTIONS_WHY_SIZE, "takes more memory than there is");
    return app->label != NULL;
}

/* ---- checks, before anything is made ---- */

/** Nothing of this name may be there. What is an ordinary file can be removed; a device has that name for good. */
static bool check_name(const new_t *n)
{
    struct stat st;
    if (lstat(n->flash, &st) != 0) {
        return true; /* what is wrong with the folder shows when the file is made */
    }
    const char *is = S_ISDIR(st.st_mode)   ? "is a folder: name the file that is to be in it"
                     : S_ISLNK(st.st_mode) ? "is a link already; name another file, or remove the link"
                     : S_ISREG(st.st_mode) ? "is there already; remove it first"
                                           : "is a device or pipe, and a flash file is an ordinary "
                                             "file or a block device: name another";
    return cli_refuse(VERB, "%s %s", n->flash, is);
}

/** A block device has its size, and something in it that is lost. */
static bool check_device(new_t *n)
{
    int fd = -1;
    otter_fault_t fault;
    flash_medium_t medium = {0};
    if (flash_medium_open(n->flash, FLASH_MEDIUM_READ, 0, &fd, &fault) != ESP_OK) {
        return cli_refuse(VERB, "%s: %s", n->flash, fault.why);
    }
    bool ok = flash_medium_measure(fd, false, &medium, &fault) == ESP_OK ||
              cli_refuse(VERB, "%s: %s", n->flash, fault.why);
    close(fd);
    if (ok && n->size != 0 && n->size != medium.size) {
        ok = cli_refuse(VERB, "%s has %" PRIu32 " bytes, and that is the size of its flash: leave --size out",
                        n->flash, medium.size);
    }
    n->size = medium.size;
    return ok &&
           (n->overwrite || cli_refuse(VERB,
                                       "%s is a block device of %" PRIu32
                                       " MiB: --overwrite makes the flash in it, and what it holds is lost",
                                       n->flash, medium.size >> 20));
}

static bool check_size(new_t *n)
{
    n->is_device = flash_medium_is_device(n->flash);
    if (n->is_device && !check_device(n)) {
        return false;
    }
    if (n->size > OTTER_FLASH_SIZE_MAX || n->size % FILE_FLASH_SECTOR != 0) {
        return cli_refuse(VERB, "a flash has at most 2GB, in sectors of 4096 bytes, not %" PRIu64 " bytes",
                          n->size);
    }
    if (n->size < (uint64_t)n->device.table_offset + OTTER_PARTITION_TABLE_SECTOR) {
        return cli_refuse(VERB, "a flash of %" PRIu64 " bytes has no room for a table at 0x%" PRIx32, n->size,
                          n->device.table_offset);
    }
    return n->is_device || check_name(n);
}

/** Where the chip looks for its bootloader. */
static uint32_t bootloader_place(const new_t *n)
{
    const otter_chip_facts_t *chip = otter_chip_facts(n->efuse.chip.id);
    return chip != NULL ? chip->bootloader_offset : 0;
}

/** The chip is known: it says where a bootloader of the table lies. */
static bool load_table(new_t *n)
{
    table_why_t why;
    char clean[CLEAN_TEXT_SIZE(sizeof(why.text))];
    uint32_t place = n->efuse.has_chip ? bootloader_place(n) : UINT32_MAX;
    table_options_t rules = n->rules;
    rules.table_offset = n->device.table_offset;
    rules.sector_size = n->efuse.geometry.sector_size;
    rules.has_primary = place < n->device.table_offset;
    rules.primary_offset = rules.has_primary ? place : 0;
    return flash_load_table(n->table, &rules, (uint32_t)n->size, n->raw, &n->entries, &why) ||
           cli_refuse(VERB, "%s: %s", n->table, clean_text(clean, why.text, sizeof(why.text)));
}

static bool find_entry(const new_t *n, app_t *app)
{
    char labels[FLASH_LABELS_SIZE] = "";
    for (uint32_t i = 0; i < n->entries.count; i++) {
        const otter_partition_entry_t *entry = &n->entries.entries[i];
        if (entry->type == ESP_PARTITION_TYPE_APP && strcmp(entry->label, app->label) == 0) {
            app->entry = entry;
            return true;
        }
        if (entry->type == ESP_PARTITION_TYPE_APP) {
            flash_add_label(labels, sizeof(labels), entry->label);
        }
    }
    return cli_refuse(VERB, "%s has no app partition '%s'; it has %s", n->table, app->label,
                      labels[0] != '\0' ? labels : "no app partition");
}

static bool load_apps(new_t *n)
{
    bool ok = true;
    for (size_t i = 0; ok && i < n->app_count; i++) {
        app_t *app = &n->apps[i];
        app->data = cli_read_file(VERB, app->path, OTTER_FLASH_SIZE_MAX, &app->len);
        ok = app->data != NULL;
    }
    return ok;
}

static bool place_apps(new_t *n)
{
    bool ok = true;
    for (size_t i = 0; ok && i < n->app_count; i++) {
        ok = find_entry(n, &n->apps[i]);
    }
    return ok;
}

/** The file that --bootloader names. */
static bool load_bootloader(new_t *n)
{
    if (n->bootloader == NULL || strcmp(n->bootloader, NO_BOOTLOADER) == 0) {
        return true;
    }
    n->boot_image.bytes = cli_read_file(VERB, n->bootloader, OTTER_FLASH_SIZE_MAX, &n->boot_image.len);
    return n->boot_image.bytes != NULL;
}

static bool has_geometry(const new_t *n)
{
    const file_flash_geometry_t *geometry = &n->efuse.geometry;
    return geometry->sector_size != 0 || geometry->write_unit != 0 || geometry->write_once;
}

/** Which chip this is to be: of the options, else of the eFuse file, else of the first image. */
static bool choose_chip(new_t *n)
{
    otter_fault_t fault;
    const char *named = n->device.efuse_path;
    esp_err_t err = n->is_device || named != NULL
                        ? efuse_file_load_named(&n->efuse, named != NULL ? named : "", &fault)
                        : efuse_file_load(&n->efuse, n->flash, &fault);
    if (err != ESP_OK) {
        return cli_refuse(VERB, "%s: %s", n->flash, fault.why);
    }
    uint16_t id;
    if (n->device.chip != NULL) {
        n->efuse.chip.id = n->device.chip->id;
        n->efuse.has_chip = true;
    } else if (!n->efuse.has_chip &&
               (flash_image_chip(n->boot_image.bytes, n->boot_image.len, &id) ||
                (n->app_count > 0 && flash_image_chip(n->apps[0].data, n->apps[0].len, &id)))) {
        n->efuse.chip.id = id;
        n->efuse.has_chip = true;
    }
    if (n->device.has_revision) {
        n->efuse.chip.revision = n->device.revision;
        n->efuse.has_revision = true;
    }
    if (n->device.has_blk_revision) {
        n->efuse.chip.blk_revision = n->device.blk_revision;
        n->efuse.has_blk_revision = true;
    }
    return true;
}

/** How the flash erases and programs: of the options, else of the eFuse file. What no flash is like is refused. */
static bool choose_geometry(new_t *n)
{
    file_flash_geometry_t *geometry = &n->efuse.geometry;
    const otter_chip_facts_t *chip = otter_chip_facts(n->efuse.chip.id);
    otter_fault_t fault;
    geometry->sector_size = n->sector_size != 0 ? (uint32_t)n->sector_size : geometry->sector_size;
    geometry->write_unit = n->write_unit != 0 ? (uint32_t)n->write_unit : geometry->write_unit;
    geometry->write_once = geometry->write_once || n->write_once;
    if (!has_geometry(n)) {
        return true;
    }
    if (file_flash_check(geometry, (uint32_t)n->size, &fault) != ESP_OK) {
        return cli_refuse(VERB, "%s", fault.why);
    }
    if (chip != NULL && otter_chip_is_espressif(chip->id)) {
        return cli_refuse(VERB,
                          "%s has SPI NOR flash, which erases 4096 bytes and writes single ones: "
                          "--sector-size, --write-unit and --write-once are for other chips",
                          chip->title);
    }
    return !n->is_device ||
           cli_refuse(VERB,
                      "%s is a block device, which is written in sectors of 4096 bytes: --sector-size, "
                      "--write-unit and --write-once are for flash files",
                      n->flash);
}

/** Of a revision that nobody gave the bootloader knows the least; the virtual device's are 0. */
static otter_chip_t judging_chip(const new_t *n)
{
    otter_chip_t chip = n->efuse.chip;
    bool virtual = !otter_chip_is_espressif(chip.id);
    chip.revision_unknown = !virtual && !n->efuse.has_revision;
    chip.blk_revision_unknown = !virtual && !n->efuse.has_blk_revision;
    esp_image_header_t header;
    if (chip.revision_unknown && n->boot_image.len >= OTTER_IMAGE_HEADER_SIZE) {
        otter_image_decode_header(n->boot_image.bytes, &header);
        chip.revision = header.min_chip_rev_full;
    }
    return chip;
}

static bool has_burned_keys(const efuse_file_t *efuse)
{
    bool has = efuse->has_v1_key;
    for (uint32_t i = 0; i < OTTER_TRUSTED_KEYS; i++) {
        has = has || efuse->keys[i].present || efuse->keys[i].revoked;
    }
    return has;
}

/** What the eFuses of a device with secure boot hold. */
static bool choose_secure_boot(new_t *n)
{
    const bool v1 = n->secure_boot_v1;
    otter_trust_config_t trust;
    const otter_chip_facts_t *chip = otter_chip_facts(n->efuse.chip.id);
    if (!n->secure_boot && !v1) {
        return n->trusted.count == 0 || cli_refuse(VERB, "--trust needs --secure-boot, or --secure-boot-v1");
    }
    if (n->efuse.path[0] == '\0') {
        return cli_refuse(
            VERB, "a block device has no eFuses beside it: --efuse FILE names where secure boot is to stand");
    }
    if (n->efuse.secure_boot || has_burned_keys(&n->efuse)) {
        return cli_refuse(VERB, "%s has %s already; what is burned stays", n->efuse.path,
                          n->efuse.secure_boot ? "secure boot" : "keys of secure boot");
    }
    if (n->trusted.count == 0) {
        return cli_refuse(VERB, "secure boot needs --trust KEY: a device that trusts nobody takes no image");
    }
    if (!trust_named_keys(VERB, &n->trusted, v1, n->efuse.v1_key, &trust)) {
        return false;
    }
    if (chip != NULL && !otter_chip_verifies(chip, trust.scheme)) {
        return cli_refuse(VERB, "%s does not verify %s", chip->title,
                          otter_signature_scheme_name(trust.scheme));
    }
    if (chip != NULL && n->trusted.count > 1 && chip->signature_blocks == 1) {
        return cli_refuse(VERB, "%s has eFuses for one key", chip->title);
    }
    n->efuse.secure_boot = true;
    n->efuse.scheme = trust.scheme;
    n->efuse.has_v1_key = v1;
    for (uint32_t i = 0; !v1 && i < trust.key_count; i++) {
        n->efuse.keys[i].present = true;
        memcpy(n->efuse.keys[i].digest, trust.keys[i], OTTER_KEY_DIGEST_LEN);
    }
    return true;
}

/** The eFuses of a device with flash encryption: the key, which is a new one if none is given, and that it is on. */
static bool choose_flash_encryption(new_t *n)
{
    otter_fault_t fault;
    if (!n->flash_encryption) {
        return (n->device.flash_key == NULL && !n->at_first_boot && !n->device.release) ||
               cli_refuse(VERB, "%s needs --flash-encryption",
                          n->at_first_boot    ? "--at-first-boot"
                          : n->device.release ? "--release-mode"
                                              : "--flash-key");
    }
    if (n->at_first_boot && n->device.release) {
        return cli_refuse(VERB, "with --at-first-boot that boot burns the bits: `otter run --release-mode`");
    }
    if (n->efuse.path[0] == '\0') {
        return cli_refuse(
            VERB, "a block device has no eFuses beside it: --efuse FILE names where its key is to stand");
    }
    if (n->efuse.crypt_count != 0) {
        return cli_refuse(VERB, "%s has flash encryption already; what is burned stays", n->efuse.path);
    }
    if (n->device.flash_key != NULL && flash_key_load(n->device.flash_key, &n->flash_key, &fault) != ESP_OK) {
        return cli_refuse(VERB, "%s", fault.why);
    }
    /* An ESP32-C2 has one block for both keys. */
    const bool halves = n->efuse.chip.id == CHIP_C2 && (n->efuse.secure_boot || n->efuse.keys[0].present);
    if (n->device.flash_key == NULL) {
        n->flash_key.len = halves ? 16 : 32;
        if (getrandom(n->flash_key.bytes, n->flash_key.len, 0) != (ssize_t)n->flash_key.len) {
            return cli_refuse(VERB, "no random bytes: %s", strerror(errno));
        }
    }
    n->flash_key.config = flash_key_config(&n->efuse);
    if (otter_flash_cipher_for(n->efuse.chip.id, n->flash_key.len) == OTTER_FLASH_CIPHER_NONE) {
        const otter_chip_facts_t *chip = otter_chip_facts(n->efuse.chip.id);
        return cli_refuse(VERB, "%s has %zu bytes, and %s has no key of flash encryption of that length",
                          n->device.flash_key, n->flash_key.len, chip != NULL ? chip->title : "this chip");
    }
    if (halves && n->flash_key.len != 16) {
        return cli_refuse(VERB, "%s has %zu bytes: beside secure boot an ESP32-C2 has room for a key of 16",
                          n->device.flash_key, n->flash_key.len);
    }
    n->efuse.crypt_count = n->at_first_boot ? 0 : n->device.release ? flash_key_final_count(&n->efuse) : 1;
    return flash_key_to_efuses(&n->flash_key, &n->efuse) ||
           cli_refuse(VERB, "%s has no free key block for flash encryption", n->efuse.path);
}

/** Of the device that is made. */
static otter_trust_t trust_of(const new_t *n)
{
    efuse_file_t efuse = n->efuse; /* which is read here, and nothing is burned */
    otter_wipe(efuse.blocks, sizeof(efuse.blocks));
    const otter_device_t device = {
        .chip = efuse.chip, .efuse = efuse_file_seam(&efuse), .config.trust = linux_device_trust(&n->efuse)};
    return otter_trust_to_boot(&device, false);
}

/** Judged as the bootloader will judge. */
static bool check_app(const new_t *n, const app_t *app)
{
    otter_chip_t chip = judging_chip(n);
    otter_image_stream_t s = {0};
    char judge[FLASH_JUDGE_SIZE];
    const otter_trust_t trust = trust_of(n);
    bool ok = n->force ||
              flash_judge_image(&s, app->data, app->len, &chip, &trust, app->entry->offset) == ESP_OK ||
              cli_refuse(VERB, "%s: %s%s; --force takes it all the same", app->path, s.fault.why,
                         flash_name_judge(&n->device, &n->efuse, s.fault.why, judge, sizeof(judge)));
    otter_image_stream_end(&s);
    /* What it is comes first: a factory file is large because it is none of this partition's. */
    if (ok && app->len > app->entry->size) {
        ok = cli_refuse(VERB, "%s has %zu bytes, and %s holds %" PRIu32, app->path, app->len, app->label,
                        app->entry->size);
    }
    return ok;
}

static bool check_apps(const new_t *n)
{
    bool ok = true;
    for (size_t i = 0; ok && i < n->app_count; i++) {
        ok = check_app(n, &n->apps[i]);
    }
    return ok;
}

/** A bootloader that the chip's ROM would start, and that ends before the table. */
static bool check_bootloader(const new_t *n)
{
    const image_writer_t *image = &n->boot_image;
    const uint32_t place = bootloader_place(n);
    otter_chip_t chip = judging_chip(n);
    const bool rom = otter_chip_is_espressif(chip.id) && n->efuse.scheme != OTTER_SIGNED_V1;
    const otter_image_rules_t rules = {.chip = &chip,
                                       .size = (uint32_t)image->len,
                                       .bootloader = true,
                                       .trust = rom ? trust_of(n) : (otter_trust_t){0}};
    otter_image_stream_t s = {0};
    otter_ignore(otter_image_stream_begin(&s, &rules)); /* the stream keeps what is wrong */
    otter_image_stream_feed(&s, image->bytes, image->len);
    bool ok = n->force || otter_image_stream_close(&s) == ESP_OK ||
              cli_refuse(VERB, "%s: %s; --force takes it all the same", n->bootloader, s.fault.why);
    if (ok && !n->force && otter_image_kind(&s.info) == OTTER_IMAGE_KIND_APP) {
        ok = cli_refuse(
            VERB, "%s: this is an app image, not a bootloader; --app LABEL=IMAGE puts it in a partition",
            n->bootloader);
    }
    if (ok && (place >= n->device.table_offset || image->len > n->device.table_offset - place)) {
        ok = cli_refuse(VERB,
                        "%s has %zu bytes, and between 0x%" PRIx32 " and the table at 0x%" PRIx32
                        " it does not fit",
                        n->bootloader, image->len, place, n->device.table_offset);
    }
    otter_image_stream_end(&s);
    return ok;
}

/** What was given is judged; a device without a chip's gets a small one of ours where there is room. */
static bool prepare_bootloader(new_t *n)
{
    const uint32_t place = bootloader_place(n);
    if (n->boot_image.bytes != NULL) {
        return check_bootloader(n);
    }
    if (n->bootloader != NULL || !n->efuse.has_chip || otter_chip_is_espressif(n->efuse.chip.id)) {
        return true;
    }
    if (!small_bootloader_make(&n->boot_image, n->efuse.chip.id)) {
        return cli_refuse(VERB, "out of memory");
    }
    if (place >= n->device.table_offset || n->boot_image.len > n->device.table_offset - place) {
        image_writer_free(&n->boot_image);
    }
    return true;
}

/* ---- making ---- */

/** What it is made of is encrypted now, not by its first boot. */
static bool is_made_encrypted(const new_t *n)
{
    return n->flash_encryption && !n->at_first_boot;
}

/** Records that read as blank through the cipher: a first boot encrypts what is erased there, too. */
static esp_err_t put_blank_otadata(const new_t *n, otter_flash_t *flash)
{
    uint8_t sector[FILE_FLASH_SECTOR];
    esp_err_t err = ESP_OK;
    memset(sector, 0xFF, sizeof(sector));
    for (uint32_t i = 0; i < n->entries.count; i++) {
        const otter_partition_entry_t *entry = &n->entries.entries[i];
        const bool otadata =
            entry->type == ESP_PARTITION_TYPE_DATA && entry->subtype == ESP_PARTITION_SUBTYPE_DATA_OTA;
        for (uint32_t at = 0; otadata && at < entry->size && err == ESP_OK; at += FILE_FLASH_SECTOR) {
            err = otter_flash_program(flash, entry->offset + at, sector, sizeof(sector));
        }
    }
    return err;
}

static esp_err_t put_images(const new_t *n, otter_flash_t *flash)
{
    if (n->is_device) {
        esp_err_t err = otter_flash_erase(flash, 0, flash->size);
        err = err == ESP_OK ? otter_flash_sync(flash) : err;
        if (err != ESP_OK) {
            return err;
        }
    }
    if (n->boot_image.bytes != NULL) {
        esp_err_t err = flash_put(flash, bootloader_place(n), n->boot_image.bytes, n->boot_image.len);
        if (err != ESP_OK) {
            return err;
        }
    }
    esp_err_t blank = is_made_encrypted(n) ? put_blank_otadata(n, flash) : ESP_OK;
    if (blank != ESP_OK) {
        return blank;
    }
    for (size_t i = 0; i < n->app_count; i++) {
        esp_err_t err = flash_put(flash, n->apps[i].entry->offset, n->apps[i].data, n->apps[i].len);
        if (err != ESP_OK) {
            return err;
        }
    }
    return otter_flash_sync(flash);
}

/**
 * Table and images into the flash, all synced when it returns true. The table comes last: without it a device that was
 * interrupted here is no flash, and not a half one.
 */
static bool fill_flash(const new_t *n, const char *path)
{
    otter_flash_t *flash;
    otter_fault_t fault;
    const file_flash_options_t how = {.strict = true};
    if (file_flash_open(path, &how, &flash, &fault) != ESP_OK) {
        return cli_refuse(VERB, "%s: %s", n->flash, fault.why);
    }
    flash_cipher_t cipher = {0};
    esp_err_t err = file_flash_shape(flash, &n->efuse.geometry, &fault);
    if (err == ESP_OK && is_made_encrypted(n)) {
        err = flash_cipher_open(&cipher, flash, &n->flash_key,
                                otter_flash_cipher_for(n->efuse.chip.id, n->flash_key.len), &fault);
    }
    err = err == ESP_OK ? put_images(n, flash) : err;
    if (err == ESP_OK) {
        uint8_t sector[OTTER_PARTITION_TABLE_SECTOR]; /* all of it, which a first boot encrypts */
        memset(sector, 0xFF, sizeof(sector));
        memcpy(sector, n->raw, sizeof(n->raw));
        err = flash_put(flash, n->device.table_offset, sector,
                        is_made_encrypted(n) ? sizeof(sector) : sizeof(n->raw));
    }
    err = err == ESP_OK ? otter_flash_sync(flash) : err;
    flash_explain(flash, err, &fault);
    flash_cipher_close(&cipher, flash);
    otter_ignore(file_flash_close(flash)); /* synced above */
    return err == ESP_OK || cli_refuse(VERB, "cannot write %s: %s", n->flash, fault.why);
}

/** What is not in flash. Says why not. */
static bool save_efuse(const new_t *n)
{
    bool save =
        n->efuse.path[0] != '\0' && (n->efuse.secure_boot || n->flash_encryption || n->efuse.has_chip ||
                                     n->efuse.has_revision || n->efuse.has_blk_revision || has_geometry(n));
    return !save || efuse_file_save(&n->efuse) == ESP_OK ||
           cli_refuse(VERB, "cannot write %s", n->efuse.path);
}

/** Of a device that was not made. @return false */
static bool drop_efuse(const new_t *n)
{
    if (!n->efuse.exists && n->efuse.path[0] != '\0') {
        unlink(n->efuse.path);
    }
    return false;
}

/** The file gets its name last; a file that came there meanwhile is not overwritten. */
static bool publish(const new_t *n, const char *temp)
{
    if (!save_efuse(n)) {
        return false;
    }
    if (link(temp, n->flash) == 0) {
        unlink(temp);
        return true;
    }
    /* EPERM and friends: a file system without hard links. */
    if (errno != EEXIST && rename(temp, n->flash) == 0) {
        return true;
    }
    cli_fail(VERB, "cannot make %s: %s", n->flash, strerror(errno));
    return drop_efuse(n);
}

static bool make_flash(const new_t *n)
{
    char *temp = NULL;
    otter_fault_t fault;
    if (n->is_device) { /* eFuses first, as there: with the table it can boot */
        return save_efuse(n) && (fill_flash(n, n->flash) || drop_efuse(n));
    }
    if (asprintf(&temp, "%s.new-%ld", n->flash, (long)getpid()) < 0) {
        return cli_refuse(VERB, "out of memory");
    }
    bool ok = file_flash_create(temp, (uint32_t)n->size, &fault) == ESP_OK ||
              cli_refuse(VERB, "%s: %s", n->flash, fault.why);
    ok = ok && fill_flash(n, temp) && publish(n, temp);
    if (!ok) {
        unlink(temp);
    }
    free(temp);
    return ok;
}

/** What is in the new file, and what it boots. */
static void tell(const new_t *n)
{
    const otter_chip_facts_t *chip = n->efuse.has_chip ? otter_chip_facts(n->efuse.chip.id) : NULL;
    char size[32];
    table_format_size((int64_t)n->size, size);
    cli_did("%s: %sB of flash%s%s made, with %" PRIu32 " partitions and %zu app%s", n->flash, size,
            chip != NULL ? " for " : "", chip != NULL ? chip->name : "", n->entries.count, n->app_count,
            n->app_count == 1 ? "" : "s");
    linux_device_options_t device = n->device;
    device.flash_key = n->at_first_boot ? NULL : device.flash_key; /* which decrypts nothing yet */
    flash_tell_next(n->flash, &device);
}

static int flash_new(void *options)
{
    new_t *n = options;
    if (n->size == 0 && !flash_medium_is_device(n->flash)) {
        return cli_usage("flash new", "--size is needed: that of the chip's flash, as 4MB");
    }
    n->device.table_offset = n->device.table_offset != 0 ? n->device.table_offset : TABLE_OFFSET;
    esp_log_level_set("*", ESP_LOG_NONE); /* this command says it once, in its own words */
    bool ok = check_size(n) && load_apps(n) && load_bootloader(n) && choose_chip(n) && choose_geometry(n) &&
              choose_secure_boot(n) && choose_flash_encryption(n) && load_table(n) && place_apps(n) &&
              prepare_bootloader(n) && check_apps(n) && make_flash(n);
    if (ok) {
        tell(n);
    }
    return ok ? EXIT_DONE : EXIT_FAILED;
}

static const option_kind_t kind_app = {"LABEL=IMAGE", "LABEL=IMAGE", take_app, NULL, NULL};

static const option_row_t rows[] = {
    {"FLASH", &option_argument, offsetof(new_t, flash), .help = NULL},
    {"size", &option_size, offsetof(new_t, size), .help = "of the flash, as 4MB; a block device has its own",
     .value = "SIZE", .min = 1, .max = UINT64_MAX},
    {"table", &option_file, offsetof(new_t, table),
     .help = "the partition table: CSV, binary, or that of another flash file", .needed = true},
    {"app", &kind_app, 0, .help = "an image, and the partition that it goes to; may be given several times"},
    OPTION_CHIP(offsetof(new_t, device), "the kind of chip; default: that of the first image"),
    OPTION_REVISIONS(offsetof(new_t, device), "FLASH.efuse, else any"),
    OPTION_EFUSE(offsetof(new_t, device)),
    {"bootloader", &option_file, offsetof(new_t, bootloader),
     .help = "goes to the chip's place for it; default: none, but for linux a small image that stands for "
             "`otter run` and "
             "gives programs a hash to show. none: nothing there"},
    {"flash-encryption", &option_switch, offsetof(new_t, flash_encryption),
     .help = "its flash is encrypted, as after a first boot of a chip with flash encryption: the eFuse file "
             "holds the key"},
    {"at-first-boot", &option_switch, offsetof(new_t, at_first_boot),
     .help = "with --flash-encryption: the flash is plain, the eFuse file holds the key, and the first boot "
             "encrypts in place, as a chip's"},
    {"flash-key", &option_file, AT_DEVICE(offsetof(new_t, device), flash_key),
     .help =
         "the key: 32 bytes, of some chips 64, of an ESP32 also 24, of an ESP32-C2 16; default: a new one, "
         "which nobody else knows"},
    {"release-mode", &option_switch, AT_DEVICE(offsetof(new_t, device), release),
     .help = "with --flash-encryption: all bits of spi_boot_crypt_cnt are burned, and it stays on for good"},
    OPTION_TABLE(&kind_sector, offsetof(new_t, device), "where the table goes (default 0x8000)"),
    {"sector-size", &option_size, offsetof(new_t, sector_size),
     .help = "bytes that the flash erases at once, 4K to 128K, for one that is no SPI NOR (default 4K); it "
             "is kept "
             "in FLASH.efuse, "
             "as the next two are, and all verbs keep to it",
     .value = "SIZE", .min = 1, .max = OTTER_FLASH_SIZE_MAX},
    {"write-unit", &option_size, offsetof(new_t, write_unit),
     .help = "bytes that it programs at once, 1 to 256 (default 1)", .value = "SIZE", .min = 1,
     .max = OTTER_FLASH_SIZE_MAX},
    {"write-once", &option_switch, offsetof(new_t, write_once),
     .help = "a unit can be programmed only once after it was erased, as each has an error correcting code"},
    OPTION_RECOVERY(offsetof(new_t, rules)),
    {"secure-boot", &option_switch, offsetof(new_t, secure_boot),
     .help = "its eFuses say that images must be signed (Secure Boot V2) by a key of --trust"},
    {"secure-boot-v1", &option_switch, offsetof(new_t, secure_boot_v1),
     .help = "the same by ESP32's first scheme"},
    {"trust", &kind_keys, offsetof(new_t, trusted),
     .help = "a public key, PEM or DER; up to three, each with its own --trust"},
    {"extra-partition-subtypes", &kind_subtype, 0, .help = SUBTYPES_OF_PROJECT},
    {"overwrite", &option_switch, offsetof(new_t, overwrite),
     .help = "make the flash in a block device, whatever that holds; all of it is erased"},
    {"force", &option_switch, offsetof(new_t, force),
     .help = "take images that the chip would not boot, too"},
    {0},
};

const cli_verb_t flash_new_verb = {
    .name = "flash new",
    .line = "make a flash file from a partition table and images",
    .about =
        "Makes a new flash file: erased, with a partition table (CSV or binary) and app images in their "
        "partitions. An image "
        "must fit its partition and be one that the chip would boot. What a chip keeps in eFuses goes "
        "to FLASH.efuse; if "
        "that file is there already, it stands for the chip and stays. FLASH may be a block device of at "
        "most 2 GiB, such as a partition of an eMMC.\n",
    .after =
        "example: otter flash new flash.bin --size 4MB --table parts.csv --app factory=app.bin\n"
        "         otter flash new secure.bin --size 4MB --table parts.csv --app factory=app.signed.bin \\\n"
        "             --secure-boot --trust signing.pub.pem\n"
        "         otter flash new h7.bin --size 2MB --table h7.csv --app ota_0=app.bin \\\n"
        "             --sector-size 128K --write-unit 32 --write-once\n"
        "\n"
        "h7.csv has whole sectors alone, of which otadata has two: \"otadata, data, ota, , 256K\".\n",
    .options = rows,
    .size = sizeof(new_t),
    .run = flash_new,
    .end = free_new,
};
