/* Text as one word of a command line that people copy into a shell. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "shell_word.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *shell_word(const char *text, char *buf, size_t size)
{
    size_t used = 0;
    bool plain = *text != '\0';
    for (const char *p = text; *p != '\0'; p++) {
        plain = plain && (isalnum((unsigned char)*p) || strchr("_@%+=:,./-", *p) != NULL);
    }
    if (plain) {
        snprintf(buf, size, "%s", text);
        return buf;
    }
    buf[used++] = '\'';
    for (const char *p = text; *p != '\0' && used + 6 < size; p++) {
        const char *piece = *p == '\'' ? "'\\''" : (const char[2]){*p, '\0'};
        used += (size_t)snprintf(buf + used, size - used, "%s", piece);
    }
    snprintf(buf + used, size - used, "'");
    return buf;
}
