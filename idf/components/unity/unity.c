/* What becomes of assertions and tests, in Unity's words: FILE:LINE:TEST:PASS, or FAIL and why. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unity_internals.h"

struct UNITY_STORAGE_T Unity;

__attribute__((weak)) void setUp(void)
{
}

__attribute__((weak)) void tearDown(void)
{
}

void UnityPrint(const char *text)
{
    (void)fputs(text, stdout);
    (void)fflush(stdout);
}

void UnityPrintNumber(int64_t number)
{
    printf("%" PRId64, number);
}

/* ---- a run ---- */

void UnityBegin(const char *file)
{
    Unity = (struct UNITY_STORAGE_T){.TestFile = file};
}

int UnityEnd(void)
{
    printf("\n-----------------------\n%u Tests %u Failures %u Ignored \n%s\n", Unity.NumberOfTests,
           Unity.TestFailures, Unity.TestIgnores, Unity.TestFailures == 0 ? "OK" : "FAIL");
    (void)fflush(stdout);
    return (int)Unity.TestFailures;
}

static void print_place(unsigned line, const char *verdict)
{
    printf("%s:%u:%s:%s", Unity.TestFile != NULL ? Unity.TestFile : "", line,
           Unity.CurrentTestName != NULL ? Unity.CurrentTestName : "", verdict);
}

static void conclude(void)
{
    if (Unity.CurrentTestIgnored) {
        Unity.TestIgnores++;
    } else if (Unity.CurrentTestFailed) {
        Unity.TestFailures++;
    } else {
        print_place(Unity.CurrentTestLineNumber, "PASS\n");
    }
    Unity.CurrentTestFailed = Unity.CurrentTestIgnored = false;
    (void)fflush(stdout);
}

void UnityDefaultTestRun(UnityTestFunction function, const char *name, int line)
{
    Unity.CurrentTestName = name;
    Unity.CurrentTestLineNumber = (unsigned)line;
    Unity.NumberOfTests++;
    if (setjmp(Unity.AbortFrame) == 0) {
        setUp();
        function();
    }
    if (setjmp(Unity.AbortFrame) == 0) {
        tearDown();
    }
    conclude();
}

/* ---- ends of a test ---- */

void unity_pass(void)
{
    longjmp(Unity.AbortFrame, 1);
}

/** What stands behind the reason. */
static void end_line(const char *message)
{
    printf("%s%s\n", message != NULL ? ". " : "", message != NULL ? message : "");
}

static void fail(const char *message)
{
    end_line(message);
    Unity.CurrentTestFailed = true;
    unity_pass();
}

void UnityFail(const char *message, unsigned line)
{
    print_place(line, "FAIL");
    printf("%s%s\n", message != NULL ? ": " : "", message != NULL ? message : "");
    Unity.CurrentTestFailed = true;
    unity_pass();
}

void UnityIgnore(const char *message, unsigned line)
{
    print_place(line, "IGNORE");
    printf("%s%s\n", message != NULL ? ": " : "", message != NULL ? message : "");
    Unity.CurrentTestIgnored = true;
    unity_pass();
}

void UnityMessage(const char *message, unsigned line)
{
    print_place(line, "INFO");
    printf(": %s\n", message);
}

/* ---- numbers ---- */

static void print_number(int64_t number, unsigned style)
{
    const unsigned bytes = style & 0xF;
    if ((style & UNITY_HEX) != 0) {
        const uint64_t kept =
            bytes < 8 ? (uint64_t)number & ((UINT64_C(1) << (8 * bytes)) - 1) : (uint64_t)number;
        printf("0x%0*" PRIX64, (int)(2 * bytes), kept);
    } else if ((style & UNITY_UNSIGNED) != 0) {
        printf("%" PRIu64, (uint64_t)number);
    } else if ((style & UNITY_CHAR) != 0 && number >= ' ' && number < 127) {
        printf("'%c'", (int)number);
    } else {
        printf("%" PRId64, number);
    }
}

/** @return below, at or above 0, as of memcmp() */
static int compare(int64_t a, int64_t b, unsigned style)
{
    if ((style & (UNITY_UNSIGNED | UNITY_HEX)) != 0) {
        return ((uint64_t)a > (uint64_t)b) - ((uint64_t)a < (uint64_t)b);
    }
    return (a > b) - (a < b);
}

static void expected_was(int64_t expected, int64_t actual, unsigned style, const char *message)
{
    printf(" Expected ");
    print_number(expected, style);
    printf(" Was ");
    print_number(actual, style);
    fail(message);
}

void unity_assert_number(unity_operation_t operation, int64_t expected, int64_t actual, unsigned style,
                         const char *message, unsigned line)
{
    static const struct {
        const char *words;
        bool below, same, above; /* where the actual value may be */
    } operations[] = {
        [UNITY_EQUAL] = {NULL, false, true, false},
        [UNITY_NOT_EQUAL] = {" to be not equal to ", true, false, true},
        [UNITY_GREATER_THAN] = {" to be greater than ", false, false, true},
        [UNITY_GREATER_OR_EQUAL] = {" to be greater or equal to ", false, true, true},
        [UNITY_LESS_THAN] = {" to be less than ", true, false, false},
        [UNITY_LESS_OR_EQUAL] = {" to be less or equal to ", true, true, false},
    };
    const int order = compare(actual, expected, style);
    if (order < 0   ? operations[operation].below
        : order > 0 ? operations[operation].above
                    : operations[operation].same) {
        return;
    }
    print_place(line, "FAIL:");
    if (operation == UNITY_EQUAL) {
        expected_was(expected, actual, style, message);
    }
    printf(" Expected ");
    print_number(actual, style);
    printf("%s", operations[operation].words);
    print_number(expected, style);
    fail(message);
}

