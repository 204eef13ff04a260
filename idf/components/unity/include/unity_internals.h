/* What Unity's assertions call, and the state of a run. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*UnityTestFunction)(void);

/** One run of tests. Assertions belong into the task that runs them: one that fails ends the test by a jump. */
struct UNITY_STORAGE_T {
    const char *TestFile, *CurrentTestName, *CurrentDetail1;
    unsigned CurrentTestLineNumber;
    unsigned NumberOfTests, TestFailures, TestIgnores;
    bool CurrentTestFailed, CurrentTestIgnored;
    jmp_buf AbortFrame;
};
extern struct UNITY_STORAGE_T Unity;

/** Before and after each test; an application's own count before these, which do nothing. */
void setUp(void);
void tearDown(void);

void UnityBegin(const char *file);
/** Prints what became of the tests. @return the number of failures */
int UnityEnd(void);
void UnityDefaultTestRun(UnityTestFunction function, const char *name, int line);
void UnityPrint(const char *text);
void UnityPrintNumber(int64_t number);
void UnityFail(const char *message, unsigned line) __attribute__((__noreturn__));
void UnityIgnore(const char *message, unsigned line) __attribute__((__noreturn__));
void UnityMessage(const char *message, unsigned line);
void unity_pass(void) __attribute__((__noreturn__));

typedef enum {
    UNITY_EQUAL,
    UNITY_NOT_EQUAL,
    UNITY_GREATER_THAN,
    UNITY_GREATER_OR_EQUAL,
    UNITY_LESS_THAN,
    UNITY_LESS_OR_EQUAL,
} unity_operation_t;

/* How a number is compared and printed: its bytes, and one of these. */
#define UNITY_SIGNED   0x00
#define UNITY_UNSIGNED 0x10
#define UNITY_HEX      0x20
#define UNITY_CHAR     0x40

#define UNITY_STYLE_INT    (UNITY_SIGNED | sizeof(int))
#define UNITY_STYLE_INT8   (UNITY_SIGNED | 1)
#define UNITY_STYLE_INT16  (UNITY_SIGNED | 2)
#define UNITY_STYLE_INT32  (UNITY_SIGNED | 4)
#define UNITY_STYLE_INT64  (UNITY_SIGNED | 8)
#define UNITY_STYLE_UINT   (UNITY_UNSIGNED | sizeof(unsigned))
#define UNITY_STYLE_UINT8  (UNITY_UNSIGNED | 1)
#define UNITY_STYLE_UINT16 (UNITY_UNSIGNED | 2)
#define UNITY_STYLE_UINT32 (UNITY_UNSIGNED | 4)
#define UNITY_STYLE_UINT64 (UNITY_UNSIGNED | 8)
#define UNITY_STYLE_size_t (UNITY_UNSIGNED | sizeof(size_t))
#define UNITY_STYLE_HEX    (UNITY_HEX | 4)
#define UNITY_STYLE_HEX8   (UNITY_HEX | 1)
#define UNITY_STYLE_HEX16  (UNITY_HEX | 2)
#define UNITY_STYLE_HEX32  (UNITY_HEX | 4)
#define UNITY_STYLE_HEX64  (UNITY_HEX | 8)
#define UNITY_STYLE_PTR    (UNITY_HEX | sizeof(void *))
#define UNITY_STYLE_CHAR   (UNITY_CHAR | 1)

/* What is given, as a number of its type. */
#define UNITY_NUMBER_INT(x)    ((int64_t)(int)(x))
#define UNITY_NUMBER_INT8(x)   ((int64_t)(int8_t)(x))
#define UNITY_NUMBER_INT16(x)  ((int64_t)(int16_t)(x))
#define UNITY_NUMBER_INT32(x)  ((int64_t)(int32_t)(x))
#define UNITY_NUMBER_INT64(x)  ((int64_t)(x))
#define UNITY_NUMBER_UINT(x)   ((int64_t)(unsigned)(x))
#define UNITY_NUMBER_UINT8(x)  ((int64_t)(uint8_t)(x))
#define UNITY_NUMBER_UINT16(x) ((int64_t)(uint16_t)(x))
#define UNITY_NUMBER_UINT32(x) ((int64_t)(uint32_t)(x))
#define UNITY_NUMBER_UINT64(x) ((int64_t)(uint64_t)(x))
#define UNITY_NUMBER_size_t(x) ((int64_t)(size_t)(x))
#define UNITY_NUMBER_HEX(x)    UNITY_NUMBER_UINT32(x)
#define UNITY_NUMBER_HEX8(x)   UNITY_NUMBER_UINT8(x)
#define UNITY_NUMBER_HEX16(x)  UNITY_NUMBER_UINT16(x)
#define UNITY_NUMBER_HEX32(x)  UNITY_NUMBER_UINT32(x)
#define UNITY_NUMBER_HEX64(x)  UNITY_NUMBER_UINT64(x)
#define UNITY_NUMBER_PTR(x)    ((int64_t)(uintptr_t)(x))
#define UNITY_NUMBER_CHAR(x)   ((int64_t)(char)(x))

#define UNITY_PRECISION_FLOAT  0.00001f
#define UNITY_PRECISION_DOUBLE 1e-12

/* They return where the assertion holds. `message` may be NULL. */
void unity_assert_number(unity_operation_t operation, int64_t expected, int64_t actual, unsigned style,
                         const char *message, unsigned line);
void unity_assert_within(int64_t delta, int64_t expected, int64_t actual, unsigned style, const char *message,
                         unsigned line);
void unity_assert_array(const void *expected, const void *actual, size_t count, bool each_the_first,
                        unsigned style, const char *message, unsigned line);
void unity_assert_each(int64_t expected, const void *actual, size_t count, unsigned style,
                       const char *message, unsigned line);
void unity_assert_bits(int64_t mask, int64_t expected, int64_t actual, const char *message, unsigned line);
void unity_assert_real(double delta, double expected, double actual, const char *message, unsigned line);
/** @param len  SIZE_MAX: to their ends */
void unity_assert_string(const char *expected, const char *actual, size_t len, const char *message,
                         unsigned line);
void unity_assert_memory(const void *expected, const void *actual, size_t len, const char *message,
                         unsigned line);
void unity_assert_true(bool condition, const char *expectation, const char *message, unsigned line);

#ifdef __cplusplus
}
#endif
