/* The list of TEST_CASE()s, and the menu that runs them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_system.h"
#include "esp_timer.h"
#include "unity_internals.h"
#include "unity_test_runner.h"

#define US_PER_MS 1000

static test_desc_t *tests; /* in the order of their places; all registered before app_main() */

void unity_testcase_register(test_desc_t *desc)
{
    test_desc_t **link = &tests;
    while (*link != NULL) {
        int order = strcmp((*link)->file, desc->file);
        if (order > 0 || (order == 0 && (*link)->line > desc->line)) {
            break;
        }
        link = &(*link)->next;
    }
    desc->next = *link;
    *link = desc;
}

int unity_get_test_count(void)
{
    int count = 0;
    for (const test_desc_t *test = tests; test != NULL; test = test->next) {
        count++;
    }
    return count;
}

/** NULL: there is none */
static const test_desc_t *test_at(int index)
{
    const test_desc_t *test = index >= 0 ? tests : NULL;
    while (test != NULL && index-- > 0) {
        test = test->next;
    }
    return test;
}

bool unity_get_test_info(int test_index, test_desc_t *out_info)
{
    const test_desc_t *test = test_at(test_index);
    if (test != NULL && out_info != NULL) {
        *out_info = *test;
    }
    return test != NULL && out_info != NULL;
}

/** A line of the console, without its end. @return false: the console has ended */
static bool read_line(char *line, size_t size)
{
    if (fgets(line, (int)size, stdin) == NULL) {
        return false;
    }
    size_t len = strlen(line);
    while (len > 0 && isspace((unsigned char)line[len - 1])) {
        line[--len] = '\0';
    }
    return true;
}

/* ---- one test ---- */

/** Which stage the console asks for. @return below 0: none */
static int ask_for_stage(const test_desc_t *test)
{
    char line[32] = "";
    printf("%s\n", test->name);
    for (int i = 0; i < test->test_fn_count; i++) {
        printf("\t(%d)\n", i + 1);
    }
    (void)fflush(stdout);
    while (line[0] == '\0') {
        if (!read_line(line, sizeof(line))) {
            return -1;
        }
    }
    long stage = strtol(line, NULL, 10) - 1;
    return stage >= 0 && stage < test->test_fn_count ? (int)stage : -1;
}

static void run(const test_desc_t *test)
{
    printf("Running %s...\n", test->name);
    (void)fflush(stdout);
    Unity.TestFile = test->file;
    Unity.CurrentDetail1 = test->desc;
    int stage = test->test_fn_count > 1 ? ask_for_stage(test) : 0;
    if (stage < 0) {
        printf("there is no such stage: 1 to %d\n", test->test_fn_count);
        return;
    }
    UnityDefaultTestRun(test->fn[stage], test->name, test->line);
    if (strstr(test->desc, "[leaks") != NULL) { /* such a test wants a fresh heap behind it, as in ESP-IDF */
        (void)UnityEnd();
        UnityPrint("Enter next test, or 'enter' to see menu\n");
        esp_restart();
    }
}

void unity_run_test_by_index(int test_index)
{
    const test_desc_t *test = test_at(test_index);
    if (test != NULL) {
        run(test);
    }
}

void unity_run_test_by_name(const char *name)
{
    for (const test_desc_t *test = tests; test != NULL; test = test->next) {
        if (strcmp(test->name, name) == 0) {
            run(test);
        }
    }
}

void unity_run_tests_by_tag(const char *tag, bool invert)
{
    printf("Running tests %smatching '%s'...\n", invert ? "NOT " : "", tag);
    for (const test_desc_t *test = tests; test != NULL; test = test->next) {
        if ((strstr(test->desc, tag) != NULL) != invert) {
            run(test);
        }
    }
}

void unity_run_all_tests(void)
{
    for (const test_desc_t *test = tests; test != NULL; test = test->next) {
        run(test);
    }
}

/* ---- the menu ---- */

static void list(void)
{
    int number = 0;
    printf("\n\nHere's the test menu, pick your combo:\n");
    for (const test_desc_t *test = tests; test != NULL; test = test->next) {
        printf("(%d)\t\"%s\" %s\n", ++number, test->name, test->desc);
        for (int i = 0; test->test_fn_count > 1 && i < test->test_fn_count; i++) {
            printf("\t(%d)\n", i + 1);
        }
    }
    UnityPrint("\nEnter test for running.\n");
}

static void run_number(const char *text)
{
    const int64_t begin_us = esp_timer_get_time();
    unity_run_test_by_index((int)strtol(text, NULL, 10) - 1);
    printf("Test ran in %" PRId64 "ms\n", (esp_timer_get_time() - begin_us) / US_PER_MS);
}

static void run_line(char *line)
{
    const bool invert = line[0] == '!';
    line += invert;
    char *quote = strrchr(line, '"');
    UnityBegin(NULL);
    if (line[0] == '*') {
        unity_run_all_tests();
    } else if (line[0] == '[') {
        unity_run_tests_by_tag(line, invert);
    } else if (line[0] == '"' && quote > line) {
        *quote = '\0';
        unity_run_test_by_name(line + 1);
    } else if (isdigit((unsigned char)line[0])) {
        run_number(line);
    }
    (void)UnityEnd();
    UnityPrint("Enter next test, or 'enter' to see menu\n");
}

void unity_run_menu(void)
{
    char line[256];
    UnityPrint("\n\nPress ENTER to see the list of tests.\n");
    while (read_line(line, sizeof(line))) {
        if (line[0] == '\0') {
            list();
        } else if (line[0] == '-') {
            (void)UnityEnd(); /* of the run before, as in ESP-IDF */
        } else {
            run_line(line);
        }
    }
}
