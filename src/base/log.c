/* The log: levels per tag, one line per call, handed to the console in one piece so that tasks cannot mix lines. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_log.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "otter/text.h"
#include "esp_err.h"
#include "otter/build_options.h"
#include "otter/system.h"

#define TAGS_MAX    16
#define TAG_LEN_MAX 31
#define TEXT_SIZE   256 /* bytes of a message that need no memory of their own */
#define LINE_SIZE   300 /* bytes of a line that needs none */

/* All of these are read and changed under OTTER_LOCK_LOG; nothing is written out while it is held. */
static struct {
    char tag[TAG_LEN_MAX + 1];
    esp_log_level_t level;
} tag_levels[TAGS_MAX];
static unsigned tag_count;
static int default_level = -1; /* -1: the build's, until a program sets another */
static vprintf_like_t output;  /* NULL: the port's console */
static int color = -1;         /* -1: ask the console at the first line */

/** @return its index, tag_count if the tag has no level of its own */
static unsigned find_tag(const char *tag)
{
    unsigned i = 0;
    while (i < tag_count && strcmp(tag_levels[i].tag, tag) != 0) {
        i++;
    }
    return i;
}

void esp_log_level_set(const char *tag, esp_log_level_t level)
{
    otter_lock(OTTER_LOCK_LOG);
    unsigned i = find_tag(tag);
    if (strcmp(tag, "*") == 0) {
        default_level = (int)level;
        tag_count = 0;
    } else if (i < tag_count) {
        tag_levels[i].level = level;
    } else if (tag_count < TAGS_MAX && strlen(tag) <= TAG_LEN_MAX) {
        memcpy(tag_levels[tag_count].tag, tag, strlen(tag) + 1);
        tag_levels[tag_count++].level = level;
    }
    otter_unlock(OTTER_LOCK_LOG);
}

esp_log_level_t esp_log_level_get(const char *tag)
{
    otter_lock(OTTER_LOCK_LOG);
    unsigned i = find_tag(tag);
    int level = i < tag_count ? (int)tag_levels[i].level : default_level;
    otter_unlock(OTTER_LOCK_LOG);
    return (esp_log_level_t)(level >= 0 ? level : otter_build_options.log_default_level);
}

uint32_t esp_log_timestamp(void)
{
    return (uint32_t)(otter_now_us() / 1000);
}

uint32_t esp_log_early_timestamp(void)
{
    return esp_log_timestamp();
}

