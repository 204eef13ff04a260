/* The otter command: finds the verb, hands over. */
#include "cli.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "clean_log.h"
#include "host/standard_files.h"

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *line;
} verbs[] = {
    {"image", cmd_image, "build, inspect and verify app images"},
    {"table", cmd_table, "build and show partition tables"},
    {"flash", cmd_flash, "make, explain, repair, read and write flash files"},
    {"update", cmd_update, "update a flash file over HTTPS"},
    {"run", cmd_run, "run the virtual device on a flash file"},
    {"serve", cmd_serve, "serve the firmware of one folder over HTTPS"},
};

static void print_help(FILE *out)
{
    fprintf(out, "otter: the ESP HTTPS OTA system, anywhere\n\n"
                 "usage: otter VERB ...        `otter VERB --help` explains each\n\n");
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        fprintf(out, "  %-8s %s\n", verbs[i].name, verbs[i].line);
    }
    fprintf(out, "\nexit status: 0 done, 1 the operation failed (one line says why), 2 wrong usage\n");
}

static int run_verb(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("otter " OTTER_VERSION " (ESP-IDF OTA API v5.5)\n");
        return EXIT_DONE;
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(argv[1], verbs[i].name) == 0) {
            return verbs[i].run(argc - 1, argv + 1);
        }
    }
    fprintf(stderr, "otter: there is no verb '%s'; `otter --help` lists them\n", argv[1]);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    if (!standard_files_hold()) {
        return EXIT_FAILED;
    }
    signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error like a full disk */
    clean_log_begin();
    int status = run_verb(argc, argv);
    const char *why = standard_output_end();
    if (why != NULL && status == EXIT_DONE) {
        fprintf(stderr, "otter: cannot write to standard output: %s\n", why);
        status = EXIT_FAILED;
    }
    return status;
}
