/*
 * CSV partition tables. The rules are those of the vendor's gen_esp32part.py, its oddities included, because what
 * it takes a project may contain: a suffix k or m multiplies keywords too, and may repeat.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "table_csv.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_flash_partitions.h"
#include "table_names.h"
#include "table_text.h"

#define FIELDS   6
#define ROWS_MAX 1000 /* far more than fit, so that too many are counted and named */

enum { NAME, TYPE, SUBTYPE, OFFSET, SIZE, FLAGS };

/* No field takes a number beyond this; small enough to add and subtract two without overflow. */
#define NUMBER_MAX INT64_C(0x0FFFFFFFFFFFFFFF)

bool table_refuse(table_why_t *why, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why->text, sizeof(why->text), format, args);
    va_end(args);
    return false;
}

/* ---- numbers ---- */

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 99;
}

/** Takes the prefix of a base off `*p`. */
static unsigned take_base(const char **p, const char *end)
{
    static const struct {
        char letter;
        unsigned base;
    } bases[] = {{'x', 16}, {'o', 8}, {'b', 2}};
    if (end - *p >= 2 && (*p)[0] == '0') {
        for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
            if (tolower((unsigned char)(*p)[1]) == bases[i].letter) {
                *p += 2;
                return bases[i].base;
            }
        }
    }
    return 10;
}

/** Python's int(text, 0): sign, base prefix, underscores between digits, no leading zeros in a decimal but 0 itself. */
static bool parse_integer(const char *p, const char *end, int64_t *value)
{
    while (p < end && isspace((unsigned char)*p)) {
        p++;
    }
    while (end > p && isspace((unsigned char)end[-1])) {
        end--;
    }
    bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) {
        p++;
    }
    const char *start = p;
    unsigned base = take_base(&p, end);
    bool zero_first = base == 10 && p < end && *p == '0';
    bool after_digit = p != start; /* an underscore may follow the prefix */
    int64_t sum = 0;
    if (p == end) {
        return false;
    }
    for (; p < end; p++) {
        if (*p == '_' && after_digit) {
            after_digit = false;
            continue;
        }
        unsigned digit = digit_value(*p);
        if (digit >= base || sum > (NUMBER_MAX - (int64_t)digit) / (int64_t)base) {
            return false;
        }
        sum = sum * (int64_t)base + (int64_t)digit;
        after_digit = true;
    }
    if (!after_digit || (zero_first && sum != 0)) {
        return false;
    }
    *value = negative ? -sum : sum;
    return true;
}

/** Takes the suffixes off the end. @return how far to shift left */
static unsigned take_suffixes(const char *text, const char **end)
{
    unsigned shift = 0;
    for (; *end > text; (*end)--) {
        int c = tolower((unsigned char)(*end)[-1]);
        if (c != 'k' && c != 'm') {
            break;
        }
        shift += c == 'k' ? 10 : 20;
    }
    return shift;
}

static bool scale(int64_t *value, unsigned shift)
{
    if (*value != 0 && (shift > 59 || llabs(*value) > NUMBER_MAX >> shift)) {
        return false;
    }
    *value = *value == 0 ? 0 : *value * (INT64_C(1) << shift);
    return true;
}

bool table_parse_number(const char *text, int64_t *value)
{
    const char *end = text + strlen(text);
    unsigned shift = take_suffixes(text, &end);
    return parse_integer(text, end, value) && scale(value, shift);
}

static bool refuse_keyword(table_why_t *why, const char *text, const table_keyword_t *keywords)
{
    table_refuse(why, "Value '%s' is not valid. Known keywords: ", text);
    for (const table_keyword_t *k = keywords; k->name != NULL; k++) {
        size_t used = strlen(why->text);
        snprintf(why->text + used, sizeof(why->text) - used, "%s%s", k == keywords ? "" : ", ", k->name);
    }
    return false;
}

/** A number, or one of the keywords (none: an empty list). */
static bool parse_value(const char *text, const table_keyword_t *keywords, int64_t *value, table_why_t *why)
{
    const char *end = text + strlen(text);
    unsigned shift = take_suffixes(text, &end);
    char core[128];
    snprintf(core, sizeof(core), "%.*s", (int)(end - text), text);

    const table_keyword_t *keyword = table_find_keyword(keywords, core);
    if (keyword != NULL) {
        *value = keyword->value;
    } else if (!parse_integer(text, end, value)) {
        return keywords->name != NULL ? refuse_keyword(why, core, keywords)
                                      : table_refuse(why, "Invalid field value %s", core);
    }
    return scale(value, shift) || table_refuse(why, "Invalid field value %s", text);
}

/* ---- fields ---- */

static const table_keyword_t no_keywords[] = {{NULL, 0}};

static bool is_primary_bootloader(const table_row_t *row)
{
    return row->type == PART_TYPE_BOOTLOADER && row->subtype == PART_SUBTYPE_BOOTLOADER_PRIMARY;
}