char *esp_log_system_timestamp(void)
{
    static _Thread_local char text[24];
    uint32_t ms = esp_log_timestamp();
    snprintf(text, sizeof(text), "%02" PRIu32 ":%02" PRIu32 ":%02" PRIu32 ".%03" PRIu32, ms / 3600000 % 24,
             ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
    return text;
}

esp_log_level_t esp_log_get_default_level(void)
{
    otter_lock(OTTER_LOCK_LOG);
    int level = default_level;
    otter_unlock(OTTER_LOCK_LOG);
    return (esp_log_level_t)(level >= 0 ? level : otter_build_options.log_default_level);
}

vprintf_like_t esp_log_set_vprintf(vprintf_like_t func)
{
    otter_lock(OTTER_LOCK_LOG);
    vprintf_like_t old = output;
    output = func;
    otter_unlock(OTTER_LOCK_LOG);
    return old;
}

void otter_log_set_color(int on)
{
    otter_lock(OTTER_LOCK_LOG);
    color = on != 0;
    otter_unlock(OTTER_LOCK_LOG);
}

static bool has_color(void)
{
    otter_lock(OTTER_LOCK_LOG);
    if (color < 0) {
        color = otter_console_has_color();
    }
    bool has = color != 0;
    otter_unlock(OTTER_LOCK_LOG);
    return has;
}

static void emit(vprintf_like_t print, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void emit(vprintf_like_t print, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print(format, args);
    va_end(args);
}

static void write_out(const char *text, size_t len)
{
    otter_lock(OTTER_LOCK_LOG);
    vprintf_like_t print = output;
    otter_unlock(OTTER_LOCK_LOG);
    if (print != NULL) {
        emit(print, "%s", text);
    } else {
        otter_console_write(text, len);
    }
}

void esp_log_writev(esp_log_level_t level, const char *tag, const char *format, va_list args)
{
    if (level == ESP_LOG_NONE || level > esp_log_level_get(tag)) {
        return;
    }
    char small[TEXT_SIZE];
    size_t len;
    char *text = text_vformat_whole(small, sizeof(small), &len, format, args);
    if (len > 0) {
        write_out(text, len);
    }
    text_free(text, small);
}

void esp_log_write(esp_log_level_t level, const char *tag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    esp_log_writev(level, tag, format, args);
    va_end(args);
}

/* ESP-IDF colours error, warning and info lines: red, yellow, green. */
static const struct {
    char letter;
    const char *color;
} level_style[ESP_LOG_MAX] = {
    [ESP_LOG_NONE] = {' ', ""},           [ESP_LOG_ERROR] = {'E', "\033[0;31m"},
    [ESP_LOG_WARN] = {'W', "\033[0;33m"}, [ESP_LOG_INFO] = {'I', "\033[0;32m"},
    [ESP_LOG_DEBUG] = {'D', ""},          [ESP_LOG_VERBOSE] = {'V', ""},
};

/** A line that is put together; `len` is that of all of it, also where it does not fit. */
typedef struct {
    char *text;
    size_t size, len;
} line_t;

static void put_text(line_t *line, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void put_text(line_t *line, const char *format, va_list args)
{
    size_t at = line->len < line->size ? line->len : line->size;
    int n = vsnprintf(line->text + at, line->size - at, format, args);
    line->len += n > 0 ? (size_t)n : 0;
}

static void put(line_t *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(line_t *line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_text(line, format, args);
    va_end(args);
}

static void put_line(line_t *line, esp_log_config_t config, const char *tag, const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));
static void put_line(line_t *line, esp_log_config_t config, const char *tag, const char *format, va_list args)
{
    const esp_log_level_t level = (esp_log_level_t)config.opts.log_level;
    const char *start = !config.opts.dis_color && has_color() ? level_style[level].color : "";
    const char *stop = start[0] != '\0' ? "\033[0m\n" : "\n";
    line->len = 0;
    put(line, "%s%c", start, level_style[level].letter);
    if (!config.opts.dis_timestamp) {
        put(line, " (%" PRIu32 ")", esp_log_timestamp());
    }
    put(line, " %s: ", tag);
    put_text(line, format, args);
    put(line, "%s", stop);
    if (line->len >= line->size) { /* cut: it ends as any other */
        text_cut(line->text, line->size - strlen(stop));
        memcpy(line->text + strlen(line->text), stop, strlen(stop) + 1);
    }
}

/** One line of a level that there is, whatever that of the tag. */
static void write_line(esp_log_config_t config, const char *tag, const char *format, va_list args)
{
    char small[LINE_SIZE];
    va_list again;
    va_copy(again, args);
    line_t line = {.text = small, .size = sizeof(small)};
    put_line(&line, config, tag, format, args);
    size_t needed = line.len + 1;
    char *block = needed > sizeof(small) ? otter_log_memory(needed) : NULL;
    if (block != NULL) {
        line = (line_t){.text = block, .size = needed};
        put_line(&line, config, tag, format, again);
    }
    va_end(again);
    write_out(line.text, strlen(line.text));
    otter_log_memory_free(block);
}

void otter_log_line(esp_log_level_t level, const char *tag, const char *format, ...)
{
    if (level <= ESP_LOG_NONE || level >= ESP_LOG_MAX) {
        return;
    }
    va_list args;
    va_start(args, format);
    write_line(ESP_LOG_CONFIG_INIT(level), tag, format, args);
    va_end(args);
}

void esp_log_va(esp_log_config_t config, const char *tag, const char *format, va_list args)
{
    esp_log_level_t level = (esp_log_level_t)config.opts.log_level;
    if (!config.opts.require_formatting) {
        esp_log_writev(level, tag, format, args);
    } else if (level > ESP_LOG_NONE && level < ESP_LOG_MAX && level <= esp_log_level_get(tag)) {
        write_line(config, tag, format, args);
    }
}

void esp_log(esp_log_config_t config, const char *tag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    esp_log_va(config, tag, format, args);
    va_end(args);
}

/** Rows of sixteen bytes, each put together in all ways and told in one. */
typedef enum { ROWS_HEX, ROWS_CHAR, ROWS_DUMP } rows_t;

static void log_rows(const char *tag, const void *buffer, uint16_t len, esp_log_level_t level, rows_t rows)
{
    const uint8_t *p = buffer;
    for (unsigned i = 0; i < len; i += 16) {
        char hex[16 * 3 + 1] = "";
        char text[17] = "";
        for (unsigned k = i; k < len && k < i + 16; k++) {
            snprintf(hex + (k - i) * 3, 4, "%02x ", p[k]);
            text[k - i] = p[k] >= ' ' && p[k] <= '~' ? (char)p[k] : '.';
        }
        if (rows == ROWS_DUMP) {
            ESP_LOG_LEVEL(level, tag, "%04x  %-48s |%s|", i, hex, text);
        } else {
            ESP_LOG_LEVEL(level, tag, "%s", rows == ROWS_HEX ? hex : text);
        }
    }
}

void esp_log_buffer_hex_internal(const char *tag, const void *buffer, uint16_t len, esp_log_level_t level)
{
    log_rows(tag, buffer, len, level, ROWS_HEX);
}

void esp_log_buffer_char_internal(const char *tag, const void *buffer, uint16_t len, esp_log_level_t level)
{
    log_rows(tag, buffer, len, level, ROWS_CHAR);
}

void esp_log_buffer_hexdump_internal(const char *tag, const void *buffer, uint16_t len, esp_log_level_t level)
{
    log_rows(tag, buffer, len, level, ROWS_DUMP);
}

void esp_error_check_report_(const char *heading, esp_err_t code, const char *file, int line,
                             const char *func, const char *expression)
{
    char small[TEXT_SIZE];
    size_t len;
    char *text =
        text_format_whole(small, sizeof(small), &len,
                          "%s: esp_err_t 0x%x (%s)\nfile: \"%s\" line %d\nfunc: %s\nexpression: %s\n",
                          heading, (unsigned)code, esp_err_to_name(code), file, line, func, expression);
    write_out(text, len);
    text_free(text, small);
}
