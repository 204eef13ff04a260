/* A line of a console, as words. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>

#include "esp_console.h"

size_t esp_console_split_argv(char *line, char **argv, size_t argv_size)
{
    if (line == NULL || argv == NULL || argv_size == 0) {
        return 0;
    }
    size_t count = 0;
    char *to = line;
    bool in_word = false, in_quotes = false, room = argv_size > 1;
    for (const char *from = line; room && *from != '\0'; from++) {
        bool escaped = *from == '\\' && from[1] != '\0';
        bool ends = !in_quotes && !escaped && *from == ' ';
        if (ends && in_word) {
            *to++ = '\0';
            in_word = false;
            room = count < argv_size - 1;
        }
        if (ends) {
            continue;
        }
        if (!in_word) {
            argv[count++] = to;
            in_word = true;
        }
        if (!escaped && *from == '"') {
            in_quotes = !in_quotes;
            continue;
        }
        from += escaped;
        *to++ = *from;
    }
    *to = '\0';
    argv[count] = NULL;
    return count;
}
