/* ESP-IDF's log: "I (123) tag: message", filtered by tag and level, written through one replaceable vprintf. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sdkconfig.h"
#include "esp_assert.h"
#include "esp_attr.h"
#include "esp_macros.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ESP_LOG_NONE,
    ESP_LOG_ERROR,
    ESP_LOG_WARN,
    ESP_LOG_INFO,
    ESP_LOG_DEBUG,
    ESP_LOG_VERBOSE,
    ESP_LOG_MAX,
} esp_log_level_t;

typedef int (*vprintf_like_t)(const char *format, va_list args);

/* Lines above this level do not exist in a file. The library's have the firmware's maximum, like its own files. */
#ifndef LOG_LOCAL_LEVEL
#ifdef OTTER_LIBRARY
#include "otter/build_options.h"
#define LOG_LOCAL_LEVEL ((esp_log_level_t)otter_build_options.log_maximum_level)
#else
#define LOG_LOCAL_LEVEL CONFIG_LOG_MAXIMUM_LEVEL
#endif
#endif

/** Sets the level of a tag, at most 16 tags of at most 31 characters; "*" sets the default and clears all others. */
void esp_log_level_set(const char *tag, esp_log_level_t level);
esp_log_level_t esp_log_level_get(const char *tag);

/** The level of tags that have none of their own. */
esp_log_level_t esp_log_get_default_level(void);

/** Milliseconds since the program started. */
uint32_t esp_log_timestamp(void);
uint32_t esp_log_early_timestamp(void);

/** The same as "00:00:12.345", as on a chip whose clock nobody has set. A text of the calling task's, until its next call. */
char *esp_log_system_timestamp(void);

/** Replaces the output function (NULL restores the port's console). @return the one used before. */
vprintf_like_t esp_log_set_vprintf(vprintf_like_t func);

