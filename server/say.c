/* The one-line error of `otter serve`. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>

static void print_line(const char *format, va_list args, const char *hint)
{
    flockfile(stderr);
    fputs("otter serve: ", stderr);
    vfprintf(stderr, format, args);
    fprintf(stderr, "%s\n", hint);
    funlockfile(stderr);
}

int say_failure(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_line(format, args, "");
    va_end(args);
    return EXIT_FAILED;
}

int say_usage(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_line(format, args, "; `otter serve --help` shows the usage");
    va_end(args);
    return EXIT_USAGE;
}
