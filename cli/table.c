/* otter table: CSV to binary table, and any table to something readable. */
#include "cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "clean_text.h"
#include "esp_flash_partitions.h"
#include "host/number.h"
#include "table_json.h"
#include "table_load.h"
#include "table_names.h"
#include "table_rules.h"

#define VERB           "table"
#define FLASH_CHIP_MIN 0x100000u /* bytes */
#define LINE_MAX_LEN   512       /* of a warning or an error; longer ones are cut */

static const char help[] =
    "otter table: partition tables\n"
    "\n"
    "usage: otter table build PARTS.csv -o table.bin [options]\n"
    "       otter table show FILE [--json | --csv] [options]\n"
    "\n"
    "`build` turns a CSV into the binary table that goes to 0x8000 of the flash, byte for byte as ESP-IDF's\n"
    "gen_esp32part.py does. `show` explains a table: a CSV, a binary table, a flash dump or a factory file "
    "of any\n"
    "length. Where there is none at 0x8000, it looks for one. A file may also come through a pipe, or with - "
    "from\n"
    "standard input.\n"
    "\n"
    "  -o FILE                          where the table goes; - for standard output\n"
    "  --table-offset 0x8000            where the table lies in flash\n"
    "  --flash-size 4MB                 refuse a table that needs more\n"
    "  --disable-md5sum                 write no MD5 record (applications then see no partitions)\n"
    "  --no-verify                      skip the rules on alignment, overlap, names and sizes\n"
    "  --secure v1|v2                   alignment of app sizes for Secure Boot\n"
    "  --primary-bootloader-offset X    for a bootloader in the table\n"
    "  --recovery-bootloader-offset X\n"
    "  --extra-partition-subtypes TYPE,NAME,VALUE ...\n"
    "                                   names of the project's own for subtypes, the value as a hexadecimal "
    "number\n"
    "  -q                               no warnings\n"
    "  --json                           `show` for programs        --csv  `show` as CSV\n"
    "\n"
    "A CSV has one partition a line: name, type, subtype, offset, size, flags. An empty offset means behind "
    "the one\n"
    "before. For example:\n"
    "\n"
    "  nvs,      data, nvs,     ,        0x4000\n"
    "  otadata,  data, ota,     ,        0x2000\n"
    "  phy_init, data, phy,     ,        0x1000\n"
    "  factory,  app,  factory, ,        1M\n"
    "  ota_0,    app,  ota_0,   ,        1M\n"
    "  ota_1,    app,  ota_1,   ,        1M\n"
    "\n"
    "  otter table build parts.csv -o table.bin && otter table show table.bin\n";

typedef struct {
    table_options_t table;
    const char *input, *output;
    bool json, csv, quiet;
} arguments_t;

/* ---- arguments ---- */

/** "v1", "v2". */
static bool take_secure(const char *value, arguments_t *args)
{
    args->table.secure = strcmp(value, "v1") == 0 ? TABLE_SECURE_V1 : TABLE_SECURE_V2;
    return strcmp(value, "v1") == 0 || strcmp(value, "v2") == 0;
}

static bool take_table_offset(const char *value, arguments_t *args)
{
    args->table.exact_offset = true;
    return cli_parse_offset(value, PARTITION_TABLE_SECTOR, &args->table.table_offset);
}

static bool take_flash_size(const char *value, arguments_t *args)
{
    return number_parse_size(value, 1, UINT64_MAX, &args->table.flash_size);
}

static bool take_bootloader(const char *value, int64_t *offset, bool *given)
{
    uint32_t number = 0;
    *given = cli_parse_offset(value, 1, &number);
    *offset = number;
    return *given;
}

static bool take_primary(const char *value, arguments_t *args)
{
    return take_bootloader(value, &args->table.primary_offset, &args->table.has_primary);
}

static bool take_recovery(const char *value, arguments_t *args)
{
    return take_bootloader(value, &args->table.recovery_offset, &args->table.has_recovery);
}

static bool take_output(const char *value, arguments_t *args)
{
    args->output = value;
    return *value != '\0';
}

