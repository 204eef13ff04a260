/* The man page and the completions of shells, from the verbs' tables: they cannot say anything else than --help. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "papers.h"

#include <stdio.h>
#include <string.h>

#include "otter/version.h"

void papers_print_man(const cli_verb_t *const *verbs, size_t count)
{
    printf(".TH OTTER 1 \"\" \"otter " OTTER_VERSION "\" \"otter\"\n.SH NAME\n"
           "otter \\- the ESP HTTPS OTA system, anywhere\n.SH SYNOPSIS\n.nf\n");
    for (size_t i = 0; i < count; i++) {
        printf("otter %s", verbs[i]->name);
        if (verbs[i]->options != NULL) {
            options_print_usage(stdout, verbs[i]->options);
        } else {
            printf(" [OPTION]...\n");
        }
    }
    printf(".fi\n.SH DESCRIPTION\n"
           "ESP\\-IDF's over\\-the\\-air update system on a PC: images, partition tables, flash files of any "
           "chip, "
           "updates over HTTPS, and a virtual device.\n.SH VERBS\n");
    for (size_t i = 0; i < count; i++) {
        const cli_verb_t *verb = verbs[i];
        printf(".SS otter %s\n", verb->name);
        options_print_man(stdout, verb->line, NULL);
        if (verb->options != NULL) {
            printf(".PP\n");
            options_print_man(stdout, verb->about, verb->options);
        }
        if (verb->after != NULL) {
            printf(".PP\n");
            options_print_man(stdout, verb->after, NULL);
        }
    }
    printf(".SH EXIT STATUS\n0 when done, 1 when the operation failed (one line on standard error says why), "
           "2 for wrong "
           "usage; of\n.B otter run\nand\n.B otter update\nas their sections say.\n.SH FILES\n.TP\n.I "
           "FLASH.efuse\n"
           "what the chip of the flash file FLASH keeps in eFuses, as text\n.SH SEE ALSO\n.BR otter\\-serve "
           "(1)\n");
}

/** The verbs' words that go on from the first `depth` of `word`. */
static void complete_verb(const cli_verb_t *const *verbs, size_t count, int depth, char **word)
{
    const char *group = depth > 0 ? word[0] : "", *typed = word[depth], *last = "";
    size_t skip = depth > 0 ? strlen(group) + 1 : 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = verbs[i]->name;
        if (strncmp(name, group, strlen(group)) != 0 || (depth > 0 && name[skip - 1] != ' ')) {
            continue;
        }
        size_t len = strcspn(name + skip, " ");
        bool is_new = strncmp(name, last, skip + len) != 0 || strlen(last) < skip + len;
        if (is_new && strncmp(name + skip, typed, strlen(typed)) == 0) {
            printf("%.*s\n", (int)len, name + skip);
        }
        last = name;
    }
}

/** Words that the verb's name has, if the first of `word` are they; 0: they are not. */
static int words_of(const cli_verb_t *verb, int words, char **word)
{
    char two[64];
    if (words > 1 && strcmp(verb->name, word[0]) == 0) {
        return 1;
    }
    snprintf(two, sizeof(two), "%s %s", word[0], words > 2 ? word[1] : "");
    return words > 2 && strcmp(verb->name, two) == 0 ? 2 : 0;
}

int papers_complete(const cli_verb_t *const *verbs, size_t count, int words, char **word)
{
    for (size_t i = 0; i < count && words > 0; i++) {
        int named = words_of(verbs[i], words, word);
        if (named > 0 && verbs[i]->pass != NULL) { /* it knows its options itself */
            static char complete[] = "--complete";
            word[-1] = word[0];
            word[0] = complete;
            return verbs[i]->pass(words + 1, word - 1);
        }
        if (named > 0) {
            options_print_completions(stdout, verbs[i]->options, words - named, word + named);
            return EXIT_DONE;
        }
    }
    if (words == 1 || words == 2) {
        complete_verb(verbs, count, words - 1, word);
    }
    return EXIT_DONE;
}