void unity_assert_within(int64_t delta, int64_t expected, int64_t actual, unsigned style, const char *message,
                         unsigned line)
{
    const uint64_t distance = compare(actual, expected, style) > 0 ? (uint64_t)actual - (uint64_t)expected
                                                                   : (uint64_t)expected - (uint64_t)actual;
    if (distance <= (uint64_t)delta) {
        return;
    }
    print_place(line, "FAIL: Values Not Within Delta ");
    print_number(delta, style);
    expected_was(expected, actual, style, message);
}

void unity_assert_bits(int64_t mask, int64_t expected, int64_t actual, const char *message, unsigned line)
{
    unity_assert_number(UNITY_EQUAL, expected & mask, actual & mask, UNITY_STYLE_HEX64, message, line);
}

/** An element of an array whose elements have that many bytes. */
static int64_t element(const void *array, size_t index, unsigned style)
{
    const uint8_t *at = (const uint8_t *)array + index * (style & 0xF);
    const bool is_signed = (style & (UNITY_UNSIGNED | UNITY_HEX)) == 0;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    int64_t whole;
    switch (style & 0xF) {
    case 1:
        memcpy(&u8, at, sizeof(u8));
        return is_signed ? (int64_t)(int8_t)u8 : (int64_t)u8;
    case 2:
        memcpy(&u16, at, sizeof(u16));
        return is_signed ? (int64_t)(int16_t)u16 : (int64_t)u16;
    case 4:
        memcpy(&u32, at, sizeof(u32));
        return is_signed ? (int64_t)(int32_t)u32 : (int64_t)u32;
    default:
        memcpy(&whole, at, sizeof(whole));
        return whole;
    }
}

static void assert_element(int64_t expected, int64_t actual, size_t index, unsigned style,
                           const char *message, unsigned line)
{
    if (expected != actual) {
        print_place(line, "FAIL:");
        printf(" Element %zu", index);
        expected_was(expected, actual, style, message);
    }
}

void unity_assert_array(const void *expected, const void *actual, size_t count, bool each_the_first,
                        unsigned style, const char *message, unsigned line)
{
    if ((expected == NULL || actual == NULL) && expected != actual) {
        print_place(line, "FAIL:");
        printf(" Expected %sNULL", expected == NULL ? "" : "Non-");
        fail(message);
    }
    for (size_t i = 0; expected != actual && i < count; i++) {
        assert_element(element(expected, each_the_first ? 0 : i, style), element(actual, i, style), i, style,
                       message, line);
    }
}

void unity_assert_each(int64_t expected, const void *actual, size_t count, unsigned style,
                       const char *message, unsigned line)
{
    unity_assert_true(actual != NULL, " Expected Non-NULL", message, line);
    for (size_t i = 0; i < count; i++) {
        assert_element(expected, element(actual, i, style), i, style, message, line);
    }
}

void unity_assert_real(double delta, double expected, double actual, const char *message, unsigned line)
{
    bool same = (isnan(expected) && isnan(actual)) || (isinf(expected) && expected == actual);
    if (same || fabs(actual - expected) <= fabs(delta)) {
        return;
    }
    print_place(line, "FAIL:");
    printf(" Expected %.9g Was %.9g", expected, actual);
    fail(message);
}

/* ---- texts and bytes ---- */

void unity_assert_true(bool condition, const char *expectation, const char *message, unsigned line)
{
    if (!condition) {
        print_place(line, "FAIL:");
        printf("%s", expectation);
        fail(message);
    }
}

static void print_text(const char *text, size_t len)
{
    if (text == NULL) {
        printf("NULL");
    } else {
        printf("'%.*s'", (int)strnlen(text, len < INT_MAX ? len : INT_MAX), text);
    }
}

void unity_assert_string(const char *expected, const char *actual, size_t len, const char *message,
                         unsigned line)
{
    if (expected != NULL && actual != NULL ? strncmp(expected, actual, len) == 0 : expected == actual) {
        return;
    }
    print_place(line, "FAIL:");
    printf(" Expected ");
    print_text(expected, len);
    printf(" Was ");
    print_text(actual, len);
    fail(message);
}

void unity_assert_memory(const void *expected, const void *actual, size_t len, const char *message,
                         unsigned line)
{
    const uint8_t *e = expected, *a = actual;
    unity_assert_true((e != NULL && a != NULL) || e == a, " Expected Non-NULL", message, line);
    for (size_t i = 0; e != a && i < len; i++) {
        if (e[i] != a[i]) {
            print_place(line, "FAIL:");
            printf(" Memory Mismatch. Byte %zu", i);
            expected_was(e[i], a[i], UNITY_STYLE_HEX8, message);
        }
    }
}
