/* From a verb's arguments to its function, and its help. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

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

int cli_run_verb(const cli_verb_t *verb, int argc, char **argv)
{
    char why[OPTIONS_WHY_SIZE];
    int status = EXIT_DONE;
    if (verb->pass != NULL) {
        return verb->pass(argc, argv);
    }
    void *options = malloc(verb->size);
    if (options == NULL) {
        return cli_fail(verb->name, "out of memory");
    }
    memcpy(options, verb->defaults, verb->size);
    switch (options_take(verb->options, argc, argv, options, why)) {
    case OPTIONS_HELP:
        print_help(verb);
        break;
    case OPTIONS_WRONG:
        status = cli_usage(verb->name, "%s", why);
        break;
    case OPTIONS_TAKEN:
        status = verb->run(options);
    }
    if (verb->end != NULL) {
        verb->end(options);
    }
    free(options);
    return status;
}
