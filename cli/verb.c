/* From a verb's arguments to its function, and its help. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build_folder.h"
#include "cli.h"
#include "linux/flash_medium.h"

static void print_help(const cli_verb_t *verb)
{
    printf("usage: otter %s", verb->name);
    options_print_usage(stdout, verb->options);
    printf("\n");
    options_print_text(stdout, verb->about, 0);
    printf("\n");
    options_print_help(stdout, verb->options);
    if (verb->after != NULL) {
        printf("\n");
        options_print_text(stdout, verb->after, 0);
    }
}

/** A build folder is no flash, and has one. @return false, and said: that is what was meant. `otter run` takes the folder */
static bool is_no_folder(const cli_verb_t *verb, const void *options)
{
    for (const option_row_t *row = verb->options; row->kind != NULL || row->name != NULL; row++) {
        char path[4096];
        const char *flash;
        if (row->kind != &option_argument || strcmp(row->name, "FLASH") != 0 ||
            strcmp(verb->name, "run") == 0) {
            continue;
        }
        memcpy(&flash, (const char *)options + row->target, sizeof(flash));
        static const char *const inside[] = {"flash/flash.bin", BUILD_FOLDER_NAME "/flash/flash.bin"};
        for (size_t i = 0; i < 2; i++) {
            int len = snprintf(path, sizeof(path), "%s/%s", flash, inside[i]);
            if (len > 0 && (size_t)len < sizeof(path) && access(path, F_OK) == 0) {
                return cli_refuse(verb->name, "%s is a folder; its flash file is %s", flash, path);
            }
        }
    }
    return true;
}

static const char *running; /* the verb that waits */

static void tell_wait(const char *path, const char *text)
{
    cli_note(running, "%s: %s", path, text);
}

int cli_run_verb(const cli_verb_t *verb, int argc, char **argv)
{
    char why[OPTIONS_WHY_SIZE];
    int status = EXIT_DONE;
    running = verb->name;
    flash_medium_tell_waits(tell_wait);
    if (verb->pass != NULL) {
        return verb->pass(argc, argv);
    }
    void *options = calloc(1, verb->size);
    if (options == NULL) {
        return cli_fail(verb->name, "out of memory");
    }
    if (verb->defaults != NULL) {
        memcpy(options, verb->defaults, verb->size);
    }
    switch (options_take(verb->options, argc, argv, options, why)) {
    case OPTIONS_HELP:
        print_help(verb);
        break;
    case OPTIONS_WRONG:
        status = cli_usage(verb->name, "%s", why);
        break;
    case OPTIONS_TAKEN:
        status = is_no_folder(verb, options) ? verb->run(options) : EXIT_FAILED;
    }
    if (verb->end != NULL) {
        verb->end(options);
    }
    free(options);
    return status;
}
