/* otter table: CSV to binary table, and any table to something readable. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "clean_text.h"
#include "esp_flash_partitions.h"
#include "json.h"
#include "kinds.h"
#include "otter/promise.h"
#include "table_json.h"
#include "table_load.h"
#include "table_names.h"
#include "table_rules.h"

#define VERB           "table"
#define FLASH_CHIP_MIN 0x100000u /* bytes */
#define LINE_MAX_LEN   512       /* of a warning or an error; longer ones are cut */

typedef struct {
    table_options_t table;
    const char *input, *output;
    bool json, csv, quiet;
} arguments_t;

/** The one line of a refusal; names in it come from the file. @return EXIT_FAILED */
static int refuse(const arguments_t *args, const table_why_t *why)
{
    char clean[CLEAN_TEXT_SIZE(LINE_MAX_LEN)];
    return cli_fail(VERB, "%s: %s", args->input, clean_text(clean, why->text, LINE_MAX_LEN));
}

/* ---- build ---- */

static void print_warning(void *arg, const char *line)
{
    (void)arg;
    char clean[CLEAN_TEXT_SIZE(LINE_MAX_LEN)];
    fprintf(stderr, "otter table: WARNING: %s\n", clean_text(clean, line, LINE_MAX_LEN));
}

static int build(void *options)
{
    const arguments_t *args = options;
    table_file_t file = {0};
    table_why_t why;
    uint8_t raw[OTTER_PARTITION_TABLE_LEN];
    int status = EXIT_FAILED;
    if (!table_load(args->input, &args->table, &file, &why)) {
        refuse(args, &why);
    } else if (file.source != TABLE_FROM_CSV) {
        cli_fail(VERB, "%s is a binary table already; `otter table show --csv` makes a CSV of it",
                 args->input);
    } else if (!table_check_rules(&file.rows, &args->table, args->quiet ? NULL : print_warning, NULL, &why) ||
               !table_encode_rows(&file.rows, &args->table, raw, &why)) {
        refuse(args, &why);
    } else if (cli_write_file(VERB, args->output, raw, sizeof(raw))) {
        status = EXIT_DONE;
        if (!args->quiet && !cli_is_standard_output(args->output)) {
            cli_did("%s: a partition table of %zu partitions", args->output, file.rows.count);
        }
    }
    table_file_free(&file);
    return status;
}

/* ---- show ---- */

static const char *md5_name(const table_file_t *file)
{
    static const char *const names[] = {"absent", "good", "bad"};
    return file->source == TABLE_FROM_CSV ? NULL : names[file->binary.md5];
}

/** Warnings are gathered before anything is printed. */
static void keep_warning(void *arg, const char *line)
{
    char clean[CLEAN_TEXT_SIZE(LINE_MAX_LEN)];
    cJSON_AddItemToArray(arg, cJSON_CreateString(clean_text(clean, line, LINE_MAX_LEN)));
}

/** Where the table lies in its flash: a shifted dump has it lower, and a copy of it may lie higher. */
static uint32_t place_of_table(const table_file_t *file, const arguments_t *args)
{
    bool elsewhere = file->source == TABLE_FROM_FLASH && file->offset < args->table.table_offset;
    return elsewhere ? file->offset : args->table.table_offset;
}

static void warn_of_place(const table_file_t *file, const arguments_t *args, cJSON *warnings)
{
    char line[LINE_MAX_LEN];
    if (file->source == TABLE_FROM_FLASH && file->offset != args->table.table_offset) {
        snprintf(line, sizeof(line),
                 "no partition table at 0x%" PRIx32 "; this one lies at 0x%" PRIx32
                 ": other verbs want --table-offset 0x%" PRIx32,
                 args->table.table_offset, file->offset, file->offset);
        keep_warning(warnings, line);
    }
    if (file->source == TABLE_FROM_BINARY && file->file_size % OTTER_PARTITION_RECORD_SIZE != 0) {
        snprintf(line, sizeof(line),
                 "the file has %" PRIu64 " bytes, no multiple of %u: the vendor's tool refuses it",
                 file->file_size, OTTER_PARTITION_RECORD_SIZE);
        keep_warning(warnings, line);
    }
}

