/* Files and error lines for the verbs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clean_text.h"
#include "host/named_file.h"
#include "otter/promise.h"

/** What is told may be made of names from a flash file: none of it reaches the terminal raw. */
static void print_line(const char *verb, const char *format, va_list args)
{
    char *text = NULL, *clean = NULL;
    int len = vasprintf(&text, format, args);
    if (len >= 0) {
        clean = malloc(CLEAN_TEXT_SIZE((size_t)len));
    }
    fprintf(stderr, "otter %s: %s\n", verb,
            clean != NULL ? clean_text(clean, text, (size_t)len) : "out of memory");
    free(clean);
    free(len >= 0 ? text : NULL);
}

int cli_fail(const char *verb, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_line(verb, format, args);
    va_end(args);
    return EXIT_FAILED;
}

bool cli_refuse(const char *verb, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_line(verb, format, args);
    va_end(args);
    return false;
}

void cli_note(const char *verb, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_line(verb, format, args);
    va_end(args);
}

int cli_usage(const char *verb, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_line(verb, format, args);
    va_end(args);
    fprintf(stderr, "`otter %s --help` shows the usage\n", verb);
    return EXIT_USAGE;
}

void cli_did(const char *format, ...)
{
    char *text = NULL, *clean = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    clean = len >= 0 ? malloc(CLEAN_TEXT_SIZE((size_t)len) + 1) : NULL;
    if (clean != NULL) {
        size_t clean_len = strlen(clean_text(clean, text, (size_t)len));
        clean[clean_len] = '\n';
        fflush(stdout);
        otter_ignore(output_write(STDOUT_FILENO, clean, clean_len + 1));
    }
    free(clean);
    free(len >= 0 ? text : NULL);
}

bool cli_is_standard_output(const char *path)
{
    struct stat file, out;
    return strcmp(path, "-") == 0 || (stat(path, &file) == 0 && fstat(STDOUT_FILENO, &out) == 0 &&
                                      file.st_dev == out.st_dev && file.st_ino == out.st_ino);
}

uint8_t *cli_read_file(const char *verb, const char *path, size_t max, size_t *len)
{
    otter_fault_t fault;
    uint8_t *data = input_load(path, INPUT_ORDINARY, max, len, &fault);
    if (data == NULL) {
        cli_fail(verb, "%s: %s", path, fault.why);
    }
    return data;
}

bool cli_write_file(const char *verb, const char *path, const void *data, size_t len)
{
    otter_fault_t fault;
    if (strcmp(path, "-") == 0) {
        return output_write(STDOUT_FILENO, data, len) ||
               cli_refuse(verb, "cannot write: %s", strerror(errno));
    }
    return output_replace(path, data, len, false, &fault) ||
           cli_refuse(verb, "cannot write %s: %s", path, fault.why);
}
