/* The otter command: finds the verb, hands over. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "clean_log.h"
#include "host/standard_files.h"
#include "linux/openssl_start.h"
#include "otter/version.h"
#include "papers.h"

/* Verbs of two words stand behind each other; what they have in common is the group. */
static const cli_verb_t *const verbs[] = {
    /* image */
    &image_info_verb,
    &image_verify_verb,
    &image_build_verb,
    &image_sign_verb,
    &image_encrypt_verb,
    &image_decrypt_verb,
    /* key */
    &key_new_verb,
    &key_digest_verb,
    &key_public_verb,
    /* table */
    &table_build_verb,
    &table_show_verb,
    /* flash */
    &flash_new_verb,
    &flash_info_verb,
    &flash_select_verb,
    &flash_table_verb,
    &flash_read_verb,
    &flash_write_verb,
    &flash_verify_verb,
    &flash_erase_verb,
    &flash_encrypt_verb,
    &flash_decrypt_verb,
    /* efuse */
    &efuse_show_verb,
    &efuse_burn_verb,
    &efuse_import_verb,
    /* device */
    &update_verb,
    &boot_verb,
    &confirm_verb,
    &reject_verb,
    &agent_verb,
    /* fleet */
    &fleet_simulate_verb,
    &fleet_image_verb,
    /* nvs */
    &nvs_show_verb,
    &nvs_get_verb,
    &nvs_set_verb,
    &nvs_erase_verb,
    &nvs_check_verb,
    /* device */
    &run_verb,
    &serve_verb,
    /* project */
    &new_verb,
    &build_verb,
    &menuconfig_verb,
    &idf_path_verb,
    &idf_components_verb,
};
#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

static const struct {
    const char *name, *line;
} groups[] = {
    {"image", "build, sign, encrypt, inspect and verify app images"},
    {"key", "make the keys that images are signed with, and tell what devices know of them"},
    {"table", "build and show partition tables"},
    {"flash", "make, explain, repair, read and write flash files: byte for byte what a chip's flash holds"},
    {"efuse", "show, burn and import what a device keeps in eFuses: its chip, its keys, its secure version"},
    {"fleet", "try how a release would spread through thousands of devices"},
    {"nvs", "list, get, set and check the values that firmware keeps in flash"},
};
#define GROUP_COUNT (sizeof(groups) / sizeof(groups[0]))

/** The second word of a verb of this group; NULL: it is of another. A verb of one word has no group. */
static const char *word_in_group(const cli_verb_t *verb, const char *group)
{
    size_t len = strlen(group);
    return strncmp(verb->name, group, len) == 0 && verb->name[len] == ' ' ? verb->name + len + 1 : NULL;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

static void print_line(const char *name, const char *line)
{
    printf("  %-8s %s\n", name, line);
}

static void print_help(void)
{
    printf("otter: the ESP HTTPS OTA system, anywhere\n\n"
           "usage: otter VERB ...        `otter VERB --help` explains each\n\n");
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        print_line(groups[i].name, groups[i].line);
    }
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strchr(verbs[i]->name, ' ') == NULL) {
            print_line(verbs[i]->name, verbs[i]->line);
        }
    }
    printf("\nexit status: 0 done, 1 the operation failed (one line says why), 2 wrong usage\n");
}

static void print_group_help(const char *group, const char *line)
{
    printf("otter %s: %s\n\nusage: otter %s VERB ...        `otter %s VERB --help` explains each\n\n", group,
           line, group, group);
    for (size_t i = 0; i < VERB_COUNT; i++) {
        const char *word = word_in_group(verbs[i], group);
        if (word != NULL) {
            print_line(word, verbs[i]->line);
        }
    }
}

/** The next word of a group. */
static int run_group(const char *group, const char *line, int argc, char **argv)
{
    char words[96] = "";
    const char *meant = NULL;
    if (argc > 1 && is_help(argv[1])) {
        print_group_help(group, line);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < VERB_COUNT; i++) {
        const char *word = word_in_group(verbs[i], group);
        if (word != NULL && argc > 1 && strcmp(argv[1], word) == 0) {
            return cli_run_verb(verbs[i], argc - 1, argv + 1);
        }
        if (word != NULL) {
            size_t used = strlen(words);
            snprintf(words + used, sizeof(words) - used, "%s%s", used > 0 ? ", " : "", word);
            meant = argc > 1 && options_resemble(argv[1], word) ? word : meant;
        }
    }
    return argc > 1 ? cli_usage(group, "there is no verb '%s'; %s%s", argv[1], meant != NULL ? meant : words,
                                meant != NULL ? ", perhaps?" : "")
                    : cli_usage(group, "which verb? %s", words);
}

static int run(int argc, char **argv)
{
    const char *name = argv[1], *meant = NULL;
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        if (strcmp(name, groups[i].name) == 0) {
            return run_group(name, groups[i].line, argc - 1, argv + 1);
        }
        meant = options_resemble(name, groups[i].name) ? groups[i].name : meant;
    }
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(name, verbs[i]->name) == 0) {
            return cli_run_verb(verbs[i], argc - 1, argv + 1);
        }
        meant = options_resemble(name, verbs[i]->name) ? verbs[i]->name : meant;
    }
    fprintf(stderr, "otter: there is no verb '%s'; %s%s`otter --help` lists them\n", name,
            meant != NULL ? meant : "", meant != NULL ? ", perhaps? " : "");
    return EXIT_USAGE;
}

static int run_command(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "otter: which verb? `otter --help` lists them\n");
        return EXIT_USAGE;
    }
    if (is_help(argv[1])) {
        print_help();
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("otter " OTTER_VERSION " (ESP-IDF OTA API v5.5)\n");
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--man") == 0) {
        papers_print_man(verbs, VERB_COUNT);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--complete") == 0) { /* what completions/ asks for */
        return papers_complete(verbs, VERB_COUNT, argc - 2, argv + 2);
    }
    return run(argc, argv);
}

int main(int argc, char **argv)
{
    if (!standard_files_hold()) {
        return EXIT_FAILED;
    }
    signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error like a full disk */
    clean_log_begin();
    openssl_start_wiping(); /* private keys are read by many verbs */
    int status = run_command(argc, argv);
    const char *why = standard_output_end();
    if (why != NULL && status == EXIT_DONE) {
        fprintf(stderr, "otter: cannot write to standard output: %s\n", why);
        status = EXIT_FAILED;
    }
    return status;
}
