/* What the verbs of `otter` share: the table of verbs, exit statuses and the one-line error. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1, /* the operation failed: one line on stderr says what, where, and the next step */
    EXIT_USAGE = 2,  /* wrong usage */
};

/* A verb gets the arguments after its name (argv[0] is the verb) and returns an exit status. One file each. */
int cmd_image(int argc, char **argv);
int cmd_table(int argc, char **argv);
int cmd_flash(int argc, char **argv);
int cmd_update(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_serve(int argc, char **argv);

/** Prints "otter VERB: message" on stderr. @return EXIT_FAILED */
int cli_fail(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The same for what is no failure yet. */
void cli_note(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The same for wrong usage, with the hint to --help. @return EXIT_USAGE */
int cli_usage(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Prints what was done on standard output, at once. If that cannot be told it is done all the same. */
void cli_did(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** True if what is written to `path` goes to standard output, under whatever name: then nothing else may. */
bool cli_is_standard_output(const char *path);

/**
 * Reads a whole file. On failure says so (cli_fail) and returns NULL.
 * @param max  bytes; a larger file is refused
 * @return malloc'ed bytes plus one 0 byte behind them; *len without it. The caller frees.
 */
uint8_t *cli_read_file(const char *verb, const char *path, size_t max, size_t *len);

/** Writes a whole file, there complete or not at all (host/named_file.h). "-": standard output. Says when it cannot. */
bool cli_write_file(const char *verb, const char *path, const void *data, size_t len);

/** An offset in the largest flash, in whole `unit` bytes: a number or a size (host/number.h). */
bool cli_parse_offset(const char *text, uint32_t unit, uint32_t *offset);