/** Writes one formatted text if the tag's level lets `level` through. The macros below add prefix and newline. */
void esp_log_write(esp_log_level_t level, const char *tag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void esp_log_writev(esp_log_level_t level, const char *tag, const char *format, va_list args);

void esp_log_buffer_hex_internal(const char *tag, const void *buffer, uint16_t len, esp_log_level_t level);
void esp_log_buffer_char_internal(const char *tag, const void *buffer, uint16_t len, esp_log_level_t level);
void esp_log_buffer_hexdump_internal(const char *tag, const void *buffer, uint16_t len,
                                     esp_log_level_t level);

/** Colour on or off at run time; starts as the port's console wants it (on for a terminal). */
void otter_log_set_color(int on);

/** One whole line with prefix and colour: "I (123) tag: message\n". What the ESP_LOGx macros call. */
void otter_log_line(esp_log_level_t level, const char *tag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define ESP_LOG_LEVEL(level, tag, format, ...)                                                               \
    do {                                                                                                     \
        if ((esp_log_level_t)ESP_LOG_GET_LEVEL(level) <= esp_log_level_get(tag)) {                           \
            otter_log_line((esp_log_level_t)ESP_LOG_GET_LEVEL(level), (tag), format, ##__VA_ARGS__);         \
        }                                                                                                    \
    } while (0)

#define ESP_LOG_LEVEL_LOCAL(level, tag, format, ...)                                                         \
    do {                                                                                                     \
        if (ESP_LOG_ENABLED(level)) {                                                                        \
            ESP_LOG_LEVEL(level, tag, format, ##__VA_ARGS__);                                                \
        }                                                                                                    \
    } while (0)

/* The options of a line as a number, in its lowest bits the level; the macros above take it for a level. */
#define ESP_LOG_VERSION           1
#define ESP_LOG_LEVEL_LEN         3
#define ESP_LOG_LEVEL_MASK        ((1 << ESP_LOG_LEVEL_LEN) - 1)
#define ESP_LOG_GET_LEVEL(config) ((config)&ESP_LOG_LEVEL_MASK)
#define ESP_LOG_ENABLED(config)   (LOG_LOCAL_LEVEL >= ESP_LOG_GET_LEVEL(config))

#define ESP_LOG_CONFIG_LEVEL_MASK         ESP_LOG_LEVEL_MASK
#define ESP_LOG_CONFIG_CONSTRAINED_ENV    (1 << 3)
#define ESP_LOG_CONFIG_REQUIRE_FORMATTING (1 << 4)
#define ESP_LOG_CONFIG_DIS_COLOR          (1 << 5)
#define ESP_LOG_CONFIG_DIS_TIMESTAMP      (1 << 6)
#define ESP_LOG_CONFIG_BINARY_MODE        (1 << 7)
#ifndef ESP_LOG_CONFIGS_DEFAULT
#define ESP_LOG_CONFIGS_DEFAULT ESP_LOG_CONFIG_REQUIRE_FORMATTING
#endif

typedef struct {
    union {
        struct {
            esp_log_level_t log_level : ESP_LOG_LEVEL_LEN;
            uint32_t constrained_env : 1;    /* accepted: there is no such environment */
            uint32_t require_formatting : 1; /* prefix, colour and newline; without it the text alone */
            uint32_t dis_color : 1;
            uint32_t dis_timestamp : 1;
            uint32_t binary_mode : 1; /* accepted: lines are texts */
            uint32_t reserved : 24;
        } opts;
        uint32_t data;
    };
} esp_log_config_t;

#ifdef __cplusplus
#define ESP_LOG_CONFIG_INIT(configs)                                                                         \
    (__extension__({                                                                                         \
        esp_log_config_t esp_log_config_ = {};                                                               \
        esp_log_config_.data = (uint32_t)(configs);                                                          \
        esp_log_config_;                                                                                     \
    }))
#else
#define ESP_LOG_CONFIG_INIT(configs) ((esp_log_config_t){.data = (uint32_t)(configs)})
#endif

/** One line (or text, see opts.require_formatting) if the tag's level lets it through. */
void esp_log(esp_log_config_t config, const char *tag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void esp_log_va(esp_log_config_t config, const char *tag, const char *format, va_list args);

/* Texts and tags that some builds of ESP-IDF place apart. */
#define ESP_LOG_ATTR
#define ESP_LOG_ATTR_STR(str)      (str)
#define ESP_LOG_ATTR_DRAM_STR(str) (str)
// NOLINTNEXTLINE(bugprone-macro-parentheses): it declares a name
#define ESP_LOG_ATTR_TAG(tag, str) static __attribute__((unused)) const char *tag = str
// NOLINTNEXTLINE(bugprone-macro-parentheses): it declares a name
#define ESP_LOG_ATTR_TAG_DRAM(tag, str) static __attribute__((unused)) const char tag[] = str

/* The escape sequences that colour a line, for programs that write such lines themselves. */
#define LOG_ANSI_COLOR_BLACK           "30"
#define LOG_ANSI_COLOR_RED             "31"
#define LOG_ANSI_COLOR_GREEN           "32"
#define LOG_ANSI_COLOR_YELLOW          "33"
#define LOG_ANSI_COLOR_BLUE            "34"
#define LOG_ANSI_COLOR_MAGENTA         "35"
#define LOG_ANSI_COLOR_CYAN            "36"
#define LOG_ANSI_COLOR_WHITE           "37"
#define LOG_ANSI_COLOR_DEFAULT         "39"
#define LOG_ANSI_COLOR_BG_BLACK        "40"
#define LOG_ANSI_COLOR_BG_RED          "41"
#define LOG_ANSI_COLOR_BG_GREEN        "42"
#define LOG_ANSI_COLOR_BG_YELLOW       "43"
#define LOG_ANSI_COLOR_BG_BLUE         "44"
#define LOG_ANSI_COLOR_BG_MAGENTA      "45"
#define LOG_ANSI_COLOR_BG_CYAN         "46"
#define LOG_ANSI_COLOR_BG_WHITE        "47"
#define LOG_ANSI_COLOR_BG_DEFAULT      "49"
#define LOG_ANSI_COLOR_STYLE_RESET     "0"
#define LOG_ANSI_COLOR_STYLE_BOLD      "1"
#define LOG_ANSI_COLOR_STYLE_ITALIC    "3"
#define LOG_ANSI_COLOR_STYLE_UNDERLINE "4"
#define LOG_ANSI_COLOR_STYLE_REVERSE   "7"

#define LOG_ANSI_COLOR(color)           "\033[" color "m"
#define LOG_ANSI_COLOR_BG(color)        LOG_ANSI_COLOR(color)
#define LOG_ANSI_COLOR_RESET            LOG_ANSI_COLOR(LOG_ANSI_COLOR_STYLE_RESET)
#define LOG_ANSI_COLOR_REVERSE          LOG_ANSI_COLOR(LOG_ANSI_COLOR_STYLE_REVERSE)
#define LOG_ANSI_COLOR_REGULAR(color)   LOG_ANSI_COLOR(LOG_ANSI_COLOR_STYLE_RESET ";" color)
#define LOG_ANSI_COLOR_BOLD(color)      LOG_ANSI_COLOR(LOG_ANSI_COLOR_STYLE_BOLD ";" color)
#define LOG_ANSI_COLOR_ITALIC(color)    LOG_ANSI_COLOR(LOG_ANSI_COLOR_STYLE_ITALIC ";" color)
#define LOG_ANSI_COLOR_UNDERLINE(color) LOG_ANSI_COLOR(LOG_ANSI_COLOR_STYLE_UNDERLINE ";" color)

#define LOG_ANSI_COLOR_BACKGROUND(color, bg)           LOG_ANSI_COLOR(color ";" bg)
#define LOG_ANSI_COLOR_REGULAR_BACKGROUND(color, bg)   LOG_ANSI_COLOR_REGULAR(color ";" bg)
#define LOG_ANSI_COLOR_BOLD_BACKGROUND(color, bg)      LOG_ANSI_COLOR_BOLD(color ";" bg)
#define LOG_ANSI_COLOR_ITALIC_BACKGROUND(color, bg)    LOG_ANSI_COLOR_ITALIC(color ";" bg)
#define LOG_ANSI_COLOR_UNDERLINE_BACKGROUND(color, bg) LOG_ANSI_COLOR_UNDERLINE(color ";" bg)
#define LOG_ANSI_COLOR_FORMAT(style, color, bg)        LOG_ANSI_COLOR(style ";" color ";" bg)

#define LOG_ANSI_CLEAR_SCREEN    "\033[2J"
#define LOG_ANSI_SET_CURSOR_HOME "\033[H"

#define LOG_COLOR_BLACK      LOG_ANSI_COLOR_BLACK
#define LOG_COLOR_RED        LOG_ANSI_COLOR_RED
#define LOG_COLOR_GREEN      LOG_ANSI_COLOR_GREEN
#define LOG_COLOR_BROWN      LOG_ANSI_COLOR_YELLOW
#define LOG_COLOR_YELLOW     LOG_ANSI_COLOR_YELLOW
#define LOG_COLOR_BLUE       LOG_ANSI_COLOR_BLUE
#define LOG_COLOR_PURPLE     LOG_ANSI_COLOR_MAGENTA
#define LOG_COLOR_MAGENTA    LOG_ANSI_COLOR_MAGENTA
#define LOG_COLOR_CYAN       LOG_ANSI_COLOR_CYAN
#define LOG_COLOR_WHITE      LOG_ANSI_COLOR_WHITE
#define LOG_COLOR(color)     LOG_ANSI_COLOR_REGULAR(color)
#define LOG_BOLD(color)      LOG_ANSI_COLOR_BOLD(color)
#define LOG_ITALIC(color)    LOG_ANSI_COLOR_ITALIC(color)
#define LOG_UNDERLINE(color) LOG_ANSI_COLOR_UNDERLINE(color)
#define LOG_RESET_COLOR      LOG_ANSI_COLOR_RESET

/* Formats of whole lines, in colour if the build says so. */
#ifdef CONFIG_LOG_COLORS
#define LOG_COLOR_E   LOG_COLOR(LOG_COLOR_RED)
#define LOG_COLOR_W   LOG_COLOR(LOG_COLOR_YELLOW)
#define LOG_COLOR_I   LOG_COLOR(LOG_COLOR_GREEN)
#define LOG_LINE_END_ LOG_RESET_COLOR "\n"
#else
#define LOG_COLOR_E   ""
#define LOG_COLOR_W   ""
#define LOG_COLOR_I   ""
#define LOG_LINE_END_ "\n"
#endif
#define LOG_COLOR_D ""
#define LOG_COLOR_V ""
/** Of esp_log_timestamp(), the tag and the arguments of `format`; the second of esp_log_system_timestamp() instead. */
#define LOG_FORMAT(letter, format)             LOG_COLOR_##letter #letter " (%" PRIu32 ") %s: " format LOG_LINE_END_
#define LOG_SYSTEM_TIME_FORMAT(letter, format) LOG_COLOR_##letter #letter " (%s) %s: " format LOG_LINE_END_

#define ESP_LOGE(tag, format, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_ERROR, tag, format, ##__VA_ARGS__)
#define ESP_LOGW(tag, format, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_WARN, tag, format, ##__VA_ARGS__)
#define ESP_LOGI(tag, format, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_INFO, tag, format, ##__VA_ARGS__)
#define ESP_LOGD(tag, format, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_DEBUG, tag, format, ##__VA_ARGS__)
#define ESP_LOGV(tag, format, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_VERBOSE, tag, format, ##__VA_ARGS__)

/* There is no time before the log works, and no code that may not call it: these are the plain ones. */
#define ESP_LOG_EARLY_IMPL(tag, format, level, letter, ...)                                                  \
    ESP_LOG_LEVEL_LOCAL(level, tag, format, ##__VA_ARGS__)
#define ESP_DRAM_LOG_IMPL(tag, format, level, letter, ...)                                                   \
    ESP_LOG_LEVEL_LOCAL(level, tag, format, ##__VA_ARGS__)
#define ESP_EARLY_LOGE ESP_LOGE
#define ESP_EARLY_LOGW ESP_LOGW
#define ESP_EARLY_LOGI ESP_LOGI
#define ESP_EARLY_LOGD ESP_LOGD
#define ESP_EARLY_LOGV ESP_LOGV
#define ESP_DRAM_LOGE  ESP_LOGE
#define ESP_DRAM_LOGW  ESP_LOGW
#define ESP_DRAM_LOGI  ESP_LOGI
#define ESP_DRAM_LOGD  ESP_LOGD
#define ESP_DRAM_LOGV  ESP_LOGV

#define ESP_LOG_BUFFER_HEX_LEVEL(tag, buffer, len, level)                                                    \
    do {                                                                                                     \
        if (ESP_LOG_ENABLED(level)) {                                                                        \
            esp_log_buffer_hex_internal(tag, buffer, len, level);                                            \
        }                                                                                                    \
    } while (0)
#define ESP_LOG_BUFFER_CHAR_LEVEL(tag, buffer, len, level)                                                   \
    do {                                                                                                     \
        if (ESP_LOG_ENABLED(level)) {                                                                        \
            esp_log_buffer_char_internal(tag, buffer, len, level);                                           \
        }                                                                                                    \
    } while (0)
#define ESP_LOG_BUFFER_HEXDUMP(tag, buffer, len, level)                                                      \
    do {                                                                                                     \
        if (ESP_LOG_ENABLED(level)) {                                                                        \
            esp_log_buffer_hexdump_internal(tag, buffer, len, level);                                        \
        }                                                                                                    \
    } while (0)
#define ESP_LOG_BUFFER_HEX(tag, buffer, len)  ESP_LOG_BUFFER_HEX_LEVEL(tag, buffer, len, ESP_LOG_INFO)
#define ESP_LOG_BUFFER_CHAR(tag, buffer, len) ESP_LOG_BUFFER_CHAR_LEVEL(tag, buffer, len, ESP_LOG_INFO)

/* ESP-IDF 3's names of the same. */
#define esp_log_buffer_hex(tag, buffer, len)  ESP_LOG_BUFFER_HEX(tag, buffer, len)
#define esp_log_buffer_char(tag, buffer, len) ESP_LOG_BUFFER_CHAR(tag, buffer, len)

#ifdef __cplusplus
}
#endif
