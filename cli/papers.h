/* What is made of all verbs' tables: the man page, and what a shell may complete. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli.h"

/** Prints otter(1) for man. */
void papers_print_man(const cli_verb_t *const *verbs, size_t count);

/**
 * Prints what may stand for the last of the words behind "otter", one a line.
 * @param word  there is one more before the first; both may be changed
 * @return an exit status
 */
int papers_complete(const cli_verb_t *const *verbs, size_t count, int words, char **word);
