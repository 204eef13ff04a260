/* The colours around a log line are ours; everything between them is cleaned. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "clean_log.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clean_text.h"
#include "esp_log.h"
#include "otter/system.h"

#define COLOR_START "\033[0;3" /* a digit and 'm' follow */
#define COLOR_LEN   (sizeof(COLOR_START) + 1)
#define COLOR_END   "\033[0m\n"

static bool has_color;

/** The end that the log itself put behind a line. */
static const char *own_end(const char *line, size_t len, bool colored)
{
    size_t end_len = sizeof(COLOR_END) - 1;
    if (colored && len >= COLOR_LEN + end_len && strcmp(line + len - end_len, COLOR_END) == 0) {
        return COLOR_END;
    }
    return len > 0 && line[len - 1] == '\n' ? "\n" : "";
}

static int print_clean(const char *format, va_list args)
{
    char *raw = NULL;
    int raw_len = vasprintf(&raw, format, args);
    size_t len = raw_len > 0 ? (size_t)raw_len : 0;
    char *clean = raw_len >= 0 ? malloc(COLOR_LEN + CLEAN_TEXT_SIZE(len) + sizeof(COLOR_END)) : NULL;
    if (clean == NULL) {
        free(raw_len >= 0 ? raw : NULL);
        return -1; /* out of memory: nothing that can be shown */
    }
    bool colored = has_color && strncmp(raw, COLOR_START, strlen(COLOR_START)) == 0 && len > COLOR_LEN;
    const char *end = own_end(raw, len, colored);
    size_t head = colored ? COLOR_LEN : 0;
    memcpy(clean, raw, head);
    clean_text(clean + head, raw + head, len - head - strlen(end));
    size_t used = strlen(clean);
    memcpy(clean + used, end, strlen(end) + 1);
    used += strlen(end);
    otter_console_write(clean, used);
    free(clean);
    free(raw);
    return (int)used;
}

void clean_log_begin(void)
{
    has_color = otter_console_has_color();
    otter_log_set_color(has_color);
    (void)esp_log_set_vprintf(print_clean);
}