static bool is_primary_table(const table_row_t *row)
{
    return row->type == PART_TYPE_PARTITION_TABLE && row->subtype == PART_SUBTYPE_PARTITION_TABLE_PRIMARY;
}

static bool parse_type(const char *text, table_row_t *row, table_why_t *why)
{
    if (*text == '\0') {
        return table_refuse(why, "Field 'type' can't be left empty.");
    }
    return parse_value(text, table_type_keywords(), &row->type, why);
}

static bool parse_subtype(const char *text, table_row_t *row, table_why_t *why)
{
    if (*text != '\0') {
        return parse_value(text, table_subtype_keywords(row->type), &row->subtype, why);
    }
    if (row->type == PART_TYPE_APP) {
        return table_refuse(why, "App partition cannot have an empty subtype");
    }
    row->subtype = 0x06; /* "undefined" */
    return true;
}

static bool need_option(bool given, const char *which, const char *option, table_why_t *why)
{
    return given ||
           table_refuse(why, "%s bootloader offset is not defined. Please use --%s-bootloader-offset", which,
                        option);
}

/** What the command line fixes is not read from the field, whatever that says. */
static bool parse_offset(const char *text, const table_options_t *options, table_row_t *row, table_why_t *why)
{
    row->has_offset = true;
    if (is_primary_bootloader(row)) {
        row->offset = options->primary_offset;
        return need_option(options->has_primary, "Primary", "primary", why);
    }
    if (row->type == PART_TYPE_BOOTLOADER && row->subtype == PART_SUBTYPE_BOOTLOADER_RECOVERY) {
        row->offset = options->recovery_offset;
        return need_option(options->has_recovery, "Recovery", "recovery", why);
    }
    if (is_primary_table(row)) {
        row->offset = options->table_offset;
        return true;
    }
    row->has_offset = *text != '\0';
    return !row->has_offset || parse_value(text, no_keywords, &row->offset, why);
}

static bool parse_size(const char *text, const table_options_t *options, table_row_t *row, table_why_t *why)
{
    if (row->type == PART_TYPE_BOOTLOADER) {
        row->size = (int64_t)options->table_offset - options->primary_offset;
        return need_option(options->has_primary, "Primary", "primary", why);
    }
    if (row->type == PART_TYPE_PARTITION_TABLE) {
        row->size = OTTER_PARTITION_TABLE_SECTOR;
        return true;
    }
    if (*text == '\0') {
        return table_refuse(why, "Size field can't be empty");
    }
    return parse_value(text, no_keywords, &row->size, why);
}

static bool parse_flags(char *text, table_row_t *row, table_why_t *why)
{
    for (char *flag; (flag = strsep(&text, ":")) != NULL;) {
        if (strcmp(flag, "encrypted") == 0) {
            row->encrypted = true;
        } else if (strcmp(flag, "readonly") == 0) {
            row->readonly = true;
        } else if (*flag != '\0') {
            return table_refuse(why, "CSV flag column contains unknown flag '%s'", flag);
        }
    }
    return true;
}

static bool parse_fields(char *line, const table_options_t *options, table_rows_t *rows, table_why_t *why)
{
    char empty[] = "";
    char *fields[FIELDS];
    for (int i = 0; i < FIELDS; i++) {
        char *field = strsep(&line, ",");
        fields[i] = field != NULL ? table_text_strip(field) : empty;
    }
    if (rows->count == ROWS_MAX) {
        return table_refuse(why, "more than %d partitions, and a table holds %u", ROWS_MAX,
                            OTTER_PARTITIONS_MAX);
    }
    table_row_t *row = table_add_row(rows, fields[NAME]);
    if (row == NULL) {
        return table_refuse(why, "out of memory");
    }
    return parse_type(fields[TYPE], row, why) && parse_subtype(fields[SUBTYPE], row, why) &&
           parse_offset(fields[OFFSET], options, row, why) && parse_size(fields[SIZE], options, row, why) &&
           parse_flags(fields[FLAGS], row, why);
}

/** The first line of text in `why`, with the line number before it. */
static bool refuse_line(table_why_t *why, int line)
{
    table_why_t cause = *why;
    return table_refuse(why, "Error at line %d: %.480s", line, cause.text);
}

