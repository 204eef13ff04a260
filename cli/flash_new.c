/* otter flash new: a flash file from a partition table and images; it appears under its name only when all is in it. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clean_text.h"
#include "cli.h"
#include "flash/partition_table.h"
#include "flash_verbs.h"
#include "host/number.h"
#include "image/kind.h"
#include "image_options.h"
#include "linux/efuse_file.h"
#include "linux/file_flash.h"
#include "small_bootloader.h"

#define VERB          "flash"
#define APPS_MAX      PARTITION_ENTRIES_MAX
#define NO_BOOTLOADER "none" /* as --bootloader's value */

/** One --app, and what becomes of it. */
typedef struct {
    char *label; /* owned */
    const char *path;
    const partition_entry_t *entry;
    uint8_t *data; /* owned */
    size_t len;
} app_t;

typedef struct {
    const char *flash, *table, *bootloader;
    uint64_t size;
    uint32_t table_offset;
    const otter_chip_facts_t *chip;
    bool has_revision, force;
    uint16_t revision;
    app_t apps[APPS_MAX];
    size_t app_count;
    image_writer_t boot_image; /* of --bootloader, or made here; no bytes: there is none */

    uint8_t raw[PARTITION_TABLE_LEN];
    partition_table_t entries;
    efuse_file_t efuse;
} new_t;

static void free_new(new_t *n)
{
    for (size_t i = 0; i < n->app_count; i++) {
        free(n->apps[i].label);
        free(n->apps[i].data);
    }
    image_writer_free(&n->boot_image);
    free(n);
}

/* ---- arguments ---- */

static int add_app(new_t *n, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text || equals[1] == '\0') {
        return cli_usage(VERB, "--app wants LABEL=IMAGE, not '%s'", text);
    }
    if (n->app_count == APPS_MAX) {
        return cli_usage(VERB, "more --app than a table has partitions");
    }
    app_t *app = &n->apps[n->app_count++];
    app->label = strndup(text, (size_t)(equals - text));
    app->path = equals + 1;
    return app->label != NULL ? EXIT_DONE : cli_fail(VERB, "out of memory");
}

static int take_option(new_t *n, int c)
{
    switch (c) {
    case 's':
        return number_parse_size(optarg, 1, UINT64_MAX, &n->size)
                   ? EXIT_DONE
                   : cli_usage(VERB, "'%s' is not a size, as 4MB", optarg);
    case 't':
        n->table = optarg;
        return EXIT_DONE;
    case 'a':
        return add_app(n, optarg);
    case 'c':
        n->chip = otter_chip_by_name(optarg);
        return n->chip != NULL ? EXIT_DONE : cli_usage(VERB, "'%s' is not a chip", optarg);
    case 'r':
        n->has_revision = true;
        return parse_revision(optarg, &n->revision)
                   ? EXIT_DONE
                   : cli_usage(VERB, "'%s' is not a chip revision, such as v3.1", optarg);
    case 'o':
        return cli_parse_offset(optarg, PARTITION_TABLE_SECTOR, &n->table_offset)
                   ? EXIT_DONE
                   : cli_usage(VERB, "'%s' is not the offset of a sector", optarg);
    case 'f':
        n->force = true;
        return EXIT_DONE;
    case 'b':
        n->bootloader = optarg;
        return EXIT_DONE;
    case 'e':
        return flash_take_subtype(optarg);
    default:
        return EXIT_USAGE;
    }
}