/** Of the file, if it has the size of a flash chip; a factory file ends with its last byte. 0: not known. */
static uint64_t size_of_flash(const table_file_t *file, const arguments_t *args)
{
    bool chip = file->file_size >= FLASH_CHIP_MIN && (file->file_size & (file->file_size - 1)) == 0;
    return file->source == TABLE_FROM_FLASH && chip ? file->file_size : args->table.flash_size;
}

/** That of the options, or of the flash file in which the table is. */
static uint64_t sector_of_flash(const table_file_t *file, const arguments_t *args)
{
    efuse_file_t efuse = {0};
    otter_fault_t fault;
    if (args->table.sector_size == 0 && file->source == TABLE_FROM_FLASH) {
        otter_ignore(efuse_file_load(&efuse, args->input, &fault)); /* who opens the device is told */
    }
    return args->table.sector_size != 0 ? args->table.sector_size : efuse.geometry.sector_size;
}

/** What a bootloader or an application would stumble over. */
static void gather_warnings(const table_file_t *file, const arguments_t *args, cJSON *warnings)
{
    uint64_t size = size_of_flash(file, args);
    uint32_t flash_size = size > UINT32_MAX ? 0 : (uint32_t)size;
    warn_of_place(file, args, warnings);
    otter_partition_table_check(&file->binary, place_of_table(file, args), flash_size, keep_warning,
                                warnings);
    if (file->binary.count > 0) {
        otter_partition_table_check_roles(&file->binary, keep_warning, warnings);
    }
    if (file->after_md5 > 0) {
        keep_warning(warnings, "records follow the MD5 record: applications do not see them");
    }
}

static void print_table(const table_file_t *file, const cJSON *warnings)
{
    table_print_heading("");
    for (size_t i = 0; i < file->rows.count; i++) {
        otter_partition_entry_t entry = table_row_entry(&file->rows.rows[i]);
        table_print_entry("", &entry);
    }
    if (md5_name(file) != NULL) {
        printf("MD5: %s\n", md5_name(file));
    }
    const cJSON *warning;
    cJSON_ArrayForEach(warning, warnings)
    {
        printf("warning: %s\n", warning->valuestring);
    }
}

static int print_json(const table_file_t *file, const cJSON *warnings, const char *error)
{
    cJSON *root = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(root, "partitions");
    for (size_t i = 0; i < file->rows.count; i++) {
        otter_partition_entry_t entry = table_row_entry(&file->rows.rows[i]);
        cJSON_AddItemToArray(list, table_entry_json(&entry));
    }
    json_number(root, "offset", file->source != TABLE_FROM_CSV, file->offset);
    json_string(root, "md5", md5_name(file));
    json_bool(root, "valid", true, error == NULL);
    json_text(root, "error", error, LINE_MAX_LEN);
    json_item(root, "warnings", cJSON_Duplicate(warnings, true));
    return json_print(VERB, root);
}

/** A name from a binary may hold bytes that would make another line, another field, or steer a terminal. */
static bool check_names(const table_file_t *file, table_why_t *why)
{
    for (size_t i = 0; i < file->rows.count; i++) {
        const char *name = file->rows.rows[i].name;
        char clean[CLEAN_TEXT_SIZE(LINE_MAX_LEN)];
        if (strchr(name, ',') != NULL || strcmp(clean_text(clean, name, LINE_MAX_LEN), name) != 0) {
            return table_refuse(why, "the name of partition %zu, %s, cannot be in a CSV", i, name);
        }
    }
    return true;
}

static void print_csv(const table_file_t *file)
{
    fputs(TABLE_CSV_HEADER, stdout);
    for (size_t i = 0; i < file->rows.count; i++) {
        char line[512];
        puts(table_format_row(&file->rows.rows[i], line, sizeof(line)));
    }
}

