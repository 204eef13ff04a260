/* ESP-IDF's log: "I (123) tag: message", filtered by tag and level, written through one replaceable vprintf. */
#pragma once

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sdkconfig.h"

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

/** Milliseconds since the program started. */
uint32_t esp_log_timestamp(void);
uint32_t esp_log_early_timestamp(void);

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
        if ((level) <= esp_log_level_get(tag)) {                                                             \
            otter_log_line((level), (tag), format, ##__VA_ARGS__);                                           \
        }                                                                                                    \
    } while (0)

#define ESP_LOG_LEVEL_LOCAL(level, tag, format, ...)                                                         \
    do {                                                                                                     \
        if (LOG_LOCAL_LEVEL >= (level)) {                                                                    \
            ESP_LOG_LEVEL(level, tag, format, ##__VA_ARGS__);                                                \
        }                                                                                                    \
    } while (0)

/* The escape sequences that colour a line, for programs that write such lines themselves. */
#define LOG_COLOR_BLACK  "30"
#define LOG_COLOR_RED    "31"
#define LOG_COLOR_GREEN  "32"
#define LOG_COLOR_BROWN  "33"
#define LOG_COLOR_BLUE   "34"
#define LOG_COLOR_PURPLE "35"
#define LOG_COLOR_CYAN   "36"
#define LOG_COLOR(color) "\033[0;" color "m"
#define LOG_BOLD(color)  "\033[1;" color "m"
#define LOG_RESET_COLOR  "\033[0m"

#define ESP_LOGE(tag, format, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_ERROR, tag, format, ##__VA_ARGS__)
#define ESP_LOGW(tag, format, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_WARN, tag, format, ##__VA_ARGS__)
#define ESP_LOGI(tag, format, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_INFO, tag, format, ##__VA_ARGS__)
#define ESP_LOGD(tag, format, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_DEBUG, tag, format, ##__VA_ARGS__)
#define ESP_LOGV(tag, format, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_VERBOSE, tag, format, ##__VA_ARGS__)

/* There is no time before the log works, and no code that may not call it: these are the plain ones. */
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
        if (LOG_LOCAL_LEVEL >= (level)) {                                                                    \
            esp_log_buffer_hex_internal(tag, buffer, len, level);                                            \
        }                                                                                                    \
    } while (0)
#define ESP_LOG_BUFFER_CHAR_LEVEL(tag, buffer, len, level)                                                   \
    do {                                                                                                     \
        if (LOG_LOCAL_LEVEL >= (level)) {                                                                    \
            esp_log_buffer_char_internal(tag, buffer, len, level);                                           \
        }                                                                                                    \
    } while (0)
#define ESP_LOG_BUFFER_HEXDUMP(tag, buffer, len, level)                                                      \
    do {                                                                                                     \
        if (LOG_LOCAL_LEVEL >= (level)) {                                                                    \
            esp_log_buffer_hexdump_internal(tag, buffer, len, level);                                        \
        }                                                                                                    \
    } while (0)
#define ESP_LOG_BUFFER_HEX(tag, buffer, len)  ESP_LOG_BUFFER_HEX_LEVEL(tag, buffer, len, ESP_LOG_INFO)
#define ESP_LOG_BUFFER_CHAR(tag, buffer, len) ESP_LOG_BUFFER_CHAR_LEVEL(tag, buffer, len, ESP_LOG_INFO)

#ifdef __cplusplus
}
#endif
