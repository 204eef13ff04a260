/* What the verbs of `otter` share: how one is told of, and the one-line error. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "host/options.h"
#include "otter/promise.h"

/** A verb, as "flash info", and all that is told of it. One file each, as a rule. */
typedef struct {
    const char *name;
    const char *line; /* what it does, for the list of verbs */
    const char *about,
        *after; /* help before and behind the options (options_print_text()); `after` may be NULL */
    const option_row_t *options;        /* NULL of a verb that reads its arguments itself */
    size_t size;                        /* bytes of the struct that they fill */
    const void *defaults;               /* of it; NULL: all of it is 0 */
    int (*run)(void *options);          /* @return an exit status */
    void (*end)(void *options);         /* frees what the options own, in any case; NULL: nothing */
    int (*pass)(int argc, char **argv); /* instead of all that */
} cli_verb_t;

extern const cli_verb_t image_info_verb, image_verify_verb, image_build_verb, image_sign_verb;
extern const cli_verb_t image_encrypt_verb, image_decrypt_verb;
extern const cli_verb_t key_new_verb, key_digest_verb, key_public_verb;
extern const cli_verb_t efuse_show_verb, efuse_burn_verb, efuse_import_verb;
extern const cli_verb_t table_build_verb, table_show_verb;
extern const cli_verb_t flash_new_verb, flash_info_verb, flash_select_verb, flash_table_verb;
extern const cli_verb_t flash_read_verb, flash_write_verb, flash_erase_verb;
extern const cli_verb_t flash_encrypt_verb, flash_decrypt_verb, flash_verify_verb;
extern const cli_verb_t build_verb, idf_components_verb, idf_path_verb, menuconfig_verb, new_verb;
extern const cli_verb_t nvs_show_verb, nvs_get_verb, nvs_set_verb, nvs_erase_verb, nvs_check_verb;
extern const cli_verb_t fleet_simulate_verb, fleet_image_verb;
extern const cli_verb_t agent_verb, update_verb, boot_verb, confirm_verb, reject_verb, run_verb, serve_verb;

/** Runs a verb, or shows its help. @param argv  argv[0] is its name. @return an exit status */
int cli_run_verb(const cli_verb_t *verb, int argc, char **argv);

/** Prints "otter VERB: message" on stderr. @return EXIT_FAILED */
int cli_fail(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The same from where success is true. @return false */
bool cli_refuse(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

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
OTTER_MUST_CHECK uint8_t *cli_read_file(const char *verb, const char *path, size_t max, size_t *len);

/** Writes a whole file, there complete or not at all (host/named_file.h). "-": standard output. Says when it cannot. */
OTTER_MUST_CHECK bool cli_write_file(const char *verb, const char *path, const void *data, size_t len);