static int parse_arguments(int argc, char **argv, new_t *n)
{
    static const struct option options[] = {
        {"size", required_argument, NULL, 's'},
        {"table", required_argument, NULL, 't'},
        {"app", required_argument, NULL, 'a'},
        {"chip", required_argument, NULL, 'c'},
        {"chip-rev", required_argument, NULL, 'r'},
        {"table-offset", required_argument, NULL, 'o'},
        {"offset", required_argument, NULL, 'o'}, /* as this option was called */
        {"force", no_argument, NULL, 'f'},
        {"bootloader", required_argument, NULL, 'b'},
        {"extra-partition-subtypes", required_argument, NULL, 'e'},
        {0},
    };
    int c;
    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == '?') {
            return cli_usage(VERB, "new does not know %s, or it needs a value", argv[optind - 1]);
        }
        int status = take_option(n, c);
        if (status != EXIT_DONE) {
            return status;
        }
    }
    if (argc - optind != 1 || n->size == 0 || n->table == NULL) {
        return cli_usage(VERB, "new takes FLASH --size SIZE --table FILE");
    }
    n->flash = argv[optind];
    return EXIT_DONE;
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
                                           : "is a device or pipe, and a flash file is an ordinary file: "
                                             "name another";
    return cli_fail(VERB, "%s %s", n->flash, is) == EXIT_DONE;
}

static bool check_size(const new_t *n)
{
    if (n->size > OTTER_FLASH_SIZE_MAX || n->size % FILE_FLASH_SECTOR != 0) {
        return cli_fail(VERB, "a flash has at most 2GB, in sectors of 4096 bytes, not %" PRIu64 " bytes",
                        n->size) == EXIT_DONE;
    }
    if (n->size < (uint64_t)n->table_offset + PARTITION_TABLE_SECTOR) {
        return cli_fail(VERB, "a flash of %" PRIu64 " bytes has no room for a table at 0x%" PRIx32, n->size,
                        n->table_offset) == EXIT_DONE;
    }
    return check_name(n);
}

static bool load_table(new_t *n)
{
    table_why_t why;
    char clean[CLEAN_TEXT_SIZE(sizeof(why.text))];
    uint32_t place = n->chip != NULL ? n->chip->bootloader_offset : UINT32_MAX;
    const table_options_t rules = {.table_offset = n->table_offset,
                                   .has_primary = place < n->table_offset,
                                   .primary_offset = place < n->table_offset ? place : 0};
    return flash_load_table(n->table, &rules, (uint32_t)n->size, n->raw, &n->entries, &why) ||
           cli_fail(VERB, "%s: %s", n->table, clean_text(clean, why.text, sizeof(why.text))) == EXIT_DONE;
}

/** "factory, ota_0": the partitions an app can go to. */
static const char *list_app_labels(const new_t *n, char *buf, size_t buf_size)
{
    snprintf(buf, buf_size, "no app partition");
    for (uint32_t i = 0, used = 0; i < n->entries.count && used < buf_size; i++) {
        const partition_entry_t *entry = &n->entries.entries[i];
        char label[CLEAN_TEXT_SIZE(16)];
        if (entry->type == ESP_PARTITION_TYPE_APP) {
            used += (uint32_t)snprintf(buf + used, buf_size - used, "%s%s", used == 0 ? "" : ", ",
                                       clean_text(label, entry->label, 16));
        }
    }
    return buf;
}

static bool find_entry(const new_t *n, app_t *app)
{
    for (uint32_t i = 0; i < n->entries.count; i++) {
        const partition_entry_t *entry = &n->entries.entries[i];
        if (entry->type == ESP_PARTITION_TYPE_APP && strcmp(entry->label, app->label) == 0) {
            app->entry = entry;
            return true;
        }
    }
    char labels[FLASH_LABELS_SIZE];
    return cli_fail(VERB, "%s has no app partition '%s'; it has %s", n->table, app->label,
                    list_app_labels(n, labels, sizeof(labels))) == EXIT_DONE;
}