/** A broken table is still shown as far as it could be read: who looks at it wants to see what is wrong. */
static int show(void *options)
{
    const arguments_t *args = options;
    table_file_t file = {0};
    table_why_t why;
    uint8_t raw[OTTER_PARTITION_TABLE_LEN];
    cJSON *warnings = cJSON_CreateArray();
    bool loaded = table_load(args->input, &args->table, &file, &why);
    table_options_t rules = args->table;
    rules.table_offset = place_of_table(&file, args);
    rules.sector_size = sector_of_flash(&file, args);
    bool ok = loaded &&
              table_check_rules(&file.rows, &rules, args->quiet ? NULL : keep_warning, warnings, &why) &&
              (file.source != TABLE_FROM_CSV || table_encode_rows(&file.rows, &args->table, raw, &why)) &&
              (!args->csv || args->json || check_names(&file, &why));
    if (ok && file.source == TABLE_FROM_CSV) {
        otter_ignore(otter_partition_table_decode(
            raw, &file.binary)); /* for the warnings, if there is the memory for it */
    }
    if (!args->quiet && (file.source != TABLE_FROM_CSV || ok)) {
        gather_warnings(&file, args, warnings);
    }
    int status = ok ? EXIT_DONE : EXIT_FAILED;
    if (args->json) {
        int printed = print_json(&file, warnings, ok ? NULL : why.text);
        status = printed != EXIT_DONE ? printed : status;
    } else if (args->csv && ok) {
        print_csv(&file);
    } else if (!args->csv && (ok || file.rows.count > 0)) {
        print_table(&file, warnings);
    }
    if (!ok) {
        fflush(stdout);
        refuse(args, &why);
    }
    cJSON_Delete(warnings);
    table_file_free(&file);
    return status;
}

/* ---- the verbs ---- */

/** "v1", "v2". */
static bool take_secure(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row, (void)why;
    bool first = strcmp(text, "v1") == 0;
    *(table_secure_t *)target = first ? TABLE_SECURE_V1 : TABLE_SECURE_V2;
    return first || strcmp(text, "v2") == 0;
}

static bool take_offset(const char *text, void *target, const option_row_t *row, char *why)
{
    table_options_t *table = target;
    table->exact_offset = true;
    return kind_sector.take(text, &table->table_offset, row, why);
}

static bool take_primary(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row, (void)why;
    table_options_t *table = target;
    uint32_t offset = 0;
    table->has_primary = parse_offset(text, 1, &offset);
    table->primary_offset = offset;
    return table->has_primary;
}

static const option_kind_t kind_secure = {"v1|v2", "v1 or v2", take_secure, NULL, NULL};
static const option_kind_t kind_place = {"N", "an offset in flash, a multiple of 0x1000", take_offset, NULL,
                                         NULL};
static const option_kind_t kind_primary = {"N", "an offset in flash", take_primary, NULL, NULL};

