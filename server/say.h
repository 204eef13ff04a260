/* Exit statuses and the one-line error of `otter serve`. */
#pragma once

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1, /* one line on stderr says what, where, and the next step */
    EXIT_USAGE = 2,
};

/** Prints "otter serve: message" on stderr. @return EXIT_FAILED */
int say_failure(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** The same for wrong usage, with the hint to --help. @return EXIT_USAGE */
int say_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