/* Options with a value. */
static const struct value_option {
    const char *name;
    bool (*take)(const char *value, arguments_t *args);
    const char *wants;
} value_options[] = {
    {"-o", take_output, "a file"},
    {"--output", take_output, "a file"},
    {"--table-offset", take_table_offset, "an offset in flash, a multiple of 0x1000"},
    {"--offset", take_table_offset, "an offset in flash, a multiple of 0x1000"},
    {"--flash-size", take_flash_size, "a size as 4MB"},
    {"--secure", take_secure, "v1 or v2"},
    {"--primary-bootloader-offset", take_primary, "an offset in flash"},
    {"--recovery-bootloader-offset", take_recovery, "an offset in flash"},
};

static bool take_switch(const char *name, arguments_t *args)
{
    struct {
        const char *name;
        bool *set;
    } switches[] = {
        {"--disable-md5sum", &args->table.without_md5},
        {"--no-verify", &args->table.without_verify},
        {"-q", &args->quiet},
        {"--quiet", &args->quiet},
        {"--json", &args->json},
        {"--csv", &args->csv},
    };
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        if (strcmp(name, switches[i].name) == 0) {
            *switches[i].set = true;
            return true;
        }
    }
    return false;
}

static const struct value_option *find_value_option(const char *name)
{
    for (size_t i = 0; i < sizeof(value_options) / sizeof(value_options[0]); i++) {
        if (strcmp(name, value_options[i].name) == 0) {
            return &value_options[i];
        }
    }
    return NULL;
}

/** "type,name,value", as many as there are. @return how many, -1 after saying what is wrong with one */
static int take_subtypes(int argc, char **argv)
{
    int count = 0;
    for (; count < argc; count++) {
        char why[LINE_MAX_LEN];
        const char *comma = strchr(argv[count], ',');
        if (argv[count][0] == '-' || comma == NULL || strchr(comma + 1, ',') == NULL) {
            break;
        }
        if (!table_add_subtype(argv[count], why, sizeof(why))) {
            cli_usage(VERB, "%s", why);
            return -1;
        }
    }
    return count;
}

/** @return EXIT_DONE, or EXIT_USAGE after saying what is wrong */
static int parse_arguments(int argc, char **argv, arguments_t *args)
{
    for (int i = 0; i < argc; i++) {
        const struct value_option *option = find_value_option(argv[i]);
        if (strcmp(argv[i], "--extra-partition-subtypes") == 0) {
            int count = take_subtypes(argc - i - 1, argv + i + 1);
            if (count <= 0) {
                return count == 0 ? cli_usage(VERB, "%s needs type,name,value", argv[i]) : EXIT_USAGE;
            }
            i += count;
        } else if (option != NULL) {
            if (i + 1 == argc || !option->take(argv[++i], args)) {
                return cli_usage(VERB, "%s needs %s", option->name, option->wants);
            }
        } else if (argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!take_switch(argv[i], args)) {
                return cli_usage(VERB, "unknown option %s", argv[i]);
            }
        } else if (args->input != NULL) {
            return cli_usage(VERB, "one file at a time, not %s and %s", args->input, argv[i]);
        } else {
            args->input = argv[i];
        }
    }
    return args->input != NULL ? EXIT_DONE : cli_usage(VERB, "which file?");
}

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

static int run_build(const arguments_t *args)
{
    if (args->output == NULL) {
        return cli_usage(VERB, "build needs -o FILE (or -o - for standard output)");
    }
    table_file_t file = {0};
    table_why_t why;
    uint8_t raw[PARTITION_TABLE_LEN];
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
    if (file->source == TABLE_FROM_BINARY && file->file_size % PARTITION_RECORD_SIZE != 0) {
        snprintf(line, sizeof(line),
                 "the file has %" PRIu64 " bytes, no multiple of %u: the vendor's tool refuses it",
                 file->file_size, PARTITION_RECORD_SIZE);
        keep_warning(warnings, line);
    }
}

/** Of the file, if it has the size of a flash chip; a factory file ends with its last byte. 0: not known. */
static uint64_t size_of_flash(const table_file_t *file, const arguments_t *args)
{
    bool chip = file->file_size >= FLASH_CHIP_MIN && (file->file_size & (file->file_size - 1)) == 0;
    return file->source == TABLE_FROM_FLASH && chip ? file->file_size : args->table.flash_size;
}