#define TABLE_ROWS                                                                                           \
    {"table-offset", &kind_place, offsetof(arguments_t, table),                                              \
     .help = "where the table lies in flash (default 0x8000)"},                                              \
        {"offset", &kind_place, offsetof(arguments_t, table), .help = NULL},                                 \
        {"flash-size",                                                                                       \
         &option_size,                                                                                       \
         offsetof(arguments_t, table.flash_size),                                                            \
         .help = "refuse a table that needs more, as 4MB",                                                   \
         .value = "SIZE",                                                                                    \
         .min = 1,                                                                                           \
         .max = UINT64_MAX},                                                                                 \
        {"sector-size",                                                                                      \
         &option_size,                                                                                       \
         offsetof(arguments_t, table.sector_size),                                                           \
         .help = "bytes that the flash erases at once: otadata has two sectors, and others whole ones; "     \
                 "default: what FLASH.efuse says, or 4K",                                                    \
         .value = "SIZE",                                                                                    \
         .min = OTTER_PARTITION_TABLE_SECTOR,                                                                \
         .max = OTTER_FLASH_ERASE_MAX},                                                                      \
        {"no-verify", &option_switch, offsetof(arguments_t, table.without_verify),                           \
         .help = "skip the rules on alignment, overlap, names and sizes"},                                   \
        {"secure", &kind_secure, offsetof(arguments_t, table.secure),                                        \
         .help = "alignment of app sizes for Secure Boot"},                                                  \
        {"primary-bootloader-offset", &kind_primary, offsetof(arguments_t, table),                           \
         .help = "for a bootloader in the table"},                                                           \
        OPTION_RECOVERY(offsetof(arguments_t, table)),                                                       \
        {"extra-partition-subtypes", &kind_subtype, 0,                                                       \
         .help = "names of the project's own for subtypes, the value as a hexadecimal number",               \
         .value = "TYPE,NAME,VALUE ..."},                                                                    \
    {                                                                                                        \
        "quiet", &option_switch, offsetof(arguments_t, quiet), .help = "no warnings", .letter = 'q'          \
    }

static const option_row_t build_rows[] = {
    {"PARTS.csv", &option_argument, offsetof(arguments_t, input), .help = NULL},
    {"output", &option_file, offsetof(arguments_t, output),
     .help = "where the table goes; - for standard output", .letter = 'o', .needed = true},
    {"disable-md5sum", &option_switch, offsetof(arguments_t, table.without_md5),
     .help = "write no MD5 record (applications then see no partitions)"},
    TABLE_ROWS,
    {0},
};

const cli_verb_t table_build_verb = {
    .name = "table build",
    .line = "turn a CSV into a binary partition table",
    .about = "Turns a CSV into the binary table that goes to 0x8000 of the flash, byte for byte as ESP-IDF's "
             "gen_esp32part.py "
             "does. The CSV may also come through a pipe, or with - from standard input.\n",
    .after = "A CSV has one partition a line: name, type, subtype, offset, size, flags. An empty offset "
             "means behind the one "
             "before. For example:\n"
             "\n"
             "  nvs,      data, nvs,     ,        0x4000\n"
             "  otadata,  data, ota,     ,        0x2000\n"
             "  phy_init, data, phy,     ,        0x1000\n"
             "  factory,  app,  factory, ,        1M\n"
             "  ota_0,    app,  ota_0,   ,        1M\n"
             "  ota_1,    app,  ota_1,   ,        1M\n"
             "\n"
             "  otter table build parts.csv -o table.bin && otter table show table.bin\n",
    .options = build_rows,
    .size = sizeof(arguments_t),
    .defaults = &(const arguments_t){.table.table_offset = 0x8000},
    .run = build,
};

static const option_row_t show_rows[] = {
    {"FILE", &option_argument, offsetof(arguments_t, input), .help = NULL},
    {"json", &option_switch, offsetof(arguments_t, json), .help = "for programs"},
    {"csv", &option_switch, offsetof(arguments_t, csv), .help = "as CSV"},
    TABLE_ROWS,
    {"output", &option_file, offsetof(arguments_t, output), .help = NULL, .letter = 'o'},
    {"disable-md5sum", &option_switch, offsetof(arguments_t, table.without_md5), .help = NULL},
    {0},
};

const cli_verb_t table_show_verb = {
    .name = "table show",
    .line = "explain a partition table: CSV, binary, or in a dump",
    .about =
        "Explains a table: a CSV, a binary table, a flash dump or a factory file of any length. Where there "
        "is none at "
        "0x8000, it looks for one. A file may also come through a pipe, or with - from standard input.\n",
    .after = "example: otter table show flash.bin\n",
    .options = show_rows,
    .size = sizeof(arguments_t),
    .defaults = &(const arguments_t){.table.table_offset = 0x8000},
    .run = show,
};
