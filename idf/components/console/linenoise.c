/* Lines of standard input by linenoise's names. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linenoise/linenoise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *linenoise(const char *prompt)
{
    char *line = NULL;
    size_t size = 0;
    printf("%s", prompt != NULL ? prompt : "");
    (void)fflush(stdout);
    if (getline(&line, &size, stdin) < 0) {
        free(line);
        return NULL;
    }
    line[strcspn(line, "\r\n")] = '\0';
    return line;
}

void linenoiseFree(void *ptr)
{
    free(ptr);
}

int linenoiseProbe(void)
{
    return 0;
}

void linenoiseSetCompletionCallback(linenoiseCompletionCallback *fn)
{
    (void)fn;
}

void linenoiseSetHintsCallback(linenoiseHintsCallback *fn)
{
    (void)fn;
}

void linenoiseSetFreeHintsCallback(linenoiseFreeHintsCallback *fn)
{
    (void)fn;
}

void linenoiseAddCompletion(linenoiseCompletions *completions, const char *text)
{
    (void)completions, (void)text;
}

int linenoiseHistoryAdd(const char *line)
{
    (void)line;
    return 1;
}

int linenoiseHistorySetMaxLen(int len)
{
    return len > 0;
}

int linenoiseHistorySave(const char *filename)
{
    (void)filename;
    return -1;
}

int linenoiseHistoryLoad(const char *filename)
{
    (void)filename;
    return -1;
}

void linenoiseHistoryFree(void)
{
}

void linenoiseClearScreen(void)
{
}

void linenoiseSetMultiLine(int ml)
{
    (void)ml;
}

void linenoiseSetDumbMode(int set)
{
    (void)set;
}

bool linenoiseIsDumbMode(void)
{
    return true;
}

void linenoiseAllowEmpty(bool allow)
{
    (void)allow;
}

int linenoiseSetMaxLineLen(size_t len)
{
    return len > 0 ? 0 : -1;
}
