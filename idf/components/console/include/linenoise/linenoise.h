/* linenoise's names on standard input, where a terminal edits lines by itself: no completion, hints or history. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct linenoiseCompletions {
    size_t len;
    char **cvec;
} linenoiseCompletions;

typedef void(linenoiseCompletionCallback)(const char *text, linenoiseCompletions *completions);
typedef char *(linenoiseHintsCallback)(const char *text, int *color, int *bold);
typedef void(linenoiseFreeHintsCallback)(void *hint);

/** Prints the prompt, and waits for a line. @return without its end, to be given to linenoiseFree(); NULL: input has ended */
char *linenoise(const char *prompt);
void linenoiseFree(void *ptr);
/** @return 0: escape sequences may be used, for nothing here sends one */
int linenoiseProbe(void);

/* Taken, and without an effect. Those of history return 1, and to load and save -1. */
void linenoiseSetCompletionCallback(linenoiseCompletionCallback *fn);
void linenoiseSetHintsCallback(linenoiseHintsCallback *fn);
void linenoiseSetFreeHintsCallback(linenoiseFreeHintsCallback *fn);
void linenoiseAddCompletion(linenoiseCompletions *completions, const char *text);
int linenoiseHistoryAdd(const char *line);
int linenoiseHistorySetMaxLen(int len);
int linenoiseHistorySave(const char *filename);
int linenoiseHistoryLoad(const char *filename);
void linenoiseHistoryFree(void);
void linenoiseClearScreen(void);
void linenoiseSetMultiLine(int ml);
void linenoiseSetDumbMode(int set);
bool linenoiseIsDumbMode(void);
void linenoiseAllowEmpty(bool allow);
int linenoiseSetMaxLineLen(size_t len);

#ifdef __cplusplus
}
#endif