/** What a bootloader or an application would stumble over. */
static void gather_warnings(const table_file_t *file, const arguments_t *args, cJSON *warnings)
{
    uint64_t size = size_of_flash(file, args);
    uint32_t flash_size = size > UINT32_MAX ? 0 : (uint32_t)size;
    warn_of_place(file, args, warnings);
    partition_table_check(&file->binary, place_of_table(file, args), flash_size, keep_warning, warnings);
    if (file->binary.count > 0) {
        partition_table_check_roles(&file->binary, keep_warning, warnings);
    }
    if (file->after_md5 > 0) {
        keep_warning(warnings, "records follow the MD5 record: applications do not see them");
    }
}

/** As it would be in a binary; of a CSV that is refused, numbers that do not fit are cut. */
static partition_entry_t to_entry(const table_row_t *row)
{
    partition_entry_t entry = {
        .type = (uint8_t)row->type,
        .subtype = (uint8_t)row->subtype,
        .offset = (uint32_t)row->offset,
        .size = (uint32_t)row->size,
        .flags = (row->encrypted ? PART_FLAG_ENCRYPTED : 0u) | (row->readonly ? PART_FLAG_READONLY : 0u),
    };
    snprintf(entry.label, sizeof(entry.label), "%s", row->name);
    return entry;
}

static void print_table(const table_file_t *file, const cJSON *warnings)
{
    table_print_heading("");
    for (size_t i = 0; i < file->rows.count; i++) {
        partition_entry_t entry = to_entry(&file->rows.rows[i]);
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

static void print_json(const table_file_t *file, const cJSON *warnings, const char *error)
{
    char clean[CLEAN_TEXT_SIZE(LINE_MAX_LEN)];
    cJSON *root = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(root, "partitions");
    for (size_t i = 0; i < file->rows.count; i++) {
        partition_entry_t entry = to_entry(&file->rows.rows[i]);
        cJSON_AddItemToArray(list, table_entry_json(&entry));
    }
    if (file->source != TABLE_FROM_CSV) {
        cJSON_AddNumberToObject(root, "offset", file->offset);
    } else {
        cJSON_AddNullToObject(root, "offset");
    }
    if (md5_name(file) != NULL) {
        cJSON_AddStringToObject(root, "md5", md5_name(file));
    } else {
        cJSON_AddNullToObject(root, "md5");
    }
    cJSON_AddBoolToObject(root, "valid", error == NULL);
    if (error != NULL) {
        cJSON_AddStringToObject(root, "error", clean_text(clean, error, LINE_MAX_LEN));
    } else {
        cJSON_AddNullToObject(root, "error");
    }
    cJSON_AddItemToObject(root, "warnings", cJSON_Duplicate(warnings, true));
    char *text = cJSON_Print(root);
    if (text != NULL) {
        puts(text);
    }
    cJSON_free(text);
    cJSON_Delete(root);
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
static int run_show(const arguments_t *args)
{
    table_file_t file = {0};
    table_why_t why;
    uint8_t raw[PARTITION_TABLE_LEN];
    cJSON *warnings = cJSON_CreateArray();
    bool loaded = table_load(args->input, &args->table, &file, &why);
    table_options_t rules = args->table;
    rules.table_offset = place_of_table(&file, args);
    bool ok = loaded &&
              table_check_rules(&file.rows, &rules, args->quiet ? NULL : keep_warning, warnings, &why) &&
              (file.source != TABLE_FROM_CSV || table_encode_rows(&file.rows, &args->table, raw, &why)) &&
              (!args->csv || args->json || check_names(&file, &why));
    if (ok && file.source == TABLE_FROM_CSV) {
        (void)partition_table_decode(raw, &file.binary); /* for the warnings, if there is the memory for it */
    }
    if (!args->quiet && (file.source != TABLE_FROM_CSV || ok)) {
        gather_warnings(&file, args, warnings);
    }
    if (args->json) {
        print_json(&file, warnings, ok ? NULL : why.text);
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
    return ok ? EXIT_DONE : EXIT_FAILED;
}

int cmd_table(int argc, char **argv)
{
    const char *action = argc > 1 ? argv[1] : "";
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(help, stdout);
            return EXIT_DONE;
        }
    }
    bool build = strcmp(action, "build") == 0;
    if (!build && strcmp(action, "show") != 0) {
        return cli_usage(VERB, "say build or show%s%s", *action != '\0' ? ", not " : "", action);
    }
    arguments_t args = {.table.table_offset = 0x8000};
    int status = parse_arguments(argc - 2, argv + 2, &args);
    if (status != EXIT_DONE) {
        return status;
    }
    return build ? run_build(&args) : run_show(&args);
}