static bool load_apps(new_t *n)
{
    for (size_t i = 0; i < n->app_count; i++) {
        app_t *app = &n->apps[i];
        if (!find_entry(n, app)) {
            return false;
        }
        app->data = cli_read_file(VERB, app->path, OTTER_FLASH_SIZE_MAX, &app->len);
        if (app->data == NULL) {
            return false;
        }
    }
    return true;
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

/** Which chip this is to be: of the options, else of the eFuse file, else of the first image. */
static bool settle_chip(new_t *n)
{
    char why[256] = "";
    if (efuse_file_load(&n->efuse, n->flash, why, sizeof(why)) != ESP_OK) {
        return cli_fail(VERB, "%s: %s", n->flash, why) == EXIT_DONE;
    }
    uint16_t id;
    if (n->chip != NULL) {
        n->efuse.chip.id = n->chip->id;
        n->efuse.has_chip = true;
    } else if (!n->efuse.has_chip &&
               (flash_image_chip(n->boot_image.bytes, n->boot_image.len, &id) ||
                (n->app_count > 0 && flash_image_chip(n->apps[0].data, n->apps[0].len, &id)))) {
        n->efuse.chip.id = id;
        n->efuse.has_chip = true;
    }
    if (n->has_revision) {
        n->efuse.chip.revision = n->revision;
        n->efuse.has_revision = true;
    }
    return true;
}

/** Judged as the bootloader will judge; a revision that nobody gave fits every image. */
static bool check_app(const new_t *n, const app_t *app)
{
    otter_chip_t chip = n->efuse.has_revision ? n->efuse.chip : flash_any_revision(n->efuse.chip.id);
    image_stream_t s = {0};
    char judge[FLASH_JUDGE_SIZE];
    bool ok = n->force || flash_judge_image(&s, app->data, app->len, &chip, app->entry->offset) == ESP_OK ||
              cli_fail(VERB, "%s: %s%s; --force takes it all the same", app->path, s.why,
                       flash_name_judge(n->chip == NULL ? &n->efuse : NULL, s.why, judge, sizeof(judge))) ==
                  EXIT_DONE;
    image_stream_end(&s);
    /* What it is comes first: a factory file is large because it is none of this partition's. */
    if (ok && app->len > app->entry->size) {
        ok = cli_fail(VERB, "%s has %zu bytes, and %s holds %" PRIu32, app->path, app->len, app->label,
                      app->entry->size) == EXIT_DONE;
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

/** Where the chip looks for its bootloader. */
static uint32_t bootloader_place(const new_t *n)
{
    const otter_chip_facts_t *chip = otter_chip_facts(n->efuse.chip.id);
    return chip != NULL ? chip->bootloader_offset : 0;
}

/** A bootloader that the chip's ROM would start, and that ends before the table. */
static bool check_bootloader(const new_t *n)
{
    const image_writer_t *image = &n->boot_image;
    const uint32_t place = bootloader_place(n);
    otter_chip_t chip = n->efuse.has_revision ? n->efuse.chip : flash_any_revision(n->efuse.chip.id);
    const image_rules_t rules = {.chip = &chip, .size = (uint32_t)image->len, .bootloader = true};
    image_stream_t s = {0};
    (void)image_stream_begin(&s, &rules); /* the stream keeps what is wrong */
    image_stream_feed(&s, image->bytes, image->len);
    bool ok = n->force || image_stream_close(&s) == ESP_OK ||
              cli_fail(VERB, "%s: %s; --force takes it all the same", n->bootloader, s.why) == EXIT_DONE;
    if (ok && !n->force && image_kind(&s.info) == IMAGE_KIND_APP) {
        ok = cli_fail(VERB,
                      "%s: this is an app image, not a bootloader; --app LABEL=IMAGE puts it in a partition",
                      n->bootloader) == EXIT_DONE;
    }
    if (ok && (place >= n->table_offset || image->len > n->table_offset - place)) {
        ok = cli_fail(VERB,
                      "%s has %zu bytes, and between 0x%" PRIx32 " and the table at 0x%" PRIx32
                      " it does not fit",
                      n->bootloader, image->len, place, n->table_offset) == EXIT_DONE;
    }
    image_stream_end(&s);
    return ok;
}

/** What was given is judged; a virtual device gets a small one of ours where there is room. */
static bool settle_bootloader(new_t *n)
{
    const uint32_t place = bootloader_place(n);
    if (n->boot_image.bytes != NULL) {
        return check_bootloader(n);
    }
    if (n->bootloader != NULL || !n->efuse.has_chip || n->efuse.chip.id != OTTER_CHIP_LINUX) {
        return true;
    }
    if (!small_bootloader_make(&n->boot_image)) {
        return cli_fail(VERB, "out of memory") == EXIT_DONE;
    }
    if (place >= n->table_offset || n->boot_image.len > n->table_offset - place) {
        image_writer_free(&n->boot_image);
    }
    return true;
}

/* ---- making ---- */

/** Table and images into the flash, all synced when it returns true. */
static bool fill_flash(const new_t *n, const char *path)
{
    otter_flash_t *flash;
    char why[256] = "";
    const file_flash_options_t how = {.strict = true};
    if (file_flash_open(path, &how, &flash, why, sizeof(why)) != ESP_OK) {
        return cli_fail(VERB, "%s: %s", n->flash, why) == EXIT_DONE;
    }
    esp_err_t err = flash_put(flash, n->table_offset, n->raw, sizeof(n->raw));
    if (err == ESP_OK && n->boot_image.bytes != NULL) {
        err = flash_put(flash, bootloader_place(n), n->boot_image.bytes, n->boot_image.len);
    }
    for (size_t i = 0; err == ESP_OK && i < n->app_count; i++) {
        err = flash_put(flash, n->apps[i].entry->offset, n->apps[i].data, n->apps[i].len);
    }
    esp_err_t closed = file_flash_close(flash);
    err = err != ESP_OK ? err : closed;
    return err == ESP_OK ||
           cli_fail(VERB, "cannot write %s: %s", n->flash, esp_err_to_name(err)) == EXIT_DONE;
}

/** The file gets its name last; a file that came there meanwhile is not overwritten. */
static bool publish(const new_t *n, const char *temp)
{
    bool save = n->efuse.has_chip || n->efuse.has_revision;
    if (save && efuse_file_save(&n->efuse) != ESP_OK) {
        return cli_fail(VERB, "cannot write %s", n->efuse.path) == EXIT_DONE;
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
    if (save && !n->efuse.exists) {
        unlink(n->efuse.path);
    }
    return false;
}

static bool make_flash(const new_t *n)
{
    char *temp = NULL;
    char why[256] = "";
    if (asprintf(&temp, "%s.new-%ld", n->flash, (long)getpid()) < 0) {
        return cli_fail(VERB, "out of memory") == EXIT_DONE;
    }
    bool ok = file_flash_create(temp, (uint32_t)n->size, why, sizeof(why)) == ESP_OK ||
              cli_fail(VERB, "%s: %s", n->flash, why) == EXIT_DONE;
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
    const linux_device_options_t how = {.table_offset = n->table_offset};
    char size[32];
    table_format_size((int64_t)n->size, size);
    cli_did("%s: %sB of flash%s%s made, with %" PRIu32 " partitions and %zu app%s", n->flash, size,
            chip != NULL ? " for " : "", chip != NULL ? chip->name : "", n->entries.count, n->app_count,
            n->app_count == 1 ? "" : "s");
    flash_tell_next(n->flash, &how);
}

int flash_new_verb(int argc, char **argv)
{
    new_t *n = calloc(1, sizeof(*n));
    if (n == NULL) {
        return cli_fail(VERB, "out of memory");
    }
    n->table_offset = 0x8000;
    int status = parse_arguments(argc, argv, n);
    if (status == EXIT_DONE) {
        bool ok = check_size(n) && load_table(n) && load_apps(n) && load_bootloader(n) && settle_chip(n) &&
                  settle_bootloader(n) && check_apps(n) && make_flash(n);
        if (ok) {
            tell(n);
        }
        status = ok ? EXIT_DONE : EXIT_FAILED;
    }
    free_new(n);
    return status;
}