/** One line of the file. Comments and blank lines are none. */
static bool parse_line(const char *line, int number, const table_options_t *options, table_rows_t *rows,
                       table_why_t *why)
{
    char *expanded = table_text_expand(line);
    if (expanded == NULL) {
        return table_refuse(why, "out of memory");
    }
    bool ok = true;
    if (expanded[0] == '$' && (isalpha((unsigned char)expanded[1]) || expanded[1] == '_')) {
        size_t len = strspn(expanded + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
        ok = table_refuse(why, "unknown variable '%.*s'", (int)len, expanded + 1);
    } else {
        char *text = table_text_strip(expanded);
        if (*text != '\0' && *text != '#') {
            ok = parse_fields(text, options, rows, why) || refuse_line(why, number);
            if (ok) {
                rows->rows[rows->count - 1].line = number;
            }
        }
    }
    free(expanded);
    return ok;
}

/* ---- places ---- */

static int64_t round_up(int64_t value, int64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

/** Rows without an offset follow the one before; a negative size is the address where the partition ends. */
static bool assign_places(table_rows_t *rows, const table_options_t *options, table_why_t *why)
{
    int64_t last_end = (int64_t)options->table_offset + OTTER_PARTITION_TABLE_SECTOR;
    for (size_t i = 0; i < rows->count; i++) {
        table_row_t *row = &rows->rows[i];
        if (is_primary_bootloader(row) || is_primary_table(row)) {
            continue;
        }
        if (row->has_offset && row->offset < last_end) {
            return i == 0 ? table_refuse(
                                why,
                                "CSV Error at line %d: Partitions overlap. Partition sets offset 0x%llx. "
                                "But partition table occupies the whole sector 0x%x. Use a free offset "
                                "0x%llx or higher.",
                                row->line, (long long)row->offset, options->table_offset, (long long)last_end)
                          : table_refuse(
                                why,
                                "CSV Error at line %d: Partitions overlap. Partition sets offset 0x%llx. "
                                "Previous partition ends 0x%llx",
                                row->line, (long long)row->offset, (long long)last_end);
        }
        if (!row->has_offset) {
            const int64_t unit =
                row->type == PART_TYPE_APP ? OTTER_PARTITION_APP_ALIGN : OTTER_PARTITION_DATA_ALIGN;
            row->offset = round_up(round_up(last_end, table_sector(options)), unit);
            row->has_offset = true;
        }
        if (row->size < 0) {
            row->size = -row->size - row->offset;
        }
        last_end = row->offset + row->size;
        if (last_end > NUMBER_MAX / 2 || last_end < -NUMBER_MAX / 2) {
            return table_refuse(why, "Error at line %d: the partition ends beyond any flash", row->line);
        }
    }
    return true;
}

bool table_parse_csv(const uint8_t *data, size_t len, const table_options_t *options, table_rows_t *rows,
                     table_why_t *why)
{
    if (options->has_primary && options->primary_offset >= options->table_offset) {
        return table_refuse(
            why,
            "Unsupported configuration. Primary bootloader must be below partition table. Check "
            "--primary-bootloader-offset=0x%llx and --offset=0x%x",
            (long long)options->primary_offset, options->table_offset);
    }
    otter_fault_t fault;
    char *text = table_text_decode(data, len, &fault);
    if (text == NULL) {
        return table_refuse(why, "%s", fault.why);
    }
    bool ok = true;
    char *rest = text, *line;
    for (int number = 1; ok && (line = table_text_line(&rest)) != NULL; number++) {
        ok = parse_line(line, number, options, rows, why);
    }
    free(text);
    return ok && assign_places(rows, options, why);
}

/* ---- rows ---- */

table_row_t *table_add_row(table_rows_t *rows, const char *name)
{
    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity * 2 + 16;
        table_row_t *more = realloc(rows->rows, capacity * sizeof(*more));
        if (more == NULL) {
            return NULL;
        }
        rows->rows = more;
        rows->capacity = capacity;
    }
    char *copy = strdup(name);
    if (copy == NULL) {
        return NULL;
    }
    table_row_t *row = &rows->rows[rows->count++];
    *row = (table_row_t){.name = copy};
    return row;
}

void table_rows_free(table_rows_t *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        free(rows->rows[i].name);
    }
    free(rows->rows);
    *rows = (table_rows_t){0};
}

void table_format_size(int64_t size, char buf[32])
{
    if (size % 0x100000 == 0) {
        snprintf(buf, 32, "%lldM", (long long)(size / 0x100000));
    } else if (size % 0x400 == 0) {
        snprintf(buf, 32, "%lldK", (long long)(size / 0x400));
    } else {
        snprintf(buf, 32, "0x%llx", (unsigned long long)size);
    }
}

/** The keyword, or the number as it is, which may fit no byte yet. */
static void format_keyword(const table_keyword_t *list, int64_t value, char buf[32])
{
    while (list->name != NULL && list->value != value) {
        list++;
    }
    if (list->name != NULL) {
        snprintf(buf, 32, "%s", list->name);
    } else {
        snprintf(buf, 32, "%lld", (long long)value);
    }
}

const char *table_format_row(const table_row_t *row, char *buf, size_t buf_size)
{
    char type[32], subtype[32], size[32];
    format_keyword(table_type_keywords(), row->type, type);
    format_keyword(table_subtype_keywords(row->type), row->subtype, subtype);
    table_format_size(row->size, size);
    uint32_t flags = (row->encrypted ? PART_FLAG_ENCRYPTED : 0u) | (row->readonly ? PART_FLAG_READONLY : 0u);
    snprintf(buf, buf_size, "%s,%s,%s,0x%llx,%s,%s", row->name, type, subtype,
             (unsigned long long)row->offset, size, table_flags_name(flags));
    return buf;
}
